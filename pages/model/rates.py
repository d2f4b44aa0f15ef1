"""Find the learning rates: loss by rate of each phase, and the rate to take."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from pages.shared import charts, job_progress, steady_chart
from pages.shared.words import spoken
from transfer.advice import rates
from transfer.advice.rates import Curve
from transfer.config import TrainConfig
from transfer.store.outcome import PHASES


def show(config: TrainConfig) -> None:
    """The fold; nothing where no learning rate is used.

    Args:
        config: The settings as they are chosen now.
    """
    # A closed form takes no steps, so there is no rate to find.
    if config.method != "train":
        return
    request = rates.request(config)
    job = job_progress.find(request)
    running = job_progress.goes_on(job)
    with st.expander(
        "Find the learning rates",
        icon=":material/query_stats:",
        expanded=job_progress.stays_open("rates", job),
    ):
        st.caption(
            f"{rates.STEPS} steps of each phase while the rate grows from "
            f"{rates.LOWEST:g} to {rates.HIGHEST:g}, with your {spoken().images}, "
            "freeze plan and batch size. What it trains is thrown away."
        )
        if st.button("Find the rates", icon=":material/play_arrow:", disabled=running):
            job_progress.ask(request)
        job_progress.show(job, _line)
        found = [Curve(**one) for one in job_progress.findings(job)]
        # The first phase may be done while the second goes on.
        for curve, place in zip(found, st.columns(2), strict=False):
            with place:
                _show_curve(curve)
        if found:
            st.caption(
                "Where the loss falls by half, suggested is a tenth of the rate at "
                "which it is least; where a phase starts close to its goal, a third of "
                "the rate at which the loss has risen."
            )


def _line(now: dict[str, Any]) -> tuple[float, str]:
    """The share of this phase that is done, and where the test is."""
    phase, step, steps = (now.get(k, 0) for k in ("phase", "step", "steps"))
    if not steps:
        return 0.0, job_progress.LOADING
    if phase == "prepare":
        return step / steps, f"Features: {step:,} of {steps:,} {spoken().images}"
    name = PHASES.get(phase, phase)
    return step / steps, f"{name} phase: {step} of {steps} steps"


def _show_curve(curve: Curve) -> None:
    name = rates.SETTINGS[curve.phase]
    alt = f"Loss by learning rate in the {PHASES[curve.phase]} phase"
    steady_chart.show(figure(curve), f"rate-{curve.phase}", alt)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"Suggested for the {PHASES[curve.phase]} phase: **{curve.suggested:g}**",
            width="content",
        )
        st.button(
            "Use it", on_click=_use, args=(name, curve.suggested), key=f"use-{name}"
        )


def _use(name: str, rate: float) -> None:
    st.session_state[name] = rate


def figure(curve: Curve) -> go.Figure:
    """Smoothed loss by rate, with the suggestion marked."""
    drawn = go.Figure(
        go.Scatter(
            x=curve.rates,
            y=curve.losses,
            mode="lines",
            line={"color": charts.COLD, "width": 2},
            hovertemplate="rate %{x:.2g}<br>loss %{y:.3f}<extra></extra>",
        )
    )
    # Not `add_vline`: on a logarithmic axis Plotly sets its words elsewhere.
    at = int(np.searchsorted(curve.rates[:-1], curve.suggested))
    drawn.add_scatter(
        x=[curve.suggested],
        y=[curve.losses[at]],
        mode="markers+text",
        marker={"color": charts.WARM, "size": 12},
        text=[f"{curve.suggested:g}"],
        textposition="top center",
        hoverinfo="skip",
    )
    powers = [10.0**power for power in range(-5, 1)]
    names = [f"{power:g}" for power in powers]
    ticks = {"tickvals": powers, "ticktext": names}
    drawn.update_xaxes(ticks, type="log", title="Learning rate")
    drawn.update_yaxes(title="Loss, smoothed")
    return charts.layout(drawn, 280, showlegend=False)
