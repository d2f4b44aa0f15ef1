"""Whether the images are enough: the learning curve, and what twice as many bring."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from pages.data import seeing
from pages.shared import charts, job_progress, shell, steady_chart, tables, words
from pages.shared.words import spoken
from transfer.advice import enough
from transfer.advice.growth import Growth
from transfer.datasets.revision import Revision

_DOING = {
    "features": "{images} seen by the backbone",
    "heads": "Heads made from parts of them",
}


def show(revision: Revision) -> None:
    """The fold."""
    request = enough.request(revision)
    job = job_progress.find(request)
    with st.expander(
        "Is it enough?",
        icon=":material/trending_up:",
        expanded=job_progress.stays_open("enough", job),
    ):
        found = enough.read(revision)
        if found is None:
            st.caption(
                f"What would twice as many {spoken().images} bring, and which classes "
                "need them most? Takes seconds once a run has seen the "
                f"{spoken().images}."
            )
            if not job_progress.goes_on(job) and st.button(
                "Find out", icon=":material/play_arrow:", key="ask-enough"
            ):
                resizing = seeing.last_resizing(revision.dataset)
                job_progress.ask(enough.request(revision, resizing))
        job_progress.show(job, job_progress.count_line(_DOING))
        if found is not None:
            _show_growth(found)


def _show_growth(growth: Growth) -> None:
    says = enough.in_words(growth, words.spoken_of())
    st.markdown(f"**{shell.escape(says)}**")
    st.caption(
        f"With these {growth.images:,} training {spoken().images} a head in closed "
        f"form names {growth.now.value:.1%} of {spoken().images} right that it has "
        f"not seen; with twice as many {words.span(growth.twice)} (95 % interval)."
    )
    left, right = st.columns([3, 2])
    with left:
        steady_chart.show(_figure(growth), "growth", says)
    with right:
        _show_classes(growth)


def _figure(growth: Growth) -> go.Figure:
    sizes = [one.images_per_class for one in growth.points]
    today = growth.images / len(growth.classes)
    beyond = [today, 2 * today]
    figure = go.Figure()
    for name, at, found, look in (
        (
            "measured",
            sizes,
            [p.accuracy for p in growth.points],
            {"color": charts.COLD},
        ),
        (
            "expected of all and of twice as many",
            beyond,
            [growth.now, growth.twice],
            {"color": charts.WARM, "dash": "dot"},
        ),
    ):
        figure.add_scatter(
            x=at,
            y=[one.value for one in found],
            name=name,
            mode="lines+markers",
            line=look,
            error_y={
                "array": [one.high - one.value for one in found],
                "arrayminus": [one.value - one.low for one in found],
                "thickness": 1.2,
            },
            hovertemplate=f"%{{x:,.0f}} {spoken().images} a class: "
            "%{y:.1%}<extra></extra>",
        )
    names = [
        f"{one:,.0f}" if one >= 10 else f"{one:.1f}" for one in [*sizes[:-1], *beyond]
    ]
    figure.update_xaxes(
        type="log",
        title=f"{spoken().images.capitalize()} a class",
        tickvals=[*sizes[:-1], *beyond],
        ticktext=names,
    )
    figure.update_yaxes(title="Top-1 accuracy", tickformat=".0%")
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom"}
    return charts.layout(figure, 300, legend=legend, dragmode=False)


def _show_classes(growth: Growth) -> None:
    """What each class would gain, most first."""
    needy = [one.name for one in enough.neediest(growth)]
    ordered = sorted(growth.classes, key=lambda one: -one.gain.value)
    ordered.sort(key=lambda one: one.name not in needy)
    table = pd.DataFrame(
        {
            "Class": [one.name for one in ordered],
            spoken().images.capitalize(): [one.images for one in ordered],
            "Right": [f"{one.accuracy:.0%}" for one in ordered],
            "Gain, points": [
                f"{100 * one.gain.low:.1f} to {100 * one.gain.high:.1f}"
                for one in ordered
            ],
        }
    )
    tables.show(
        table,
        hide_index=True,
        height=300 if len(ordered) > 7 else "content",
        column_config={
            "Gain, points": st.column_config.TextColumn(
                help="What the class's share of right answers would gain by twice as "
                f"many {spoken().images}, 95 % interval."
            )
        },
        alt=f"What twice as many {spoken().images} would bring to each class",
    )
