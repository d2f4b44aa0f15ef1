"""Long recordings cut into windows, however long they are."""

import io
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from transfer.datasets.sounds import recordings
from transfer.datasets.sounds.recordings import Samples

#: A last window has at least this share of the others' length that is new.
_LEAST_SHARE = 0.25


class Cutting(NamedTuple):
    """How long recordings are cut.

    Attributes:
        window: Seconds of each window; 0 cuts nothing.
        overlap: Share of a window that the next one has too, in [0, 0.9].
    """

    window: float = 0.0
    overlap: float = 0.0


class Window(NamedTuple):
    """A piece of a recording.

    Attributes:
        start: Seconds from the recording's beginning.
        end: Seconds too.
        samples: In mono, at the recording's rate, int16: as a window is stored, so that
            a recording that is gone through is seen as those that were learnt from.
    """

    start: float
    end: float
    samples: NDArray[np.int16]

    @property
    def floats(self) -> Samples:
        """The samples in [-1, 1], as a file of them is read."""
        return np.asarray(self.samples / np.float32(32768), np.float32)


def cut(
    file: soundfile.SoundFile, seconds: float, overlap: float = 0.0
) -> Iterator[Window]:
    """The windows of an opened recording; one for all of it where it is shorter.

    The last may be shorter than the others. Only some blocks are in memory at a time.

    Args:
        file: The recording; read from where it stands.
        seconds: Length of each window.
        overlap: Share of it that the next one has too, in [0, 0.9].
    """
    rate = file.samplerate
    count = max(1, round(seconds * rate))
    step = max(1, round(count * (1 - overlap)))
    kept, start = np.empty(0, np.float32), 0
    for block in recordings.blocks(file):
        kept, at = np.concatenate([kept, block]), 0
        while at + count <= len(kept):
            yield _window(kept[at : at + count], start + at, rate)
            at += step
        # Past its end where the step is longer than what is left.
        kept, start = kept[at:], start + at
    new = len(kept) - (count - step if start else 0)
    if new > 0 and (not start or new >= _LEAST_SHARE * count):
        yield _window(kept, start, rate)


def encode(window: Window, rate: int) -> bytes:
    """A window as it is stored: FLAC of 16 bits."""
    buffer = io.BytesIO()
    soundfile.write(buffer, window.samples, rate, "PCM_16", format="FLAC")
    return buffer.getvalue()


def _window(samples: Samples, start: int, rate: int) -> Window:
    stored = np.rint(samples * 32767).astype(np.int16)
    return Window(start / rate, (start + len(samples)) / rate, stored)
