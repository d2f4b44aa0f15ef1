"""Where in a spectrogram seconds and frequencies lie, for people who look at it."""

import math
from pathlib import Path

from transfer.datasets.sounds import drawing, recordings
from transfer.datasets.sounds.spectrogram import Spectrogram, to_mel

#: Frequencies that are told, Hz, as far as they are shown.
_HERTZ = (125, 250, 500, 1000, 2000, 4000, 8000, 16000)
#: Steps between the seconds that are told, the smallest that gives few enough.
_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
_MOST = 6


def frequencies(how: Spectrogram) -> list[tuple[int, float]]:
    """Frequencies in Hz, and how far up each lies: 0 at the bottom, 1 at the top."""
    low, high = to_mel(how.low), to_mel(how.high)
    # The lowest and the highest band have half of their triangles beyond the picture.
    step = (high - low) / (how.bands + 1)
    places = [(to_mel(one) - low - step / 2) / (how.bands * step) for one in _HERTZ]
    return [(one, at) for one, at in zip(_HERTZ, places, strict=True) if 0 <= at <= 1]


def span(source: Path | bytes, how: Spectrogram) -> tuple[float, float]:
    """At which seconds of a recording its picture begins and ends.

    A shorter one stands in silence, so that the picture may begin before it.

    Raises:
        SoundError: It cannot be read, or is too long.
    """
    start, end = drawing.bounds(recordings.read(source, how.rate), how)
    return start / how.rate, end / how.rate


def times(start: float, end: float) -> list[tuple[float, float]]:
    """Round seconds between these, and how far to the right each lies, from 0 to 1."""
    length = max(end - start, 1e-6)
    step = next((x for x in _STEPS if length / x <= _MOST), _STEPS[-1])
    first, last = math.ceil(start / step - 1e-6), math.floor(end / step + 1e-6)
    return [(at * step, (at * step - start) / length) for at in range(first, last + 1)]
