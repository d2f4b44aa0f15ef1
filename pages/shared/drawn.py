"""How a dataset's sounds become pictures: one of them, heard, seen and explained."""

import streamlit as st

from pages.shared import addresses, axes, players, shell
from transfer.datasets import library
from transfer.datasets.revision import Revision
from transfer.datasets.sounds import presets
from transfer.datasets.sounds.spectrogram import Spectrogram

_NEXT = "drawn"


def show(revision: Revision) -> None:
    """The fold; nothing for a dataset of images, or an empty one."""
    how = revision.sound
    if not how or not revision.images:
        return
    with st.expander(
        "How a recording becomes what the model sees", icon=":material/graphic_eq:"
    ):
        number = st.session_state.get(_NEXT, 0) % len(revision.images)
        one = revision.images[number]
        left, right = st.columns([1, 1.3], gap="medium")
        with left:
            address = addresses.thumbnail(one.sha256, revision)
            axes.show(address, how, one.path, library.image_path(one.sha256))
            st.html(players.below(one.sha256, revision))
            st.caption(
                f"{shell.escape(one.path)} · "
                f"{shell.escape(revision.class_names[one.label])}"
            )
            st.button("Another recording", icon=":material/shuffle:", on_click=_turn)
        right.markdown(in_words(how))


def in_words(how: Spectrogram) -> str:
    """The parameters, in Markdown."""
    return (
        "A log-mel spectrogram: time to the right, pitch upwards, bright where it is "
        "loud. The same is drawn in training, in predictions and by an exported "
        "model.\n\n"
        f"- Mono, **{how.rate:,} samples a second**.\n"
        f"- A spectrum of **{1000 * how.window:g} ms**, every **{1000 * how.hop:g} "
        "ms**.\n"
        f"- **{how.bands} bands** from {how.low:g} to {how.high:,g} Hz, as the ear "
        "tells pitches apart (mel).\n"
        f"- **{how.decibels:g} dB** from the loudest, bright, to the floor, dark.\n"
        + "".join(f"- {sentence}\n" for sentence in presets.in_words(how))
    )


def _turn() -> None:
    # A step that shares no factor with most numbers, so that classes change.
    st.session_state[_NEXT] = st.session_state.get(_NEXT, 0) + 7919
