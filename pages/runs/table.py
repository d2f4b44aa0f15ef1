"""All runs, one a row with a link that opens it; ticked ones are compared or deleted.

Streamlit's own table can be walked by keyboard, but its rows cannot be ticked without a
mouse, and where its cells can be selected each arrow key selects one.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from pages.runs import details, naming
from pages.shared import amounts, run_choice, session
from pages.shared.shell import escape
from transfer.runs import places, queue
from transfer.runs.places import Place
from transfer.store import outcome
from transfer.store.record import Run, default_name

PAGES = Path(__file__).resolve().parents[1]
#: From so many runs on the filters are shown.
FILTERS_FROM = 4
#: Rows on one page.
ROWS = 20
SORTED: dict[str, Callable[[Run], Any]] = {
    "Newest first": lambda run: -run.created_at,
    "Best on val first": lambda run: -(outcome.headline(run) or 0.0),
    "By name": lambda run: run.name.casefold(),
}
#: A link to the page that it stands on looks chosen, which no row is.
_STYLE = """<style>
.st-key-run-list a[data-testid="stPageLink-NavLink"] { padding-left: 0 }
.st-key-run-list a[data-testid="stPageLink-NavLink"]:not(:hover) {
  background: transparent }
.st-key-run-list a[data-testid="stPageLink-NavLink"] p {
  font-weight: 600; white-space: normal; overflow-wrap: anywhere }
.st-key-run-list a[data-testid="stPageLink-NavLink"]:hover p {
  text-decoration: underline }
[class*="st-key-run-row-"] {
  border-bottom: 1px solid rgba(128, 140, 150, .25); padding-bottom: .6rem }
</style>"""

Chosen = Callable[[list[Run]], list[Run]]


def show_list() -> None:
    """All runs, newest first; choosing one opens it."""
    found = session.store().runs(limit=500)
    if not found:
        _show_none()
        return
    chosen: Chosen = filters(found) if len(found) >= FILTERS_FROM else list
    live = any(not run.status.is_final for run in found)
    st.fragment(run_every=2.0 if live else None)(show_rows)(chosen)


def _show_none() -> None:
    step = run_choice.next_step()
    st.info(
        "No run yet. A run trains a classifier on your images: first the new head "
        "on the frozen backbone, then, if you like, some of the backbone too. "
        f"You watch it here, and may close the page meanwhile.\n\n{step.says}",
        icon=":material/model_training:",
    )
    run_choice.show_link(step)


def filters(found: list[Run]) -> Chosen:
    """What the user looks for, and in which order."""
    known = sorted({one for run in found for one in run.tags})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        words = st.text_input(
            "Find",
            placeholder="Name, note, backbone …",
            key="find",
            bind="query-params",
        )
        more = st.popover("Filter, sort", icon=":material/tune:")
    statuses = more.multiselect(
        "Status",
        list(dict.fromkeys(str(run.status) for run in found)),
        format_func=str.capitalize,
    )
    datasets = more.multiselect("Dataset", sorted({run.dataset for run in found}))
    tags = more.multiselect("Tag", known) if known else []
    by = more.selectbox("Order", list(SORTED))

    asked = (words or "").lower().split()

    def is_wanted(run: Run) -> bool:
        called = [run.id, run.name, default_name(run.config), run.config.backbone]
        said = " ".join([*called, run.note, run.dataset]).lower()
        return (
            all(word in said for word in asked)
            and (not statuses or run.status in statuses)
            and (not datasets or run.dataset in datasets)
            and set(tags) <= set(run.tags)
        )

    return lambda every: sorted(filter(is_wanted, every), key=SORTED[by])


def show_rows(chosen: Chosen) -> None:
    """The rows of one page; they follow runs that go on."""
    every = session.store().runs(limit=500)
    found = chosen(every)
    if not found:
        st.caption("No run fits.")
        return
    queued = places.places(every, queue.max_running())
    naming.show_actions(found)
    st.html(_STYLE)
    place = st.container(key="run-list", gap="xsmall")
    pages = math.ceil(len(found) / ROWS)
    page = st.pagination(pages, key="run-page") if pages > 1 else 1
    with place:
        for run in found[(page - 1) * ROWS : page * ROWS]:
            _show_row(run, queued.get(run.id))


def place_in_words(place: Place) -> str:
    """Where a queued run stands, and about when it starts."""
    start = (
        "when those before it have ended"
        if place.seconds is None
        else f"in about {amounts.about(place.seconds)}"
        if place.seconds
        else "at once"
    )
    return f"number {place.position} in the queue, starts {start}"


def _show_row(run: Run, place: Place | None) -> None:
    look = details.STATUS[run.status]
    with st.container(horizontal=True, wrap=False, key=f"run-row-{run.id}"):
        st.checkbox(
            f"Tick {run.name}",
            key=naming.tick_key(run),
            label_visibility="collapsed",
            persist_state="page",
        )
        with st.container(gap=None):
            with st.container(
                horizontal=True, vertical_alignment="center", gap="xsmall"
            ):
                st.page_link(
                    PAGES / "3_runs.py",
                    label=escape(run.name),
                    query_params={"run": run.id},
                )
                st.badge(look.label, color=look.color)  # type: ignore[arg-type]
                for tag in run.tags:
                    st.badge(escape(tag), color="gray")
            st.caption(escape(" · ".join(_facts(run, place))))


def _facts(run: Run, place: Place | None) -> list[str]:
    """What is said of a run below its name, the most important first."""
    seconds = run.result.get("seconds", {}).get("total")
    described = default_name(run.config)
    facts = [
        outcome.headline_in_words(run),
        *outcome.remarks(run),
        place_in_words(place) if place else "",
        _doing(run) if run.status.is_active else "",
        run.dataset,
        described if described != run.name else "",
        f"took {amounts.duration(seconds)}" if seconds else "",
        amounts.ago(time.time() - run.created_at),
        run.id,
        run.note,
    ]
    return [fact for fact in facts if fact]


def _doing(run: Run) -> str:
    """Where a run is that goes on."""
    now = run.progress
    words = details.DOING.get(now.get("phase", ""), "Getting ready")
    if "epoch" in now:
        words += f", epoch {now['epoch']} of {now['epochs']}"
    return words
