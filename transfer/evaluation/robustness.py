"""Changes that spoil a picture, to see how much of it a classifier can bear.

After Hendrycks and Dietterich 2019, https://arxiv.org/abs/1903.12261, in small: five
kinds at three strengths, made on the picture as the model sees it. Spectrograms are
spoilt as sounds are: brightness is loudness in dB there.
"""

import io
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]

#: From black to white in a spectrogram.
_DECIBELS = 50.0


class Kind(NamedTuple):
    """One way to spoil a picture.

    Attributes:
        strengths: Three, from weak to strong.
        change: The picture `(height, width, 3)` so spoilt, of the same size; takes the
            picture, the strength, and a seed where chance plays a part.
    """

    strengths: tuple[float, float, float]
    change: Callable[[Pixels, float, int], Pixels]


def _blur(pixels: Pixels, strength: float, seed: int) -> Pixels:
    # A share of the picture, so that a strength means the same at any size.
    radius = strength / 100 * min(pixels.shape[:2])
    return np.array(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def _add_noise(pixels: Pixels, strength: float, seed: int) -> Pixels:
    # The seed comes from the image, so every run sees the same noise.
    random = np.random.default_rng(seed)
    noise = random.standard_normal(pixels.shape, np.float32) * np.float32(strength)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def _darken(pixels: Pixels, strength: float, seed: int) -> Pixels:
    darker: Pixels = np.rint(pixels * (1 - strength / 100)).astype(np.uint8)
    return darker


def _rotate(pixels: Pixels, strength: float, seed: int) -> Pixels:
    """Turned to a side that chance decides; bare corners get the mean colour."""
    image = Image.fromarray(pixels)
    # Black corners would be a second change, which the model could go by.
    mean = image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    turn = strength * (1 if seed % 2 else -1)
    return np.array(image.rotate(turn, Image.Resampling.BILINEAR, fillcolor=mean))


def _compress(pixels: Pixels, strength: float, seed: int) -> Pixels:
    # Saved and read again: only the coder itself makes its artefacts.
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=round(100 - strength))
    with Image.open(buffer) as image:
        return np.array(image)


def _add_hiss(pixels: Pixels, strength: float, seed: int) -> Pixels:
    """White noise beside a sound: powers add up, and that of noise is exponential."""
    random = np.random.default_rng(seed)
    hiss = 10 ** ((strength - _DECIBELS) / 10) * random.exponential(size=pixels.shape)
    power = 10 ** ((pixels / 255 - 1) * _DECIBELS / 10) + hiss
    return _to_pixels(1 + 10 * np.log10(power) / _DECIBELS)


def _shift(pixels: Pixels, strength: float, seed: int) -> Pixels:
    """Earlier or later, as chance decides, with silence where nothing was."""
    by = round(strength / 100 * pixels.shape[1]) * (1 if seed % 2 else -1)
    moved = np.roll(pixels, by, axis=1)
    moved[:, slice(0, by) if by > 0 else slice(by, None)] = 0
    return moved


def _interrupt(pixels: Pixels, strength: float, seed: int) -> Pixels:
    """Silence for a while, in a place that chance decides."""
    gone = pixels.copy()
    wide = round(strength / 100 * pixels.shape[1])
    start = int(np.random.default_rng(seed).integers(0, pixels.shape[1] - wide + 1))
    gone[:, start : start + wide] = 0
    return gone


def _to_pixels(levels: NDArray[np.float64]) -> Pixels:
    return np.rint(255 * np.clip(levels, 0, 1)).astype(np.uint8)


KINDS = {
    "blur": Kind((0.5, 1.0, 2.0), _blur),  # radius, % of the shorter side
    "noise": Kind((10, 25, 50), _add_noise),  # standard deviation, grey levels of 255
    "brightness": Kind((30, 50, 70), _darken),  # % darker
    "rotation": Kind((10, 20, 40), _rotate),  # degrees
    "jpeg": Kind((60, 80, 92), _compress),  # 100 − JPEG quality
}
#: The same of sounds.
SOUND_KINDS = {
    "hiss": Kind((10, 20, 30), _add_hiss),  # dB of noise above the floor
    "shifted": Kind((5, 15, 30), _shift),  # % of the time
    "interrupted": Kind((10, 25, 40), _interrupt),  # % of the time
}
