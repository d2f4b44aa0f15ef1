"""What is brought, photographs or sounds, and what is asked of sounds alone."""

from typing import Any

import streamlit as st

from transfer.datasets.revision import Kind
from transfer.datasets.sounds import presets

ICONS: dict[Kind, str] = {
    "images": ":material/photo_library:",
    "sounds": ":material/graphic_eq:",
}
_KINDS: dict[Kind, str] = {
    "images": f"{ICONS['images']} Photographs",
    "sounds": f"{ICONS['sounds']} Sounds",
}
#: What is said where there is no dataset.
FOLDERS: dict[Kind, str] = {
    "images": "No dataset yet. Put your photographs into one folder per class, for "
    "example `flowers/roses/…` and `flowers/tulips/…`, and bring the outer folder.",
    "sounds": "No dataset yet. Put your recordings into one folder per class, for "
    "example `words/yes/…` and `words/no/…`, and bring the outer folder.",
}
_KEY = "import-kind"
SAYS = (
    "Recordings in WAV, FLAC, OGG or MP3, one folder per class. Each becomes a "
    "spectrogram, from which the model learns. A class named *background*, of what is "
    "there while nothing is said, keeps a model from hearing words in noise."
)


def kind() -> Kind:
    """What is brought, also before it is asked for."""
    return "sounds" if st.session_state.get(_KEY) == "sounds" else "images"


def ask() -> Kind:
    """What is brought."""
    st.segmented_control(
        "What you bring",
        list(_KINDS),
        default="images",
        required=True,
        format_func=_KINDS.__getitem__,
        label_visibility="collapsed",
        key=_KEY,
    )
    if kind() == "sounds":
        st.caption(SAYS)
    return kind()


def ask_how(key: str) -> dict[str, Any]:
    """How sounds are cut and drawn, as `requests.import_` takes it.

    Args:
        key: Tells the forms of one page apart.
    """
    left, middle, right = st.columns([1, 1, 1.8], vertical_alignment="bottom")
    window = left.number_input(
        "Cut into pieces of seconds",
        min_value=0.0,
        max_value=60.0,
        value=0.0,
        step=0.5,
        help="0 leaves recordings as they are. Pieces of one recording go into one "
        "split together, or val would be too easy.",
        key=f"window-{key}",
    )
    overlap = middle.slider(
        "Pieces overlap by",
        0.0,
        0.9,
        0.0,
        0.1,
        "percent",
        help="What a piece has of the one before it: more pieces to learn from, which "
        "are more alike. Without effect where nothing is cut.",
        key=f"overlap-{key}",
    )
    preset = right.segmented_control(
        "What is told apart",
        ["", *presets.PRESETS],
        default="",
        required=True,
        format_func=lambda one: presets.TITLES.get(one, "by their length").capitalize(),
        wrap=True,
        help="Words change fast and lie below 8 kHz; a bird, an engine or music has "
        "finer notes and changes more slowly. Left as it is, recordings of up to a "
        "second and a half are taken for words.",
        key=f"preset-{key}",
    )
    return {"window": window, "overlap": overlap, "preset": preset or ""}
