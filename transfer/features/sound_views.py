"""Random changes of a spectrogram that keep what was said or heard; never a flip.

They are made on the picture, whose brightness is loudness in dB: so the views of a
sound are kept, and made anew, like those of a photograph.
"""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Levels = NDArray[np.float64]

#: Largest shift in time, as a share of the picture.
_FARTHEST = 0.15
#: Decibels from black to white, and the largest change of gain.
_DECIBELS, _GAIN = 50.0, 6.0
#: Noise is so many decibels below the loudest.
_QUIETEST, _LOUDEST = 45.0, 20.0
#: Masks of each kind, and the largest share of the picture that one covers.
_MASKS, _WIDEST = 2, 0.15


def change(
    pixels: Pixels, augmentations: tuple[str, ...], random: np.random.Generator
) -> Pixels:
    """The spectrogram, changed.

    Args:
        pixels: `(height, width, 3)`; time to the right.
        augmentations: Names out of `config.SOUND_AUGMENTATIONS`.
        random: Numbers are drawn in the order of these names.
    """
    levels = pixels / 255.0
    if "shift" in augmentations:
        levels = _shift(levels, random.uniform(-_FARTHEST, _FARTHEST))
    if "noise" in augmentations:
        levels = _add_noise(levels, random)
    if "gain" in augmentations:
        levels = levels + random.uniform(-_GAIN, _GAIN) / _DECIBELS
    if "masks" in augmentations:
        levels = _mask(levels, random)
    return np.rint(255 * np.clip(levels, 0, 1)).astype(np.uint8)


def _shift(levels: Levels, share: float) -> Levels:
    """Earlier or later, with silence where nothing was."""
    by = round(share * levels.shape[1])
    moved = np.zeros_like(levels)
    source = slice(max(0, -by), levels.shape[1] - max(0, by))
    moved[:, max(0, by) : levels.shape[1] + min(0, by)] = levels[:, source]
    return moved


def _add_noise(levels: Levels, random: np.random.Generator) -> Levels:
    """White noise beside it: powers add up, and that of noise is exponential."""
    below = random.uniform(_LOUDEST, _QUIETEST)
    noise = 10 ** (-below / 10) * random.exponential(size=levels.shape)
    power = 10 ** ((levels - 1) * _DECIBELS / 10) + noise
    return np.asarray(1 + 10 * np.log10(power) / _DECIBELS)


def _mask(levels: Levels, random: np.random.Generator) -> Levels:
    """SpecAugment without warping (Park et al. 2019, https://arxiv.org/abs/1904.08779):
    bands and moments that are not there.
    """
    masked, mean = levels.copy(), levels.mean()
    for axis in (0, 1):
        side = levels.shape[axis]
        for _ in range(_MASKS):
            wide = int(random.uniform(0, _WIDEST) * side)
            start = int(random.integers(0, side - wide + 1))
            covered = [slice(None), slice(None)]
            covered[axis] = slice(start, start + wide)
            masked[tuple(covered)] = mean
    return masked
