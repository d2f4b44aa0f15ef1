"""Parts of the page Evaluate: figures, pictures, curves, robustness, map."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.evaluate import pictures, plots
from pages.shared import charts, job_progress, steady_chart, tables, words
from pages.shared.shell import escape
from pages.shared.words import spoken
from transfer.evaluation import certainty, curves
from transfer.evaluation.results import Evaluation
from transfer.evaluation.robustness import KINDS, SOUND_KINDS
from transfer.store import outcome

#: Curves drawn at first: those of the classes that are hardest to tell.
CURVES = 5
#: What an evaluation does, in this order.
_DOING = {
    "answers": "Asking the model about every {image}",
    "spoilt": "Asking it about spoilt {images}",
    "map": "Finding the places of {images} on the map",
}
#: What robustness is tried against; of sounds?
_SPOILT = {
    False: "blurred, with noise, darker, rotated, or saved as JPEG of low quality",
    True: "with white noise, cut off at one end, or interrupted by silence",
}
_LEVELS = ("as it is", "weak", "medium", "strong")


def line(now: dict[str, Any]) -> tuple[float, str]:
    """The share that is done, and what an evaluation does now."""
    doing = now.get("doing", "")
    if doing not in _DOING:
        return 0.0, job_progress.LOADING
    done, of = now.get("done", 0), max(now.get("of", 0), 1)
    # Each of the three counts the same: how long they take differs with the run.
    share = ([*_DOING].index(doing) + done / of) / len(_DOING)
    return share, f"{spoken().fill(_DOING[doing])}: {done:,} of {of:,}"


def show_summary(evaluation: Evaluation) -> None:
    """The headline figures and those of each class."""
    found = evaluation.figures
    tiles = {
        "Top-1 accuracy": found.top_1,
        "Balanced accuracy": found.balanced_accuracy,
    }
    tiles["Macro F1"] = found.macro_f1
    if len(evaluation.class_names) > 5:  # else it could not but be right
        tiles["Top-5 accuracy"] = found.top_5
    for column, (label, one) in zip(st.columns(len(tiles)), tiles.items(), strict=True):
        value = "–" if np.isnan(one.value) else f"{one.value:.1%}"
        more: dict[str, Any] = {"delta_color": "off", "delta_arrow": "off"}
        column.metric(label, value, words.span(one), border=True, **more)
    st.caption(
        f"{found.images:,} {spoken().images}. Below each figure its 95 % confidence "
        f"interval: with other {spoken().images} of the same kind it could as well "
        "have come out there. " + certainty.too_few(found.top_1, spoken())
    )
    images = [one.images for one in found.classes]
    largest = outcome.largest_class(
        dict(zip(evaluation.class_names, images, strict=True))
    )
    if largest and outcome.is_skewed(largest):
        st.caption(escape(f"{outcome.naming_largest(largest)} top-1 accuracy."))
    _show_classes(evaluation)


def _show_classes(evaluation: Evaluation) -> None:
    rows = []
    for name, one in zip(
        evaluation.class_names, evaluation.figures.classes, strict=True
    ):
        row: dict[str, Any] = {"Class": name, spoken().images.capitalize(): one.images}
        figures = {"Recall": one.recall, "Precision": one.precision, "F1": one.f1}
        for label, figure in figures.items():
            row |= {label: 100 * figure.value, f"{label}, 95 %": words.span(figure)}
        rows.append(row)
    number = st.column_config.NumberColumn(format="%.1f%%")
    config: dict[str, Any] = dict.fromkeys(("Recall", "Precision", "F1"), number)
    config["Class"] = st.column_config.TextColumn(width="medium")
    table = pd.DataFrame(rows)
    # With many classes the table scrolls in itself, for more follows below.
    height: Any = "content" if len(rows) < 20 else 740
    tables.show(
        table,
        hide_index=True,
        height=height,
        column_config=config,
        alt="Figures of each class",
    )


def show_pictures(evaluation: Evaluation) -> None:
    """The most confident mistakes and the least confident hits."""
    confidence, right = curves.answers(evaluation.shown, evaluation.labels)
    by_confidence = np.argsort(-confidence, kind="stable")
    mistakes = [int(one) for one in by_confidence if not right[one]]
    hits = [int(one) for one in by_confidence[::-1] if right[one]]
    st.header("Most confident mistakes", anchor=False)
    if mistakes:
        st.caption(
            "Look whether it is the label that is wrong. Below each "
            f"{spoken().picture}: its class, then the answer with its probability."
        )
        pictures.show(evaluation, mistakes, 24)
    else:
        st.success("No mistakes on this split.", icon=":material/check_circle:")
    st.header("Least confident hits", anchor=False)
    # No more than are seen: what is done with them is done with all of these.
    pictures.show(evaluation, hits[:24])


def show_curves(evaluation: Evaluation) -> None:
    """ROC and precision-recall curves of chosen classes."""
    probabilities, labels = evaluation.shown, evaluation.labels
    names = evaluation.class_names
    # Without an image of a class there is no curve of it.
    filled = [label for label in range(len(names)) if (labels == label).any()]
    # Hundreds of classes would be a tangle: the worst are looked at first.
    ranked = sorted(filled, key=lambda one: evaluation.figures.classes[one].f1.value)
    chosen = st.multiselect(
        "Classes",
        filled,
        default=ranked[:CURVES],
        format_func=lambda label: names[label],
        key=f"curves-{evaluation.run}-{evaluation.split}",
        help="Each against all others; at first the hardest ones.",
    )
    kinds = {
        "ROC": (curves.roc, "False positive rate", "True positive rate", "area"),
        "Precision and recall": (
            *(curves.precision_recall, "Recall", "Precision"),
            "average precision",
        ),
    }
    for column, (title, (curve, x, y, area)) in zip(
        st.columns(2, gap="large"), kinds.items(), strict=True
    ):
        figure = go.Figure()
        for label in chosen:
            one = curve(probabilities, labels, label)
            figure.add_scatter(
                x=one.x,
                y=one.y,
                mode="lines",
                name=f"{words.short(names[label])}, {area} {one.area:.3f}",
                line={"color": plots.PALETTE[label % len(plots.PALETTE)]},
            )
        charts.percent_axes(figure, x, y)
        with column:
            st.header(title, anchor=False)
            height = 400 + 24 * len(chosen)
            charts.layout(figure, height, legend=plots.BELOW, showlegend=True)
            alt = f"{title} of the chosen classes; the legend has their figures."
            steady_chart.show(figure, f"{title}-{evaluation.run}", alt, tools=True)


def _strength(name: str, strength: float) -> str:
    """How strong a change is, with its unit."""
    return f"{strength:g} {(KINDS | SOUND_KINDS)[name].unit}"


def show_robustness(evaluation: Evaluation) -> None:
    """Accuracy on spoilt pictures, by kind and strength."""
    tried = evaluation.robustness
    if tried is None:
        return
    figure, sounds = go.Figure(), "interrupted" in tried.accuracy
    for number, (name, points) in enumerate(tried.accuracy.items()):
        # All curves begin at the same point, the pictures as they are.
        figures = [tried.unspoilt, *(one for _, one in points)]
        figure.add_scatter(
            x=np.arange(4) + (number - 2) * 0.03,  # else the intervals hide each other
            y=[one.value for one in figures],
            name="JPEG" if name == "jpeg" else name.capitalize(),
            mode="lines+markers",
            line={"color": plots.PALETTE[number]},
            error_y={
                "array": [one.high - one.value for one in figures],
                "arrayminus": [one.value - one.low for one in figures],
                "thickness": 1,
            },
            hovertext=["", *(_strength(name, strength) for strength, _ in points)],
        )
    figure.update_xaxes(
        tickvals=[0, 1, 2, 3], ticktext=_LEVELS, title="How much spoilt"
    )
    figure.update_yaxes(title="Top-1 accuracy", tickformat=".0%", range=[0, 1.03])
    alt = f"Accuracy on {spoken().pictures} spoilt in some ways, more and more."
    charts.layout(figure, 480, legend=plots.BELOW)
    steady_chart.show(figure, f"robustness-{evaluation.run}", alt, tools=True)
    st.caption(
        f"The same {tried.images} {spoken().images}, {_SPOILT[sounds]}, with 95 % "
        "confidence intervals. A curve that falls early says which "
        f"{spoken().photographs} to take with care, or which augmentation to train "
        "with."
    )
