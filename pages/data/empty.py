"""A dataset that is begun with its classes alone, for the camera or a pile to fill."""

import streamlit as st

from pages.shared import session, shell
from transfer.datasets import classes, library
from transfer.datasets.revision import Revision
from transfer.errors import TransferError


def ask() -> Revision | None:
    """Asks for a name and classes, for whoever has a camera or unsorted pictures."""
    st.caption(
        "Name the classes first, then take pictures of each with the camera, bring "
        "files, or sort a pile of pictures that nobody has labelled."
    )
    with st.form("begin-empty", border=False):
        name = st.text_input(
            "Name of the new dataset", max_chars=library.MAX_NAME_LENGTH
        )
        chosen = st.multiselect(
            "Its classes", [], accept_new_options=True, placeholder="Type one, Enter"
        )
        if not st.form_submit_button("Begin", type="primary"):
            return None
    try:
        kept = session.store().datasets.new(name.strip())
        begun = classes.begin(kept, chosen, session.who())
        session.store().datasets.own(begun.dataset, session.actor().id or None)
        return begun
    except TransferError as error:
        shell.show_error(error)
        return None
