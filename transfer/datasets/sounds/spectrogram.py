"""Log-mel spectrograms, as librosa computes them, with NumPy alone.

Mel bands and their triangles are Slaney's (Auditory Toolbox, 1998), the default of
librosa.filters.mel; frames are centred on samples, with silence beyond the ends.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Decibels = NDArray[np.float64]

#: Power below which nothing is told apart, librosa's `amin`, in dB.
LEAST_DECIBELS = -100.0
#: Multiplications up to which OpenBLAS works in the thread that asks.
_ALONE = 1 << 18
#: Frames, and bands, that are worked at a time: of a minute all frames take 0.9 GB.
_FRAMES, _BANDS = 256, 8


class Spectrogram(NamedTuple):
    """How the sounds of a dataset are drawn.

    Attributes:
        rate: Samples a second, Hz; all recordings are brought to it, in mono.
        seconds: What one picture shows of a longer sound: its loudest part.
        window: Seconds that one spectrum is taken of (Hann).
        hop: Seconds from one spectrum to the next.
        bands: Number of mel bands.
        low: Lower end of the lowest band, Hz.
        high: Upper end of the highest band, Hz.
        decibels: From the loudest, which is white, down to the floor, which is black.
        finer: How many times as long the window is in green as in red, and in blue as
            in green: the longer, the finer in notes and the coarser in time.
        trims: Both ends are cut off where they are so many decibels quieter than the
            loudest, and what is left fills the picture; 0 shows a shorter sound in the
            middle of silence.
        evens: 1 takes from each band its mean over time, so that no voice or microphone
            is brighter in some bands than another; grey is the mean then.
    """

    rate: int
    seconds: float
    window: float
    hop: float
    bands: int
    low: float
    high: float
    decibels: float
    finer: int = 2
    trims: float = 0.0
    evens: int = 0

    @property
    def samples(self) -> int:
        """Of one picture."""
        return max(1, round(self.seconds * self.rate))

    def of_all(self, seconds: float) -> "Spectrogram":
        """How a recording of so many seconds is drawn from its beginning to its end."""
        return self._replace(seconds=seconds, trims=0.0)


def log_mel(samples: Samples, how: Spectrogram) -> Decibels:
    """The spectrogram `(bands, 1 + samples // hop)` in dB of power, low bands first.

    Args:
        samples: Mono, at `how.rate`.
        how: The parameters.
    """
    window = round(how.window * how.rate)
    hop = max(1, round(how.hop * how.rate))
    size = _transform_size(how)
    padded = np.pad(samples.astype(np.float64), size // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    weights, shape = filters(how, size), _hann(window, size)
    pieces = (frames[at : at + _FRAMES] for at in range(0, len(frames), _FRAMES))
    powers = (np.abs(np.fft.rfft(one * shape)) ** 2 for one in pieces)
    mel = np.concatenate([_in_bands(weights, one) for one in powers], axis=1)
    return np.asarray(10 * np.log10(np.maximum(10 ** (LEAST_DECIBELS / 10), mel)))


def _in_bands(weights: Decibels, power: Decibels) -> Decibels:
    """The power in each band, `(bands, frames)`; a band is of few frequencies."""
    parts = []
    for at in range(0, len(weights), _BANDS):
        some = weights[at : at + _BANDS]
        used = np.flatnonzero(some.any(0))
        inside = slice(used[0], used[-1] + 1) if len(used) else slice(0, 1)
        parts.append(multiply(some[:, inside], power[:, inside].T))
    return np.concatenate(parts)


def multiply(first: Decibels, second: Decibels) -> Decibels:
    """The product of two matrices, by this thread alone.

    Larger ones NumPy gives to threads of its own, and where several sounds are drawn at
    once, these wait for each other: on 2 busy cores a sound took 40 ms in place of 2.
    """
    columns = max(1, _ALONE // first.size)
    pieces = range(0, second.shape[1], columns)
    return np.concatenate(
        [first @ second[:, start : start + columns] for start in pieces], axis=1
    )


def _transform_size(how: Spectrogram) -> int:
    """Samples of the Fourier transform: so many that the narrowest band has some."""
    return int(2 ** np.ceil(np.log2(2 * how.window * how.rate)))


@lru_cache(maxsize=16)
def _hann(window: int, size: int) -> NDArray[np.float64]:
    """The window in the middle of a frame, `(size,)`."""
    rising = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    before = (size - window) // 2
    return np.pad(rising, (before, size - window - before))


@lru_cache(maxsize=16)
def filters(how: Spectrogram, size: int) -> NDArray[np.float64]:
    """What each band takes of each frequency, `(bands, 1 + size // 2)`."""
    mels = np.linspace(to_mel(how.low), to_mel(how.high), how.bands + 2)
    edges = _to_hertz(mels)
    bins = np.arange(1 + size // 2) * how.rate / size
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    # Each band has the same area, so that noise is as bright in all.
    return np.asarray(triangles * (2 / (edges[2:] - edges[:-2]))[:, None])


#: Slaney's scale: even steps up to 1,000 Hz, then even ratios, 27 for a factor of 6.4.
_STEP, _BREAK = 200 / 3, 1000.0
_RATIO = np.log(6.4) / 27


def to_mel(hertz: float) -> float:
    """The place of a frequency on the mel scale."""
    if hertz < _BREAK:
        return hertz / _STEP
    return float(_BREAK / _STEP + np.log(hertz / _BREAK) / _RATIO)


def _to_hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _BREAK * np.exp(_RATIO * (mels - _BREAK / _STEP))
    return np.where(mels < _BREAK / _STEP, mels * _STEP, above)
