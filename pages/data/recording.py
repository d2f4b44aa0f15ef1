"""What is recorded in the browser, for a class: a word, or minutes of background."""

import io
import time
from pathlib import Path

import soundfile
import streamlit as st

from pages.shared import microphone, session
from transfer.datasets.ingest import uploads
from transfer.datasets.ingest.frames import Piece
from transfer.datasets.sounds import segments

#: Not `recordings`, which is the key of the uploader on Predict.
_LAST = "recordings-made"


def ask(dataset: str, seconds: float, into: str) -> tuple[bytes, float | None]:
    """A recording that is to be added, and what it is cut into.

    Args:
        dataset: Name of the dataset.
        seconds: What its models hear at a time.
        into: The class that was chosen; empty for none.

    Returns:
        A WAV, empty until somebody wants to add it; seconds of its pieces, 0 for whole,
        None where it is so short that nobody was asked.
    """
    key = f"recorded-{dataset}-{st.session_state.get(_LAST, 0)}"
    taken = microphone.record(
        f"Record into {into}" if into else "Record",
        key,
        "A word at a time, or some seconds at once, cut into pieces.",
    )
    if not taken:
        return b"", None
    length, window = _seconds(taken), None
    if segments.is_gone_through(length, seconds):
        cuts = st.toggle(
            f"Cut its {length:.1f} s into pieces of {seconds:g} s",
            value=True,
            key=f"cut-{key}",
            help="What a model hears at a time. Uncut, the loudest part alone counts.",
        )
        window = seconds if cuts else 0.0
    if not into:
        st.caption("Choose the class above, then it can be added.")
    does = st.button(
        f"Add it to {into}" if into else "Add it",
        type="primary",
        icon=":material/mic:",
        disabled=not into,
        key=f"add-{key}",
    )
    return (taken, window) if does else (b"", None)


def begin_anew() -> None:
    """The next look begins without what was recorded last."""
    st.session_state[_LAST] = st.session_state.get(_LAST, 0) + 1


def keep(recorded: bytes) -> tuple[Path, str]:
    """Where a job finds what was recorded, and the upload to let go afterwards."""
    upload = uploads.start(session.actor().id)
    # By the second, so that a second recording has another name.
    name = f"recorded {time.strftime('%Y-%m-%d %H.%M.%S')}.wav"
    size = len(recorded)
    piece = Piece(path=name, offset=0, total=size, content=recorded)
    uploads.store(upload, [piece])
    return uploads.source(upload), upload


def _seconds(wav: bytes) -> float:
    with soundfile.SoundFile(io.BytesIO(wav)) as file:
        return float(file.frames / file.samplerate)
