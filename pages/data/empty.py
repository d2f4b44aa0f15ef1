"""A dataset that is begun with its classes alone, to be filled bit by bit."""

import streamlit as st

from pages.shared import session, shell
from transfer.datasets import classes, library
from transfer.datasets.revision import Kind, Revision
from transfer.datasets.sounds import presets
from transfer.errors import TransferError

_SAYS: dict[Kind, str] = {
    "images": "Name the classes first, then take pictures of each with the camera, "
    "bring files, or sort a pile of pictures that nobody has labelled.",
    "sounds": "Name the classes first, then record each with the microphone, or bring "
    "files. A class “background”, of what is there while nothing is said, keeps a "
    "model from hearing words in noise.",
}


def ask(kind: Kind) -> Revision | None:
    """Asks for a name and classes, for whoever has a camera or a microphone at hand."""
    st.caption(_SAYS[kind])
    with st.form(f"begin-{kind}", border=False):
        name = st.text_input(
            "Name of the new dataset", max_chars=library.MAX_NAME_LENGTH
        )
        chosen = st.multiselect(
            "Its classes",
            ["background"] if kind == "sounds" else [],
            default=["background"] if kind == "sounds" else [],
            accept_new_options=True,
            placeholder="Type one, Enter",
        )
        heard = None
        if kind == "sounds":
            heard = st.segmented_control(
                "What is told apart",
                list(presets.PRESETS),
                default="word",
                required=True,
                format_func=lambda one: (
                    f"{presets.TITLES[one].capitalize()}, "
                    f"{presets.PRESETS[one].seconds:g} s"
                ),
                help="What a model hears at a time. Longer recordings are cut into "
                "pieces of that length if you like.",
            )
        if not st.form_submit_button("Begin", type="primary"):
            return None
    try:
        kept = session.store().datasets.new(name.strip())
        sound = presets.PRESETS[heard] if heard else None
        begun = classes.begin(kept, chosen, session.who(), sound)
        session.store().datasets.own(begun.dataset, session.actor().id or None)
        return begun
    except TransferError as error:
        shell.show_error(error)
        return None
