"""The hidden test set: which dataset it is, and the leaderboard."""

from pathlib import Path

import streamlit as st

from pages.shared import leaderboard, session, shell, words
from pages.shared.words import spoken
from transfer.classroom import board, hidden
from transfer.datasets import names
from transfer.datasets.revision import Revision
from transfer.errors import TransferError

PAGES = Path(__file__).resolve().parents[1]
#: Seconds between two looks at the leaderboard.
_LOOK = 5.0


def show(own: list[Revision]) -> None:
    """What is hidden, or the choice of a dataset.

    Args:
        own: The datasets that may be hidden.
    """
    now = hidden.current(session.store())
    if now is None:
        _ask(own)
        return
    words.speak_of(now.revision.kind)
    with st.container(horizontal=True, vertical_alignment="center"):
        count, classes = len(now.revision.images), ", ".join(now.classes)
        st.markdown(
            f"**{shell.escape(now.revision.title)}**, {count:,} {spoken().pictures} "
            f"of {shell.escape(classes)}. Each may hand in {hidden.TRIES} runs.",
            width="content",
        )
        if st.button("Hide it no more", type="tertiary"):
            _hide("")
    st.fragment(_show_board, run_every=_LOOK)()
    st.page_link(PAGES / "9_projector.py", label="Open the view for the projector")


def _show_board() -> None:
    leaderboard.show(board.standings(session.store()))


def _ask(own: list[Revision]) -> None:
    st.caption(
        "Participants hand in runs, which are judged on it. Its files "
        "and labels stay with you: only an accuracy with its interval comes back, "
        f"{hidden.TRIES} times for each at most. The classes are matched by name."
    )
    if not own:
        st.caption("You have no dataset that could be hidden.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Dataset",
            [one.dataset for one in own],
            format_func=names.title,
            key="to-hide",
        )
        if st.button("Make it the hidden test set", icon=":material/visibility_off:"):
            _hide(str(name))


def _hide(name: str) -> None:
    try:
        hidden.hide(session.store(), name)
    except TransferError as error:
        shell.show_error(error)
    else:
        st.rerun()
