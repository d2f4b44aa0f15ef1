"""Two or more runs side by side: curves, settings, and whether one is better."""

from typing import Any

import pandas as pd
import streamlit as st

from pages.runs import curves, details, verdict
from pages.shared import amounts, charts, session, shell, tables, words
from transfer.errors import TransferError
from transfer.evaluation import comparing
from transfer.store import outcome
from transfer.store.record import Run, backbone_title, default_name, what_trains

#: Colours that are told apart with a colour weakness too (Okabe and Ito, 2008).
COLORS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#0072B2", "#D55E00", "#8C8C8C")
MOST = len(COLORS)


def show(ids: list[str]) -> None:
    """The runs of these ids; the first is the one that the others are held against."""
    found, missing = _find(ids[:MOST])
    if missing:
        st.warning(f"Not there any more: {shell.escape(', '.join(missing))}.")
    if len(ids) > MOST:
        st.caption(f"The first {MOST} of {len(ids)} runs are shown.")
    if len(found) < 2:
        st.info("Tick two or more runs in the list to compare them.")
        return
    show_table(found)
    live = any(not run.status.is_final for run in found)
    st.fragment(run_every=2.0 if live else None)(show_curves)(
        [one.id for one in found], live
    )
    st.header("What differs in the settings", anchor=False)
    show_settings(found)
    st.header("Is one really better?", anchor=False)
    for other in found[1:]:
        verdict.show(found[0], other, labels(found))


def _find(ids: list[str]) -> tuple[list[Run], list[str]]:
    found, missing = [], []
    # An address can name a run twice; it is compared with others only.
    for one in dict.fromkeys(ids):
        try:
            found.append(session.store().get(one))
        except TransferError:
            missing.append(one)
    return found, missing


def show_table(found: list[Run]) -> None:
    """What came of each run, and what it cost."""
    names = labels(found)
    rows = [{"Run": names[run.id], **_figures(run)} for run in found]
    # Every column costs width, of which a phone has little.
    said = set()  # what the names say, or what is the same for all
    if all(run.name == default_name(run.config) for run in found):
        said |= {"Backbone", "What trains"}
    if len({run.dataset for run in found}) == 1:
        said.add("Dataset")
    if not any(map(outcome.beside_headline, found)):
        said |= {"Balanced", "Largest class alone"}
    shown = [name for name in rows[0] if name not in said]
    percent = st.column_config.NumberColumn(format="%.1f%%")
    number = st.column_config.NumberColumn(format="localized")
    tables.show(
        rows,
        hide_index=True,
        column_order=shown,
        placeholder="–",
        alt="Accuracy, time and parameters of each run",
        column_config={
            "Run": st.column_config.TextColumn(width="medium"),
            "Val accuracy": percent,
            "Balanced": percent,
            "Largest class alone": percent,
            "Parameters that trained": number,
            "Parameters in all": number,
        },
    )
    for run in found:
        for remark in outcome.remarks(run):
            st.caption(shell.escape(f"{names[run.id]}: {remark}"))


def _figures(run: Run) -> dict[str, Any]:
    accuracy, result = comparing.val_accuracy(run), run.result
    trained, still = (result.get(f"{k}_parameters") for k in ("trainable", "frozen"))
    seconds = result.get("seconds", {}).get("total")
    balanced = result.get("val_balanced_accuracy")
    largest = result.get("val_largest_class")
    return {
        "Val accuracy": 100 * accuracy.value if accuracy else None,
        "95 % interval": words.span(accuracy) if accuracy else None,
        "Balanced": None if balanced is None else 100 * balanced,
        "Largest class alone": 100 * largest["accuracy"] if largest else None,
        "Time": amounts.duration(seconds) if seconds else None,
        "Parameters that trained": trained,
        "Parameters in all": None if trained is None else trained + (still or 0),
        "What trains": what_trains(run.config),
        "Backbone": backbone_title(run.config),
        "Dataset": session.dataset_label(run.dataset),
        "Status": details.STATUS[run.status].label,
    }


