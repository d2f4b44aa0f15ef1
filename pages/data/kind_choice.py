"""What is brought, photographs or sounds, and what is asked of sounds alone."""

import streamlit as st

from transfer.datasets.revision import Kind

_KINDS: dict[Kind, str] = {
    "images": ":material/photo_library: Photographs",
    "sounds": ":material/graphic_eq: Sounds",
}
SAYS = (
    "Recordings in WAV, FLAC, OGG or MP3, one folder per class. Each becomes a "
    "spectrogram, from which the model learns. A class named *background*, of what is "
    "there while nothing is said, keeps a model from hearing words in noise."
)


def ask() -> Kind:
    """What is brought."""
    chosen = st.segmented_control(
        "What you bring",
        list(_KINDS),
        default="images",
        required=True,
        format_func=_KINDS.__getitem__,
        label_visibility="collapsed",
        key="import-kind",
    )
    if chosen != "sounds":
        return "images"
    st.caption(SAYS)
    return "sounds"


def ask_window(key: str) -> float:
    """Seconds of the windows that long recordings are cut into; 0 for none.

    Args:
        key: Tells the forms of one page apart.
    """
    return float(
        st.number_input(
            "Cut long recordings into windows of so many seconds",
            min_value=0.0,
            max_value=60.0,
            value=0.0,
            step=0.5,
            help="0 leaves recordings as they are. Windows of one recording go into "
            "one split together, or val would be too easy.",
            key=f"window-{key}",
        )
    )
