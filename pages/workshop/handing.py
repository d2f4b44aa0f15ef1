"""Handing out a dataset and settings to all, and taking them back."""

import streamlit as st

from pages.shared import handed, session, shell
from transfer.advice import effort
from transfer.classroom import handouts
from transfer.config import TrainConfig
from transfer.datasets import names
from transfer.datasets.revision import Revision
from transfer.errors import TransferError
from transfer.people.rule import Sharing

_DEFAULTS = "The defaults"


def show(own: list[Revision]) -> None:
    """The form, and what was handed out.

    Args:
        own: The datasets that may be handed out.
    """
    for one in handouts.visible(session.store()):
        with st.container(horizontal=True, vertical_alignment="center"):
            says = f"**{shell.escape(one.says)}** " if one.says else ""
            st.markdown(f"{says}{handed.in_words(one)}", width="content")
            if st.button("Take it back", key=f"back-{one.id}", type="tertiary"):
                handouts.take_back(session.store(), one.id)
                st.rerun()
    if not own:
        st.caption("You have no dataset yet: bring one on the page Data.")
        return
    _ask([one.dataset for one in own])


def _ask(own: list[str]) -> None:
    runs = {
        run.id: run.name
        for run in session.store().summaries()
        if run.owner == session.actor().id
    }
    with st.form("hand-out", clear_on_submit=True, border=False):
        left, right = st.columns(2)
        dataset = left.selectbox("Dataset", own, format_func=names.title)
        chosen = right.selectbox(
            "Settings",
            [_DEFAULTS, *runs],
            format_func=lambda one: runs.get(one, one),
            help="Those of a run of yours, or of a file below.",
        )
        says = left.text_input("What it is for", max_chars=200)
        file = right.file_uploader("Or a file of “Save settings”", type="json")
        if not st.form_submit_button(
            "Hand it out to all", type="primary", icon=":material/school:"
        ):
            return
    try:
        config = (
            effort.from_file(file.getvalue())
            if file
            else session.store().get(chosen).config
            if chosen in runs
            else effort.of_any_dataset({})
        )
        _hand_out(dataset, config, says)
    except TransferError as error:
        shell.show_error(error)
    else:
        st.rerun()


def _hand_out(dataset: str, config: TrainConfig, says: str) -> None:
    settings = config.model_dump(mode="json")
    handouts.hand_out(session.store(), dataset, settings, says)


def mine() -> list[Revision]:
    """The datasets that whoever looks may share, but for the hidden test set."""
    every = {one.dataset: one for one in session.datasets()}
    return [
        every[one.name]
        for one in session.whole_store().datasets.of(every)
        if session.may("share", one) and one.sharing != Sharing.HIDDEN
    ]
