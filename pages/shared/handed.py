"""What the instructor has handed out: seen, and started with one click."""

from pathlib import Path

import streamlit as st

from pages.shared import session, shell, words
from transfer.classroom import handouts
from transfer.datasets import names
from transfer.errors import TransferError
from transfer.store.classroom import Handout

_PAGES = Path(__file__).resolve().parents[1]
#: The newest ones; what came before was for another hour.
_MOST = 2


def show() -> None:
    """The newest of it; nothing for who hands out."""
    if session.teaches():
        return
    for one in handouts.visible(session.store())[:_MOST]:
        with st.container(border=True, key=f"handed-{one.id}"):
            _show(one)


def _show(one: Handout) -> None:
    says = f": {shell.escape(one.says)}" if one.says else ""
    st.markdown(f":material/school: **From your instructor**{says}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(in_words(one), width="content")
        if st.button(
            "Start it",
            icon=":material/play_arrow:",
            type="primary",
            key=f"start-{one.id}",
        ):
            _start(one)
        st.page_link(
            _PAGES / "2_model.py",
            label="See it first",
            icon=":material/arrow_forward:",
            query_params={
                "dataset": one.dataset,
                **{name: str(value) for name, value in one.settings.items()},
            },
        )


def in_words(one: Handout) -> str:
    """Its dataset and settings, in Markdown."""
    pairs = (words.of_setting(name, value) for name, value in one.settings.items())
    name = names.title(one.dataset)
    told = [f"Dataset: {name}", *(f"{label}: {value}" for label, value in pairs)]
    return shell.escape(" · ".join(told))


def _start(one: Handout) -> None:
    try:
        run = handouts.start(session.store(), one)
    except TransferError as error:
        shell.show_error(error)
    else:
        st.switch_page(_PAGES / "3_runs.py", query_params={"run": run.id})
