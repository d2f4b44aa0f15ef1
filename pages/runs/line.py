"""The line of all long work: who works, who waits, whose turn it is."""

from typing import get_args

import streamlit as st

from pages.runs import machines
from pages.shared import job_progress, session, shell, words
from transfer.datasets import names
from transfer.errors import TransferError
from transfer.runs import order, queue
from transfer.runs.kinds import KINDS
from transfer.runs.places import Place
from transfer.store.record import Job, Run
from transfer.store.turns import RULE

#: Jobs that are shown at a time, and seconds between two looks at them.
_SHOWN, _LOOK = 30, 2.0
_ICONS = {"front": "vertical_align_top", "up": "arrow_upward", "down": "arrow_downward"}


def show() -> None:
    """The line, where anybody waits."""
    store = session.whole_store()
    if not store.waiting(limit=1):
        return
    says = "Queue: who works, who waits"
    with st.expander(
        says, icon=":material/format_list_numbered:", key="line", on_change="rerun"
    ) as fold:
        if fold.open:
            st.fragment(run_every=_LOOK)(_show_line)()


def _show_line() -> None:
    whole, own = session.whole_store(), session.store()
    st.caption(f"{RULE} What was moved by hand goes before that.")
    active = whole.active()  # before the others: no job is at work and waits
    waiting, line = {one.id: one for one in whole.waiting()}, job_progress.line_now()
    seen = {one.id for one in (*own.active(), *own.waiting())}
    for job in active:
        machine = machines.elsewhere(job)
        says = f"at work on {machine}" if machine else "at work"
        _show(job, says, job.id in seen)
    found = [(waiting[one], place) for one, place in line.items() if one in waiting]
    for job, place in found[:_SHOWN]:
        _show(job, words.of_place(place), job.id in seen, place)
    if len(found) > _SHOWN:
        st.caption(f"{len(found) - _SHOWN:,} more wait behind these.")


def _show(job: Job, says: str, is_seen: bool, place: Place | None = None) -> None:
    """A job; of one that may not be seen no more than that there is one."""
    with st.container(
        horizontal=True, vertical_alignment="center", key=f"line-{job.id}"
    ):
        with st.container(gap=None):
            called = job.name if isinstance(job, Run) else names.title(job.subject)
            title = KINDS[job.kind].title
            name = f"{title} {called}" if is_seen else f"{title} of somebody else"
            st.markdown(f"**{shell.escape(name)}**")
            whose = session.owner_in_words(job) if is_seen else ""
            facts = " · ".join(
                one for one in (says[:1].upper() + says[1:], whose) if one
            )
            st.caption(shell.escape(facts))
        if place and session.may("queue"):
            for to in get_args(order.To):
                st.button(
                    to.capitalize(),
                    key=f"{to}-{job.id}",
                    icon=f":material/{_ICONS[to]}:",
                    type="tertiary",
                    on_click=_move,
                    args=(job.id, to),
                )
        if is_seen and job.status != "stopping" and session.may("stop", job):
            icon = ":material/stop_circle:"
            key = f"line-stop-{job.id}"
            st.button("Stop", key=key, icon=icon, on_click=_stop, args=(job.id,))


def _move(job_id: str, to: order.To) -> None:
    try:
        order.move(session.store(), job_id, to)
        job_progress.forget_line()  # what was moved is seen at once
    except TransferError as error:
        st.toast(shell.escape(str(error)), icon=":material/error:")


def _stop(job_id: str) -> None:
    try:
        queue.stop(session.store(), job_id)
        job_progress.forget_line()
    except TransferError as error:
        st.toast(shell.escape(str(error)), icon=":material/error:")
