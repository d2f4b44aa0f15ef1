"""The places of a picture or recording that speak for a class."""

from pathlib import Path

import streamlit as st

from pages.shared import axes, remembered, session
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.store.record import Run


def show(run: Run, content: bytes | Path, key: str, class_name: str, alt: str) -> None:
    """The picture with the evidence on it; of a recording its spectrogram.

    Args:
        run: Whose evidence it is.
        content: The encoded picture or recording, or its file.
        key: Names it among all others.
        class_name: The class.
        alt: What is to be seen, for who cannot see it.
    """

    def explain() -> bytes:
        session.spend("predict")
        return session.inference().explain(run.id, content, class_name)

    with st.spinner("Looking for the evidence; the first takes some seconds."):
        png = remembered.ask(("heat", run.model_id, key, class_name), explain)
    if not png:
        return
    if isinstance(run.rendering, Spectrogram):
        axes.show(png, run.rendering, alt, content)
    else:
        # As it is: Streamlit would make a JPEG of it once more.
        st.image(png, alt=alt, width="stretch", output_format="PNG")
