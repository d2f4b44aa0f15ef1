"""The leaderboard, and handing in a run to be judged by the hidden test set."""

import streamlit as st

from pages.shared import job_progress, session, shell, tables, words
from pages.shared.words import spoken
from transfer.classroom import board, hidden
from transfer.classroom.board import Standing
from transfer.errors import TransferError
from transfer.store.classroom import HAND_IN, HandIn
from transfer.store.record import Run

#: Seconds between two looks at a run that is being judged.
_LOOK = 2.0
_MAY_BE_LUCK = (
    "Accuracy on {pictures} that nobody in the class can see, the best of each one's "
    "tries, with its 95 % interval. Where intervals overlap, the order may be luck."
)


def offer(run: Run) -> None:
    """Hands in a run of one's own, and shows the leaderboard; where there is one."""
    if session.teaches() or not run.owner or not run.result.get("class_names"):
        return
    test_set = hidden.current(session.store())
    if test_set is None or run.owner != session.actor().id:
        return
    revision = test_set.revision.id
    mine = session.store().classroom.newest(run.id, revision)
    tries = session.store().classroom.tries(revision, run.owner)
    with st.expander("Leaderboard", icon=":material/trophy:", expanded=bool(mine)):
        _show_own(run, mine, len(tries))
        show(board.standings(session.store()))


def show(standings: list[Standing]) -> None:
    """The leaderboard as a table."""
    if not standings:
        st.caption("Nobody has handed in a run yet.")
        return
    tables.show(
        {
            "Rank": [one.rank for one in standings],
            "Name": [one.name for one in standings],
            "Accuracy": [one.best.value for one in standings],
            "95 % interval": [words.span(one.best) for one in standings],
            "Run": [one.called for one in standings],
            "Tries": [f"{one.tries} of {hidden.TRIES}" for one in standings],
        },
        hide_index=True,
        column_config={
            "Rank": st.column_config.NumberColumn(width="small"),
            "Accuracy": st.column_config.NumberColumn(format="percent"),
        },
        alt="Leaderboard",
    )
    st.caption(spoken().fill(_MAY_BE_LUCK))


def _show_own(run: Run, mine: HandIn | None, tries: int) -> None:
    if mine and mine.accuracy is not None:
        st.markdown(f"This run: **{mine.accuracy:.1%}** on the hidden test set.")
        return
    job = session.store().find(HAND_IN, mine.subject) if mine else None
    if mine and job_progress.goes_on(job):
        st.fragment(_wait, run_every=_LOOK)(mine)
        return
    if job and job.error:
        said = job.error
        shell.show_error(TransferError(said["message"], said["hint"]))
    _offer(run, tries)


def _offer(run: Run, tries: int) -> None:
    left = hidden.TRIES - tries
    st.caption(
        f"The run is judged on {spoken().pictures} that nobody in the class can see; "
        f"only its accuracy comes back. You have {left} of {hidden.TRIES} tries left: "
        "with many, one could learn the labels from the answers."
    )
    if left > 0 and st.button("Hand in this run", icon=":material/upload:"):
        try:
            hidden.hand_in(session.store(), run.id)
        except TransferError as error:
            shell.show_error(error)
        else:
            st.rerun()


def _wait(entry: HandIn) -> None:
    if not job_progress.goes_on(session.store().find(HAND_IN, entry.subject)):
        st.rerun()
    st.caption(":material/hourglass_top: Handed in; it is being judged …")
