"""Who is in the class, as a table that keeps itself up to date, and a stop for all."""

from pathlib import Path

import streamlit as st

from pages.shared import amounts, class_look, session, shell, tables, words
from transfer.classroom import attendance
from transfer.classroom.attendance import Attendee
from transfer.classroom.lesson_steps import STEPS

PAGES = Path(__file__).resolve().parents[1]


def show() -> None:
    """The class, first who is stuck."""
    st.fragment(_show_now, run_every=class_look.LOOK)()


def _show_now() -> None:
    found = class_look.attendees()
    if not found:
        st.info(
            "Nobody has joined yet. Show them the address and the code.",
            icon=":material/group:",
        )
        return
    here, stuck = sum(one.is_here for one in found), [x for x in found if x.trouble]
    with st.container(horizontal=True, gap="medium"):
        st.metric("Here now", f"{here} of {len(found)}", width="content")
        st.metric("May be stuck", len(stuck), width="content")
        going_on = sum(bool(one.does) for one in found)
        st.metric("Wait or work", going_on, width="content")
    tables.show(
        [_line(one) for one in found],
        hide_index=True,
        column_config={
            "Val accuracy": st.column_config.NumberColumn(format="percent"),
            "May be stuck": st.column_config.TextColumn(width="medium"),
            "Does now": st.column_config.TextColumn(width="medium"),
        },
        placeholder="–",
        alt="The class",
    )
    # Not a row of the table, which is in another order every few seconds.
    by_id = {one.person.id: one for one in found}
    chosen = st.selectbox(
        "Links to the work of",
        list(by_id),
        index=None,
        format_func=lambda one: by_id[one].person.name,
        key="class-links",
    )
    if chosen:
        _show_links(by_id[chosen])


def _line(one: Attendee) -> dict[str, object]:
    return {
        "Name": one.person.name,
        "May be stuck": one.trouble or None,
        "Does now": one.does or None,
        "At the page": one.seen.page if one.seen else None,
        "Seen": amounts.ago(one.ago) if one.seen else "never",
        "Runs": one.runs,
        "Val accuracy": one.best.value if one.best else None,
        "95 % interval": words.span(one.best) if one.best else None,
        "First lesson": f"{len(one.steps)} of {len(STEPS)}",
    }


def _show_links(one: Attendee) -> None:
    """Links to what somebody does, and to the best of theirs."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{shell.escape(one.person.name)}**", width="content")
        for label, run in (("What works now", one.run), ("Best run", one.best_run)):
            if run:
                st.page_link(
                    PAGES / "3_runs.py", label=label, query_params={"run": run}
                )


@st.dialog("Stop everything of the class?")
def confirm_stop() -> None:
    """Asks once more."""
    waiting = attendance.going_on(session.store())
    st.write(
        f"{len(waiting)} of participants' jobs wait or work. Runs keep their best "
        "weights until now, and can be resumed; what waits does not begin. Yours go on."
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        go_on = st.button("Let them go on")
        stop = st.button("Stop all", type="primary", disabled=not waiting)
    if stop:
        stopped = attendance.stop_all(session.store())
        st.toast(f"Asked {stopped} to stop.", icon=":material/stop_circle:")
    if stop or go_on:
        st.rerun()
