"""Samples at another rate: a windowed sinc, one phase after another."""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

#: Zero crossings of the sinc on either side, and the shape of its Kaiser window: what
#: is above the new rate's half is some 80 dB lower.
_CROSSINGS, _BETA = 32, 8.0
#: Where the filter falls off, as a share of the lower rate's half.
_ROLL_OFF = 0.94


def resample(samples: Samples, rate: int, wanted: int) -> Samples:
    """The samples at another rate, float32 `(ceil(samples * wanted / rate),)`.

    Args:
        samples: `(samples,)`.
        rate: Their rate in Hz.
        wanted: The other one.
    """
    if rate == wanted or not len(samples):
        return samples
    shared = math.gcd(rate, wanted)
    up, down = wanted // shared, rate // shared
    kernel, before = _kernel(up, down)
    taps = kernel.shape[1]
    count = -(-len(samples) * up // down)
    padded = np.pad(samples.astype(np.float32), (before, taps + down))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, taps)
    out = np.empty(count, np.float32)
    # Output n lies at input n * down / up: those that share a phase are `up` apart, and
    # so `down` apart in what they read.
    for first in range(min(up, count)):
        at, phase = divmod(first * down, up)
        number = -(-(count - first) // up)
        rows = pieces[at : at + number * down : down][:number]
        out[first::up] = rows @ kernel[phase]
    return out


@lru_cache(maxsize=32)
def _kernel(up: int, down: int) -> tuple[Samples, int]:
    """The filter of each phase `(up, taps)`, and how many taps lie before a sample."""
    width = max(1.0, down / up)  # in samples of the input
    half = math.ceil(_CROSSINGS * width)
    offsets = np.arange(-half, half + 1) - np.arange(up)[:, None] / up
    inside = np.clip(1 - (offsets / (half + 1)) ** 2, 0, None)
    window = np.i0(_BETA * np.sqrt(inside)) / np.i0(_BETA)
    cut = _ROLL_OFF / width
    kernel = cut * np.sinc(cut * offsets) * window
    kernel /= kernel.sum(1, keepdims=True)  # a constant stays what it was
    return kernel.astype(np.float32), half