def show_curves(ids: list[str], were_live: bool) -> None:
    """Val accuracy and val loss by epoch, one line a run."""
    found, missing = _find(ids)
    # The last tick of a run that has ended brings its figures into the table too.
    if missing or (were_live and all(run.status.is_final for run in found)):
        st.rerun()  # the whole page: what is said below of them has changed
    # Each is drawn once for all who look, see `curves.draw`.
    names, drawn = labels(found), [curves.draw(session.store(), one) for one in found]
    by = _measure(found, [values for one in drawn for _, values in one.epochs])
    rows = [
        row
        for run, one in zip(found, drawn, strict=True)
        for row in _rows(names[run.id], one.epochs, by)
    ]
    columns = ["run", "epoch", "phase", by, "loss"]
    frame = pd.DataFrame(rows, columns=columns)
    for column, name in zip(st.columns(2), (by, "loss"), strict=True):
        column.vega_lite_chart(
            frame[frame[name].notna()],
            _spec(name, list(names.values())),
            key=f"compare-{name}-{'-'.join(ids)}",
            height=340 + 22 * len(ids),
            alt=f"Val {name} by epoch, one line for each run.",
            # Streamlit 1.67 undoes a zoom at each rerun unless it is told of it.
            on_select="rerun",
            selection_mode="zoom",
        )


def labels(found: list[Run]) -> dict[str, str]:
    """What to call each run: by its name, with the id where two have the same."""
    names = [run.name for run in found]
    return {
        run.id: run.name if names.count(run.name) == 1 else f"{run.name} ({run.id[:4]})"
        for run in found
    }


def _measure(found: list[Run], epochs: list[dict[str, float]]) -> str:
    """Balanced accuracy where a run is judged by it and all have measured it."""
    # One measure for all lines of a chart, or they could not be compared.
    by = set(map(outcome.measure, found)) - {"accuracy"}
    measured = all("val_balanced_accuracy" in values for values in epochs)
    return by.pop() if by and measured else "accuracy"


def _rows(
    name: str, epochs: list[tuple[str, dict[str, float]]], by: str
) -> list[tuple[Any, ...]]:
    """Whole epochs, counted through both phases as they were trained."""
    return [
        (name, number, phase, values.get(f"val_{by}"), values.get("val_loss"))
        for number, (phase, values) in enumerate(epochs, 1)
    ]


def _spec(name: str, labelled: list[str]) -> dict[str, Any]:
    percent, title = name != "loss", outcome.TITLES.get(name, "Val loss")
    value_format = ".1%" if percent else ".4f"
    scale = {"domain": labelled, "range": list(COLORS[: len(labelled)])}
    legend = {"title": None, "orient": "bottom", "columns": 1, "labelLimit": 280}
    ticks = ".1~%" if percent else "~g"
    y = {"field": name, "type": "quantitative", "title": None}
    # What is zoomed is cut off at the edges, and points have a size.
    edges = {"zero": False, "nice": False, "padding": 10}
    x = {"field": "epoch", "type": "quantitative", "title": "Epoch", "scale": edges}
    x["axis"] = {"tickMinStep": 1, "format": "d"}
    return {
        "title": {"text": title, "anchor": "start"},
        "config": charts.look(),
        "mark": {"type": "line", "point": True},
        "params": [
            {
                "name": "shown",
                "select": {"type": "point", "fields": ["run"]},
                "bind": "legend",
            },
            {"name": "zoom", "select": "interval", "bind": "scales"},
        ],
        "encoding": {
            "x": x,
            "y": y | {"scale": edges, "axis": {"format": ticks}},
            "color": {
                "field": "run",
                "type": "nominal",
                "scale": scale,
                "legend": legend,
            },
            "opacity": {"condition": {"param": "shown", "value": 1}, "value": 0.12},
            "tooltip": [
                {"field": "run", "title": "Run"},
                {"field": "phase", "title": "Phase"},
                {"field": "epoch", "title": "Epoch"},
                {"field": name, "title": title, "format": value_format},
            ],
        },
    }


def show_settings(found: list[Run]) -> None:
    """A table of the settings that are not the same in all runs."""
    # What is the same in all would hide what is not.
    differing = comparing.differing_settings(found)
    if not differing:
        st.caption("Nothing: all settings are the same.")
        return
    names = labels(found)
    said = {
        name: [words.of_setting(name, value) for value in values]
        for name, values in differing.items()
    }
    table = pd.DataFrame(
        [[value for _, value in one] for one in said.values()],
        index=pd.Index([one[0][0] for one in said.values()], name="Setting"),
        columns=[names[run.id] for run in found],
    )
    tables.show(table, alt="Settings that differ")
