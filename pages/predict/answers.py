"""What the inference process says of pictures and recordings, asked once and kept."""

import hashlib
import time
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from pages.shared import remembered, session, shell
from transfer.datasets import away
from transfer.datasets.sounds.recordings import MAX_SECONDS
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.errors import ImageError, TransferError
from transfer.prediction.client import Ranking
from transfer.prediction.recordings import Heard
from transfer.store.record import Run

#: Answers that are kept beyond those on the page, for who goes back to another run or
#: picture.
KEPT = 50
#: Pixels of the longest side of a picture on the page.
SIDE = 512


class Picture(NamedTuple):
    """A picture to ask about.

    Attributes:
        name: What it is called, or its path in a folder or zip.
        content: The encoded picture, or a file on the server.
        key: Names it among all others: by its bytes, or by its path.
    """

    name: str
    content: bytes | Path
    key: str

    @classmethod
    def of(cls, name: str, content: bytes | Path) -> "Picture":
        """The picture with its key."""
        if isinstance(content, bytes):
            return cls(name, content, hashlib.sha256(content).hexdigest())
        return cls(name, content, str(content))

    def read(self) -> bytes:
        """The encoded picture."""
        content = self.content
        return content if isinstance(content, bytes) else content.read_bytes()


class Said(NamedTuple):
    """What the model said of one picture, or why it could not.

    Attributes:
        thumbnail: A small JPEG; of a recording its spectrogram, if it is not too long.
        ranking: Classes with their probabilities, best first.
        seconds: That the answer took.
        error: Why there is none.
        heard: Of a recording what is heard when.
    """

    thumbnail: bytes = b""
    ranking: Ranking = []  # noqa: RUF012
    seconds: float = 0.0
    error: str = ""
    heard: Heard | None = None

    @property
    def is_whole(self) -> bool:
        """Whether all of it was looked at, or heard, at once."""
        return self.heard is None or len(self.heard.segments) == 1


def answer(run: Run, picture: Picture) -> Said:
    """What the model says of the picture; asked once for the same bytes."""
    answers: dict[str, Said] = st.session_state.setdefault("answers", {})
    key = f"{run.model_id}-{picture.key}"
    if key in answers:
        answers[key] = answers.pop(key)  # the last used stand last
    else:
        try:
            answers[key] = _ask(run, picture)
        except ImageError as error:
            said = shell.escape(f"{picture.name}: {error}")
            answers[key] = Said(error=said)
        except TransferError as error:  # may go away, so it is not kept
            return Said(error=shell.escape(str(error)))
    return answers[key]


def forget_oldest(shown: int) -> None:
    """Drops the answers that were shown longest ago.

    Args:
        shown: Number of answers on the page, which stay.
    """
    answers: dict[str, Said] = st.session_state.get("answers", {})
    for key in list(answers)[: -(shown + KEPT)]:
        del answers[key]


def _ask(run: Run, picture: Picture) -> Said:
    session.spend("predict")
    if isinstance(run.rendering, Spectrogram):
        return _ask_about_sound(run, run.rendering, picture)
    thumbnail = away.encode_thumbnail(picture.content, SIDE, run.rendering)
    # Only the model's time: the small picture is for the page.
    start = time.perf_counter()
    (ranking,) = session.inference().predict(run.id, [picture.content])
    return Said(thumbnail, ranking, time.perf_counter() - start)


def _ask_about_sound(run: Run, how: Spectrogram, sound: Picture) -> Said:
    start = time.perf_counter()
    heard = session.inference().hear(run.id, sound.content)
    seconds, thumbnail = time.perf_counter() - start, b""
    if heard.segments[-1].end <= MAX_SECONDS:
        # Of one that was gone through all of it, above what is heard when.
        whole = how.of_all(heard.segments[-1].end) if len(heard.segments) > 1 else how
        thumbnail = away.encode_thumbnail(sound.content, SIDE, whole)
    return Said(thumbnail, heard.ranking, seconds, heard=heard)


def nearest(run: Run, picture: Picture) -> list[dict[str, Any]] | None:
    """The training images that are most like the picture, see `training_images`."""
    return remembered.ask(
        ("nearest", run.model_id, picture.key),
        lambda: session.inference().nearest(run.id, picture.content),
    )
