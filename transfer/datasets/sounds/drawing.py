"""The one function that makes a picture of a recording, in app and export alike."""

from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from transfer.datasets.sounds import recordings
from transfer.datasets.sounds.spectrogram import (
    LEAST_DECIBELS,
    Samples,
    Spectrogram,
    log_mel,
    multiply,
)

Pixels = np.ndarray[Any, np.dtype[np.uint8]]

#: How many times as long the window is in red, green and blue: the longer, the finer in
#: notes and the coarser in time. On val of spoken digits, speakers mixed, a head in
#: closed form was right of 0.955, and of 0.945 with one window in all three.
FACTORS = (1, 2, 4)


def draw(
    source: Path | bytes | BinaryIO, size: tuple[int, int], how: Spectrogram
) -> Pixels:
    """A recording as uint8 `(height, width, 3)`: time to the right, low notes below.

    Args:
        source: A file, its bytes, or a binary stream that can seek.
        size: `(height, width)` in pixels.
        how: The parameters of the spectrogram.

    Raises:
        SoundError: It is no sound, damaged, without a sample, or too long.
    """
    return draw_samples(recordings.read(source, how.rate), size, how)


def draw_samples(samples: Samples, size: tuple[int, int], how: Spectrogram) -> Pixels:
    """As `draw`, of samples in mono at the spectrogram's rate."""
    piece = _piece(samples, how.samples)
    channels = [
        _shades(piece, size, how._replace(window=factor * how.window))
        for factor in FACTORS
    ]
    return np.stack(channels, axis=2)


def _shades(piece: Samples, size: tuple[int, int], how: Spectrogram) -> Pixels:
    """One spectrogram, uint8 `(height, width)`."""
    level = log_mel(piece, how)
    # Only so far is a quiet sound made brighter: silence stays black, and a pause in a
    # recording nearly so.
    loudest = max(float(level.max()), LEAST_DECIBELS + how.decibels)
    shades = np.clip((level - loudest) / how.decibels + 1, 0, 1)
    height, width = size
    rows, columns = level.shape
    low = multiply(_weights(rows, height), shades[::-1])
    small = multiply(low, _weights(columns, width).T)
    return np.rint(255 * small).astype(np.uint8)


def _piece(samples: Samples, count: int) -> Samples:
    """So many samples: between silence what is shorter, of what is longer the loudest.

    Its middle would miss a word that was said at the end.
    """
    missing = count - len(samples)
    if missing >= 0:
        return np.pad(samples, (missing // 2, missing - missing // 2))
    energy = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    start = int(np.argmax(energy[count:] - energy[:-count]))
    return samples[start : start + count]


@lru_cache(maxsize=32)
def _weights(old: int, new: int) -> NDArray[np.float64]:
    """What each new row takes of the old ones, `(new, old)`: antialiased bilinear."""
    scale = old / new
    reach = max(1.0, scale)
    centres = (np.arange(new) + 0.5)[:, None] * scale
    away = np.abs(np.arange(old) + 0.5 - centres) / reach
    weights = np.maximum(0, 1 - away)
    return np.asarray(weights / weights.sum(1, keepdims=True))
