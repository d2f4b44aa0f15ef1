"""What probabilities are worth: reliability, and when to say "I don't know"."""

import plotly.graph_objects as go
import streamlit as st

from pages.evaluate import plots
from pages.shared import charts, session, steady_chart
from pages.shared.words import spoken
from transfer.evaluation import curves, results
from transfer.evaluation.results import Evaluation


def show(evaluation: Evaluation) -> None:
    """The reliability diagram, then accuracy against the share answered."""
    left, right = st.columns(2, gap="large")
    with left:
        _show_reliability(evaluation)
    with right:
        _show_threshold(evaluation)


def _show_reliability(evaluation: Evaluation) -> None:
    st.header("Do the probabilities hold?", anchor=False)
    labels = evaluation.labels
    before = curves.reliability(evaluation.probabilities, labels)
    # What was trained always, what was scaled only where scaling helps.
    named = {"As trained": (before, charts.COLD)}
    if evaluation.temperature != 1.0:
        # On val by halves, each scaled with the other's temperature: else scaling would
        # look better than it is.
        after = curves.reliability(evaluation.judged, labels)
        named["Scaled"] = after, charts.WARM
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": charts.GRAY, "dash": "dot"}
    )
    for name, (one, color) in named.items():
        # A bin without images has no accuracy, and no point.
        filled = one.counts > 0
        figure.add_scatter(
            x=one.confidence[filled],
            y=one.accuracy[filled],
            name=f"{name}, error {one.error:.1%}",
            mode="lines+markers",
            marker={"color": color},
            error_y={
                "array": (one.high - one.accuracy)[filled],
                "arrayminus": (one.accuracy - one.low)[filled],
                "thickness": 1,
            },
            hovertext=[f"{count:,} {spoken().images}" for count in one.counts[filled]],
        )
    figure.data[0].showlegend = False
    charts.percent_axes(figure, "Confidence", "Accuracy")
    steady_chart.show(
        charts.layout(figure, 440, legend=plots.BELOW),
        f"reliability-{evaluation.run}",
        "Accuracy of the answers against their confidence.",
        tools=True,
    )
    st.caption(_calibration_text(evaluation, *(one.error for one, _ in named.values())))


def _calibration_text(
    evaluation: Evaluation, before: float, after: float | None = None
) -> str:
    """The calibration error, before and, where there is one, after scaling."""
    text = f"Expected calibration error {before:.1%} as trained"
    if after is None:
        return (
            f"{text}. No temperature was found by which scaling would lower the loss "
            f"on val {spoken().images} that it was not fitted on, so probabilities "
            "stay as they are."
        )
    note = " Here each half of val is scaled by what the other half gives."
    return (
        f"{text}, {after:.1%} scaled by the temperature {evaluation.temperature:.2f} "
        "that was fitted on val. Probabilities are scaled wherever they are shown."
        + (note if evaluation.split == "val" else "")
    )


def _show_threshold(evaluation: Evaluation) -> None:
    st.header("When to say “I don't know”", anchor=False)
    kept = results.threshold(evaluation.run)
    threshold = st.slider(
        "Threshold: answers with less confidence are not given",
        # Begins at what is kept, so that opening the view changes nothing.
        *(0.0, 1.0, kept, 0.01),
        key=f"threshold-{evaluation.run}",
        format="percent",
    )
    probabilities, labels = evaluation.shown, evaluation.labels
    answered, accuracy = curves.answered_at(probabilities, labels, threshold)
    found = curves.risk_coverage(probabilities, labels)
    figure = go.Figure()
    figure.add_scatter(
        x=found.answered,
        y=found.accuracy,
        mode="lines",
        line={"color": charts.COLD},
        hovertext=[f"from {one:.1%} confidence on" for one in found.thresholds],
        showlegend=False,
    )
    figure.add_scatter(
        x=[answered.value],
        y=[accuracy.value],
        mode="markers",
        marker={"color": charts.WARM, "size": 12},
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )
    # The axis begins where the curve does, or it would be a line at the top.
    lowest = float(found.accuracy.min()) if len(found.accuracy) else 0.0
    low = max(0.0, lowest - 0.05)
    charts.percent_axes(
        figure, "Share answered", "Accuracy of the answers", range=[low, 1.01]
    )
    steady_chart.show(
        charts.layout(figure, 320),
        f"coverage-{evaluation.run}",
        f"Accuracy of the answers against the share of {spoken().images} answered.",
        tools=True,
    )
    _show_choice(evaluation, threshold, kept)


def _show_choice(evaluation: Evaluation, threshold: float, kept: float) -> None:
    """What the threshold means in figures, and the button that keeps it."""
    answered, accuracy = curves.answered_at(
        evaluation.shown, evaluation.labels, threshold
    )
    right = "no answer is left"
    if answered.value:
        right = (
            f"{accuracy.value:.1%} of them are right "
            f"({accuracy.low:.1%} – {accuracy.high:.1%})"
        )
    st.markdown(
        f"**{answered.value:.1%}** of the {spoken().images} are answered, and {right}."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        # It is what the run answers to everybody, and what its exports say.
        may_keep = session.may("change", session.store().get(evaluation.run))
        if may_keep and st.button("Keep this threshold", disabled=threshold == kept):
            results.keep_threshold(evaluation.run, threshold)
            # The caption below and the page Predict must say the new one.
            st.rerun()
        st.caption(
            f"Kept: {kept:.0%}. Below it the page Predict says “I don't know”."
            if kept
            else "None is kept: the page Predict always gives an answer."
        )
