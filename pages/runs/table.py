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
from pages.shared import amounts, job_progress, run_choice, session, words
from pages.shared.shell import escape
from transfer.datasets import names
from transfer.runs.places import Place
from transfer.store import outcome
from transfer.store.record import Run, default_name
from transfer.store.status import JobStatus
from transfer.store.summaries import Summary

PAGES = Path(__file__).resolve().parents[1]
#: Runs that go on, each with its status.
Changing = tuple[tuple[str, JobStatus], ...]
#: From so many runs on the filters are shown.
FILTERS_FROM = 4
#: Rows on one page.
ROWS = 20
SORTED: dict[str, Callable[[Summary], Any]] = {
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


def show_list() -> None:
    """All runs, newest first; choosing one opens it."""
    store = session.store()
    # First what goes on and then the list: a run that ends in between is noticed by the
    # next tick.
    seen, found = _what_changes(store.going_on()), store.summaries()
    if not found:
        _show_none()
        return
    # Filters over three runs would take more room than the runs.
    wanted = filter_and_sort(found) if len(found) >= FILTERS_FROM else found
    if not wanted:
        st.caption("No run fits.")
        return
    # Only ids stay with the session until the next rerun: thousands of runs are large.
    ids, newest = [run.id for run in wanted], found[0].id
    rows = st.fragment(run_every=2.0 if seen else None)(show_rows)
    rows(ids, newest, seen)


def _show_none() -> None:
    step = run_choice.next_step()
    st.info(
        "No run yet. A run trains a classifier on your images: first the new head "
        "on the frozen backbone, then, if you like, some of the backbone too. "
        f"You watch it here, and may close the page meanwhile.\n\n{step.says}",
        icon=":material/model_training:",
    )
    run_choice.show_link(step)


def filter_and_sort(found: list[Summary]) -> list[Summary]:
    """Those that the user looks for, in the order that is asked for."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        asked = st.text_input(
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
    datasets = more.multiselect(
        "Dataset",
        sorted({run.dataset for run in found}),
        format_func=session.dataset_label,
    )
    known = sorted({one for run in found for one in run.tags})
    tags = more.multiselect("Tag", known) if known else []
    by = more.selectbox("Order", list(SORTED))
    wanted = [
        run
        for run in found
        if (not statuses or run.status in statuses)
        and (not datasets or run.dataset in datasets)
        and set(tags) <= set(run.tags)
    ]
    # Each word anywhere, as one writes into a search box.
    if words := asked.lower().split():
        wanted = [run for run in wanted if _has_all(run, words)]
    return sorted(wanted, key=SORTED[by])


def _has_all(run: Summary, words: list[str]) -> bool:
    # By the title of a backbone as well as by its name in the settings.
    called = [run.id, run.name, default_name(run.config), run.config.backbone]
    said = " ".join([*called, run.note, names.title(run.dataset)]).lower()
    return all(word in said for word in words)


def show_rows(ids: list[str], newest: str, seen: Changing) -> None:
    """The rows of one page; they follow runs that go on.

    Args:
        ids: Of the runs that are shown, in this order.
        newest: Id of the newest run of all when the page was last made.
        seen: What `_what_changes` said then.
    """
    store = session.store()
    going_on = store.going_on()
    latest = [run.id for run in store.summaries(limit=1)]
    if latest != [newest] or _what_changes(going_on) != seen:
        st.rerun()  # the whole page: other rows are wanted, or in another order
    queued = job_progress.line_now()
    naming.show_actions(ids)
    # Before the rows, which would else be seen to change their look.
    st.html(_STYLE)
    place = st.container(key="run-list", gap="xsmall")
    pages = math.ceil(len(ids) / ROWS)
    page = st.pagination(pages, key="run-page") if pages > 1 else 1
    shown = ids[(page - 1) * ROWS : page * ROWS]
    # Read anew at each tick, but only these.
    by_id = {run.id: run for run in store.summaries(ids=shown)}
    with place:
        for run in (by_id[one] for one in shown if one in by_id):
            _show_row(run, queued.get(run.id))


def _what_changes(going_on: list[Run]) -> Changing:
    """What decides which rows are shown, beside what the user asks for."""
    return tuple((run.id, run.status) for run in going_on)


def _show_row(run: Summary, place: Place | None) -> None:
    look = details.STATUS[run.status]
    with st.container(horizontal=True, wrap=False, key=f"run-row-{run.id}"):
        st.checkbox(
            f"Tick {run.name}",
            key=naming.tick_key(run.id),
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


def _facts(run: Summary, place: Place | None) -> list[str]:
    """What is said of a run below its name, the most important first."""
    described = default_name(run.config)
    facts = [
        outcome.headline_in_words(run),
        *outcome.remarks(run),
        words.of_place(place) if place else "",
        _doing(run) if run.status.is_active else "",
        session.dataset_label(run.dataset),
        session.owner_in_words(run),
        described if described != run.name else "",
        f"took {amounts.duration(run.seconds)}" if run.seconds else "",
        amounts.ago(time.time() - run.created_at),
        run.id,
        run.note,
    ]
    return [fact for fact in facts if fact]


def _doing(run: Summary) -> str:
    """Where a run is that goes on."""
    now = run.progress
    words = details.DOING.get(now.get("phase", ""), "Getting ready")
    if "epoch" in now:
        words += f", epoch {now['epoch']} of {now['epochs']}"
    return words
