"""Random changes of a spectrogram that keep what was said or heard; never a flip.

They are made on the picture, whose brightness is loudness in dB: so the views of a
sound are kept, and made anew, like those of a photograph. Where each band's mean was
taken from it, loudness is told from that mean, 25 dB below white: noise is as loud in a
band as the sound is there, and gain is that of the sound against its own mean.
"""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Levels = NDArray[np.float64]

#: Largest factor on the height of a voice, and what is added or taken at either end of
#: the time, as a share of all.
_HIGHEST, _PACE = 1.18, 0.12
#: Largest shift in time, as a share of the picture.
_FARTHEST = 0.15
#: Decibels from black to white, and the largest change of gain.
_DECIBELS, _GAIN = 50.0, 6.0
#: Noise is so many decibels below white.
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
    if "voice" in augmentations:
        levels = _speak(levels, random)
    if "shift" in augmentations:
        levels = _shift(levels, random.uniform(-_FARTHEST, _FARTHEST))
    if "noise" in augmentations:
        levels = _add_noise(levels, random)
    if "gain" in augmentations:
        levels = levels + random.uniform(-_GAIN, _GAIN) / _DECIBELS
    if "masks" in augmentations:
        levels = _mask(levels, random)
    return np.rint(255 * np.clip(levels, 0, 1)).astype(np.uint8)


def _speak(levels: Levels, random: np.random.Generator) -> Levels:
    """As a voice of another pitch and pace: notes scaled from the lowest on, and time.

    Vocal tract length perturbation (Jaitly and Hinton 2013) on the picture: who speaks
    is known by where the formants lie, what is said by how they move.
    """
    rows, columns = levels.shape[:2]
    notes = np.arange(rows)[::-1] * random.uniform(1 / _HIGHEST, _HIGHEST)
    before, behind = random.uniform(-_PACE, _PACE, 2)
    times = np.linspace(before, 1 + behind, columns) * (columns - 1)
    spoken = _sample(levels, rows - 1 - notes)
    return _sample(spoken.swapaxes(0, 1), times).swapaxes(0, 1)


def _sample(levels: Levels, at: NDArray[np.float64]) -> Levels:
    """The rows at these places; beyond the ends it is as there."""
    below = np.clip(np.floor(at), 0, len(levels) - 2).astype(int)
    share = np.clip(at - below, 0, 1)[:, None, None]
    return np.asarray(levels[below] * (1 - share) + levels[below + 1] * share)


def _shift(levels: Levels, share: float) -> Levels:
    """Earlier or later; where nothing was it is as quiet as at that end."""
    columns = levels.shape[1]
    source = np.clip(np.arange(columns) - round(share * columns), 0, columns - 1)
    return levels[:, source]


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
