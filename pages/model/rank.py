"""Rank for my images: backbones compared by a linear head on some of the images."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from pages.model import tradeoff_chart
from pages.model.tradeoff_chart import Point
from pages.shared import amounts, job_progress, session, shell, tables
from pages.shared.words import spoken
from transfer.advice import candidates
from transfer.advice.candidates import MOST_IMAGES, Candidate
from transfer.backbones import catalogue, weights
from transfer.datasets.decoding import Resizing
from transfer.datasets.revision import Revision

#: Backbones that are proposed to be ranked.
PROPOSED = 6


def show(
    revision: Revision,
    backbone: str,
    source: str,
    resizing: Resizing,
    choose: Callable[[str], None],
) -> None:
    """The fold.

    Args:
        revision: The dataset.
        backbone: The one that is chosen now.
        source: Where parameters come from.
        resizing: As in `TrainConfig`.
        choose: Called with the name of another backbone.
    """
    job = session.store().find("rank", revision.id)
    with st.expander(
        f"Rank for my {spoken().images}",
        icon=":material/leaderboard:",
        expanded=job_progress.stays_open("rank", job),
    ):
        st.caption(
            f"Each backbone runs once over at most {MOST_IMAGES:,} of the training "
            f"{spoken().images}; a linear head on its features, cross-validated, "
            "tells the accuracy to expect with everything frozen. No val or test "
            f"{spoken().image} is used."
        )
        _ask(revision, backbone, (source, resizing), job_progress.goes_on(job))
        job_progress.show(job, _line)
        for one in job.progress.get("passed_over", []) if job else []:
            title = catalogue.title(one["backbone"])
            st.caption(shell.escape(f"{title} was passed over. {one['reason']}"))
        # Also what earlier rankings of the same images found, whoever asked for it.
        if found := candidates.all_kept(revision, source, resizing):
            _show_found(found, backbone, choose)


def _ask(
    revision: Revision, backbone: str, kind: tuple[str, Resizing], running: bool
) -> None:
    every = catalogue.all_for(revision.kind)
    at_hand = [b.name for b in every.values() if weights.is_at_hand(b)]
    # The chosen one is compared as well, unless that meant a download nobody asked for.
    first = [backbone] if backbone in at_hand or not at_hand else []
    wanted = st.multiselect(
        "Backbones to compare",
        list(every),
        list(dict.fromkeys([*first, *at_hand]))[:PROPOSED],
        format_func=weights.title_and_place,
        help="Those whose weights are not here are downloaded first.",
        key="rank-backbones",
        persist_state="session",
    )
    idle = running or not wanted
    if st.button("Rank", icon=":material/play_arrow:", disabled=idle):
        job_progress.ask(candidates.request(revision, wanted, *kind))


def _line(now: dict[str, Any]) -> tuple[float, str]:
    """The share that is done, and where the ranking is."""
    of, step, steps = (now.get(k, 0) for k in ("candidates", "step", "steps"))
    number = now["candidate"]
    if not number:
        return 0.0, job_progress.LOADING
    part = step / steps if steps else 0.0
    title = shell.escape(catalogue.title(now["backbone"]))
    words = f"{title} ({number} of {of}): {step:,} of {steps:,} {spoken().images}"
    return (number - 1 + part) / max(of, 1), words


def _show_found(
    found: list[Candidate], backbone: str, choose: Callable[[str], None]
) -> None:
    points = [
        Point(
            name=one.backbone,
            label=catalogue.title(one.backbone),
            # Time and not speed: on that axis twice as far is twice as dear.
            cost=1000 / one.images_per_second,
            accuracy=one.accuracy,
            low=one.low,
            high=one.high,
            more=f"{catalogue.title(one.backbone)}: {one.accuracy:.1%} "
            f"({one.low:.1%} to {one.high:.1%}), "
            f"{one.images_per_second:,.0f} {spoken().images}/s",
        )
        for one in found
    ]
    tradeoff_chart.chart(
        points,
        "rank-chart",
        f"Milliseconds per {spoken().image} on this machine",
        "Expected accuracy",
        choose,
        now=backbone,
        # One point has no distances to show.
        log=len(points) > 1,
    )
    _show_table(found, choose)


def table(found: list[Candidate]) -> pd.DataFrame:
    """The candidates as they are shown."""
    return pd.DataFrame(
        {
            "Backbone": [catalogue.title(one.backbone) for one in found],
            "Expected accuracy": [one.accuracy for one in found],
            "95 % interval": [f"{one.low:.1%} – {one.high:.1%}" for one in found],
            "LogME": [one.log_me for one in found],
            "Images/s": [one.images_per_second for one in found],
            "Parameters": [amounts.count(one.parameters) for one in found],
            "Ranked in": [amounts.duration(one.seconds) for one in found],
        }
    )


def _show_table(found: list[Candidate], choose: Callable[[str], None]) -> None:
    def on_select_row() -> None:
        rows = st.session_state["rank-table"]["selection"]["rows"]
        if rows:
            choose(found[rows[0]].backbone)

    tables.show(
        table(found),
        hide_index=True,
        key="rank-table",
        alt="Ranked backbones",
        on_select=on_select_row,
        selection_mode="single-row",
        column_config={
            "Backbone": st.column_config.TextColumn(width="medium"),
            "Expected accuracy": st.column_config.ProgressColumn(
                format="percent", min_value=0, max_value=1
            ),
            "LogME": st.column_config.NumberColumn(
                format="%.3f",
                help=f"Logarithm of maximum evidence for each {spoken().image} (You "
                "et al. 2021): larger is better, and it needs no head to be "
                "trained.",
            ),
            "Images/s": st.column_config.NumberColumn(format="%.0f"),
        },
    )
    st.caption(
        "A click on a point or a row uses that backbone. Where intervals overlap, "
        f"the {found[0].images:,} {spoken().images} do not tell which is better."
    )
