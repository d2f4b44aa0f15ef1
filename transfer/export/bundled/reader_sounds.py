"""Reads recordings as they were read for training, with NumPy and soundfile alone.

All of it lies in sounds/. A recording of more than one and a half windows is gone
through window by window, each overlapping half of the next; of others the loudest part
is looked at.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sounds import (  # type: ignore[import-not-found]
    drawing,
    recordings,
    resampling,
    segments,
    windows,
)
from sounds.spectrogram import Spectrogram  # type: ignore[import-not-found]

Pixels = np.ndarray[Any, np.dtype[np.float32]]


class Reader:
    """Makes of a file what the model takes.

    Args:
        described: What model.json says.
    """

    def __init__(self, described: dict[str, Any]) -> None:
        self._size = tuple(described["input"]["shape"][1:3])
        self._how = Spectrogram(**described["preprocessing"]["spectrogram"])

    def parts(self, path: Path) -> Iterator[tuple[tuple[float, float], Pixels]]:
        """Start and end of each part, and float32 `(1, height, width, 3)`, 0 to 255."""
        how = self._how
        with recordings.open_recording(path) as file:
            length = recordings.seconds(file)
            if not segments.is_gone_through(length, how.seconds):
                yield (0.0, length), self._take(drawing.draw(path, self._size, how))
                return
            for one in windows.cut(file, how.seconds, segments.OVERLAP):
                samples = resampling.resample(one.floats, file.samplerate, how.rate)
                drawn = drawing.draw_samples(samples, self._size, how)
                yield (one.start, one.end), self._take(drawn)

    def tell(
        self, times: list[tuple[float, float]], rows: Pixels, names: list[str]
    ) -> dict[str, Any]:
        """What is heard when."""
        found = [
            {
                "start": round(one.start, 3),
                "end": round(one.end, 3),
                "class_name": names[one.label],
                "probability": one.probability,
            }
            for one in segments.join(times, rows)
        ]
        return {"segments": found}

    def _take(self, pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> Pixels:
        return np.asarray(pixels, np.float32)[None]
