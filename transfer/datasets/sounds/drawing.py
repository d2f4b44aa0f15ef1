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

#: Seconds of the frames that tell where a sound begins and ends, and how many are kept
#: beyond: a soft consonant is quieter than what is trimmed.
_FRAME, _BEYOND = 0.010, 2


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
    start, end = bounds(samples, how)
    beyond = max(0, -start), max(0, end - len(samples))
    piece = np.pad(samples[max(0, start) : end], beyond)
    drawn = {
        factor: _shades(piece, size, how._replace(window=factor * how.window))
        for factor in {how.finer**channel for channel in range(3)}
    }
    return np.stack([drawn[how.finer**channel] for channel in range(3)], axis=2)


def bounds(samples: Samples, how: Spectrogram) -> tuple[int, int]:
    """Where in a recording its picture begins and ends, in samples.

    What is shorter stands in the middle of silence, beyond the recording; of what is
    longer it is the loudest part: its middle would miss a word that was said at the
    end.
    """
    first, last = _trim(samples, how)
    # Of what fills the picture no silence is made; the shortest has one spectrum.
    count = max(1, min(how.samples, last - first) if how.trims else how.samples)
    if (missing := count - (last - first)) >= 0:
        start = first - missing // 2
    else:
        heard = samples[first:last].astype(np.float64)
        energy = np.concatenate([[0.0], np.cumsum(heard**2)])
        start = first + int(np.argmax(energy[count:] - energy[:-count]))
    return start, start + count


def _trim(samples: Samples, how: Spectrogram) -> tuple[int, int]:
    """From where it begins to be heard until it no longer is."""
    frame = max(1, round(_FRAME * how.rate))
    count = len(samples) // frame
    if not (how.trims and count):
        return 0, len(samples)
    energy = (samples[: count * frame].astype(np.float64) ** 2).reshape(count, frame)
    mean = energy.mean(1)
    loud = np.flatnonzero(mean >= mean.max() * 10 ** (-how.trims / 10))
    first, last = max(0, loud[0] - _BEYOND), loud[-1] + 1 + _BEYOND
    return int(first * frame), int(min(last * frame, len(samples)))


def _shades(piece: Samples, size: tuple[int, int], how: Spectrogram) -> Pixels:
    """One spectrogram, uint8 `(height, width)`."""
    level = log_mel(piece, how)
    # Only so far is a quiet sound made brighter: silence stays black, and a pause in a
    # recording nearly so.
    loudest = max(float(level.max()), LEAST_DECIBELS + how.decibels)
    shades = np.clip((level - loudest) / how.decibels + 1, 0, 1)
    if how.evens:
        shades = np.clip(shades - shades.mean(1, keepdims=True) + 0.5, 0, 1)
    height, width = size
    rows, columns = level.shape
    low = multiply(_weights(rows, height), shades[::-1])
    small = multiply(low, _weights(columns, width).T)
    return np.rint(255 * small).astype(np.uint8)


@lru_cache(maxsize=32)
def _weights(old: int, new: int) -> NDArray[np.float64]:
    """What each new row takes of the old ones, `(new, old)`: antialiased bilinear."""
    scale = old / new
    reach = max(1.0, scale)
    centres = (np.arange(new) + 0.5)[:, None] * scale
    away = np.abs(np.arange(old) + 0.5 - centres) / reach
    weights = np.maximum(0, 1 - away)
    return np.asarray(weights / weights.sum(1, keepdims=True))
