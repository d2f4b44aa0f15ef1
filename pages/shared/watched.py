"""What a run shows while it learns: answers on val, and which blocks move."""

import html
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared import addresses
from pages.shared.charts import COLORS, look
from pages.shared.curves import PHASES
from transfer.datasets import library
from transfer.errors import TransferError
from transfer.runs import watching
from transfer.runs.record import Run
from transfer.runs.watching import Watched

#: With more classes a cell is too small for its number.
MOST_NAMED = 12
SOON = "Comes with the first epochs."


def show(run: Run) -> None:
    """Pinned images, the confusion as it forms, and how far each block has moved."""
    seen = watching.load(run.id)
    names, images = _known(run, tuple(seen.pinned)) if seen else ([], [])
    live = not run.status.is_final
    if not live and not names:
        return
    with st.expander("Images that are followed", icon=":material/push_pin:"):
        if seen and names:
            _followed(seen, names, images)
        else:
            st.caption(SOON)
    # The folds are there from the start: what comes later would move those below.
    left, right = st.columns(2)
    if live or (seen and seen.confusion):
        with left, st.expander("Confusion on val", icon=":material/grid_on:"):
            if seen and seen.confusion and names:
                _confusion(run.id, seen, names)
            else:
                st.caption(SOON)
    if live or (seen and seen.blocks):
        with right, st.expander("What moves in the backbone", icon=":material/layers:"):
            if seen and seen.blocks:
                _blocks(run.id, seen)
            else:
                st.caption(SOON)


def _followed(seen: Watched, names: list[str], images: list[tuple[str, int]]) -> None:
    now = f"after epoch {seen.epoch}" if seen.epoch else "at the start"
    st.caption(
        f"Val images, {now} of the {PHASES.get(seen.phase, seen.phase)} phase. "
        "The columns are the probability of the right class, epoch by epoch."
    )
    st.html(pinned(seen, names, images))


def _known(
    run: Run, positions: tuple[int, ...]
) -> tuple[list[str], list[tuple[str, int]]]:
    """Class names, and address and label of each pinned image; read once a visitor.

    An address has a date of expiry in it: a new one each second would make the browser
    fetch the picture each second.
    """
    key = f"watched-{run.id}-{positions}"
    if key not in st.session_state:
        try:
            revision = library.load(run.config.dataset, run.config.revision)
        except TransferError:
            return [], []
        val = revision.of_split("val")
        st.session_state[key] = (
            list(revision.class_names),
            [(addresses.thumbnail(val[i].sha256), val[i].label) for i in positions],
        )
    names, images = st.session_state[key]
    return names, images


def pinned(seen: Watched, names: list[str], images: list[tuple[str, int]]) -> str:
    """HTML of the followed images; names may hold any characters."""
    cards = []
    for place, (address, label) in enumerate(images):
        answers = [state["answers"][place] for state in seen.states]
        answered, probability, _ = answers[-1]
        right = answered == label
        mark, color = ("✓", COLORS["val"]) if right else ("✗", COLORS["train"])
        cards.append(
            '<figure style="margin:0;width:9.5rem">'
            f'<img src="{address}" alt="{html.escape(names[label])}" style="width:100%;'
            'aspect-ratio:1;object-fit:cover;border-radius:6px">'
            f"{_line([one[2] for one in answers], color)}"
            f'<figcaption style="font-size:.85rem"><b>{mark}</b> '
            f"{html.escape(names[answered])} {probability:.0%}"
            f'<br><span style="opacity:.7">is {html.escape(names[label])}</span>'
            "</figcaption></figure>"
        )
    style = "display:flex;flex-wrap:wrap;gap:1rem"
    return f'<div style="{style}">{"".join(cards)}</div>'


def _line(values: list[float], color: str) -> str:
    """Values in [0, 1] as thin columns: `st.html` lets no SVG through."""
    columns = "".join(
        f'<div style="flex:1;height:{max(value, 0.03):.0%};background:{color}"></div>'
        for value in values
    )
    return (
        '<div style="display:flex;align-items:flex-end;gap:1px;height:2rem;'
        'margin:.25rem 0;background:rgba(128,140,150,.12)" role="img" '
        f'aria-label="Probability of the right class, at last {values[-1]:.0%}" '
        'title="Probability of the right class, epoch by epoch">'
        f"{columns}</div>"
    )


def _confusion(run_id: str, seen: Watched, names: list[str]) -> None:
    rows = [
        {"right": names[i], "answered": names[j], "images": count}
        for i, counts in enumerate(seen.confusion)
        for j, count in enumerate(counts)
    ]
    axis = {"type": "nominal", "sort": names}
    count = {"field": "images", "type": "quantitative"}
    scale = {"type": "sqrt", "range": ["#87919b22", COLORS["val"]]}
    color = {**count, "scale": scale, "legend": None}
    layers: list[dict[str, Any]] = [{"mark": "rect", "encoding": {"color": color}}]
    if len(names) <= MOST_NAMED:
        layers.append({"mark": "text", "encoding": {"text": count}})
    spec: dict[str, Any] = {
        "config": look(),
        "layer": layers,
        "encoding": {
            "x": {**axis, "field": "answered", "title": "Answered"},
            "y": {**axis, "field": "right", "title": "Right class"},
            "tooltip": [
                {"field": "right", "title": "Right class"},
                {"field": "answered", "title": "Answered"},
                {"field": "images", "title": "Images"},
            ],
        },
    }
    st.vega_lite_chart(
        pd.DataFrame(rows),
        spec,
        key=f"confusion-{run_id}",
        height=320,
        alt="Confusion matrix on val: right class against answer.",
    )


def _blocks(run_id: str, seen: Watched) -> None:
    rows = [
        {"block": name, "change": change, "state": "moved" if change else "unchanged"}
        for name, change in seen.blocks.items()
    ]
    spec: dict[str, Any] = {
        "config": look(),
        "mark": {"type": "bar"},
        "encoding": {
            "y": {
                "field": "block",
                "type": "nominal",
                "sort": list(seen.blocks),
                "title": None,
                "axis": {"labelOverlap": False},
            },
            "x": {
                "field": "change",
                "type": "quantitative",
                "title": "Change of the weights, relative to the start",
                "axis": {"format": "~%", "tickCount": 5},
            },
            "color": {"value": COLORS["train"]},
            "tooltip": [
                {"field": "block", "title": "Block"},
                {"field": "change", "title": "Change", "format": ".3~%"},
                {"field": "state", "title": "State"},
            ],
        },
    }
    still = sum(not change for change in seen.blocks.values())
    st.caption(
        f"{still} of {len(seen.blocks)} blocks are exactly as they were: not one of "
        "their weights has changed."
    )
    height = 60 + 18 * len(rows)
    st.vega_lite_chart(
        pd.DataFrame(rows),
        spec,
        key=f"blocks-{run_id}",
        height=height,
        alt="Change of the weights of each block, relative to the start.",
    )
