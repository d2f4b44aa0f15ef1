"""Where should I freeze? Accuracy and time by depth, from short trainings."""

from typing import Any

import streamlit as st

from pages.model import freeze_editor, tradeoff_chart
from pages.model.tradeoff_chart import Point
from pages.shared import amounts, job_progress
from pages.shared.words import spoken
from transfer.advice import depths
from transfer.advice.candidates import MOST_IMAGES
from transfer.advice.depths import Depth
from transfer.backbones.freezing import in_words
from transfer.config import TrainConfig
from transfer.datasets.revision import Revision
from transfer.store import outcome


def show(revision: Revision, config: TrainConfig) -> None:
    """The fold.

    Args:
        revision: The dataset.
        config: The settings that are chosen now.
    """
    request = depths.request(
        revision,
        config.backbone,
        config.weights,
        config.image_size,
        config.class_weights,
        config.resizing,
    )
    job = job_progress.find(request)
    running = job_progress.goes_on(job)
    with st.expander(
        "Where should I freeze?",
        icon=":material/stairs:",
        expanded=job_progress.stays_open("depth", job),
    ):
        st.caption(
            "A short training at each of six depths, on kept features of at most "
            f"{MOST_IMAGES:,} {spoken().images}: what unfreezing gains, and what it "
            "costs."
        )
        if st.button("Try the depths", icon=":material/play_arrow:", disabled=running):
            job_progress.ask(request)
        job_progress.show(job, _line)
        if found := [Depth(**one) for one in job_progress.findings(job)]:
            # Held to what the run will be judged by.
            balanced = config.class_weights != "none"
            measure = "balanced_accuracy" if balanced else "accuracy"
            _show_found(found, config.backbone, config.freeze, running, measure)


def _line(now: dict[str, Any]) -> tuple[float, str]:
    """The share that is done, and where the sweep is."""
    depth, of, phase = (now.get(k, 0) for k in ("depth", "depths", "phase"))
    if not of:
        return 0.0, job_progress.LOADING
    # Before the first news there are no steps to divide by.
    step, steps = now.get("step", 0), max(now.get("steps", 1), 1)
    if phase == "prepare":
        words = f"Features at all depths: {step:,} of {steps:,} {spoken().images}"
        return step / steps / (of + 1), words
    return (depth + 1) / (of + 1), f"{depth} of {of} depths done"


def _show_found(
    found: list[Depth], backbone: str, plan: str, running: bool, measure: str
) -> None:
    points = [
        Point(
            name=one.freeze,
            label=in_words(one.freeze),
            cost=one.epoch_seconds,
            accuracy=one.accuracy,
            low=one.low,
            high=one.high,
            more=f"{in_words(one.freeze)}: {one.accuracy:.1%} ({one.low:.1%} to "
            f"{one.high:.1%}), {amounts.duration(one.epoch_seconds)} an epoch, "
            f"{amounts.count(one.trainable_parameters)} trainable parameters",
        )
        for one in found
    ]

    def choose(freeze: str) -> None:
        freeze_editor.adopt(backbone, freeze)

    tradeoff_chart.chart(
        points,
        f"depth-chart-{backbone}",
        f"Seconds for an epoch of all training {spoken().images}, features kept",
        outcome.TITLES[measure],
        choose,
        now=plan,
        # Depths are steps of one stair, so a line joins them.
        line=True,
        log=True,
    )
    if running:  # what is deeper was not tried yet
        return
    best = depths.advise(found)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"Suggested: **{in_words(best.freeze)}**, {best.accuracy:.1%} of "
            f"{best.images:,} val {spoken().images}. Deeper is not better beyond "
            "doubt.",
            width="content",
        )
        st.button(
            "Use it", on_click=choose, args=(best.freeze,), key=f"adopt-{backbone}"
        )
    st.caption(
        "A click on a point adopts it. Bars are 95 % intervals; the trainings were "
        "short, so a full run gains more, most of all at the deeper ones."
    )
