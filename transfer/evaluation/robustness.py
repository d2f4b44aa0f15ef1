"""Changes that spoil a picture, to see how much of it a classifier can bear.

After Hendrycks and Dietterich 2019, https://arxiv.org/abs/1903.12261, in small: five
kinds at three strengths, made on the picture as the model sees it; three on sounds,
before they are drawn: so a strength is what it says, however they are drawn.
"""

import io
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from transfer import processes
from transfer.datasets import library
from transfer.datasets.sounds import drawing, recordings
from transfer.datasets.sounds.recordings import Samples
from transfer.datasets.sounds.spectrogram import Spectrogram
from transfer.features.views import Reading, View

Pixels = NDArray[np.uint8]


class Kind(NamedTuple):
    """One way to spoil a picture or a sound.

    Attributes:
        strengths: Three, from weak to strong.
        unit: What a strength is, in words.
        change: The picture `(height, width, 3)` so spoilt, of the same size, or the
            samples of a sound; takes the one or the other, the strength, and a seed
            where chance plays a part.
    """

    strengths: tuple[float, float, float]
    unit: str
    change: Callable[[NDArray[Any], float, int], NDArray[Any]]


class Originals:
    """What is spoilt, then drawn: pixels of pictures, samples of sounds.

    Args:
        reading: How the model's pictures are read.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def read(self, sha256: str) -> NDArray[Any]:
        """A stored image or sound, to be spoilt.

        Raises:
            ImageError: It cannot be read.
        """
        if isinstance(how := self._reading.rendering, Spectrogram):
            return recordings.read(library.image_path(sha256), how.rate)
        return self._reading.pixels(View(sha256))

    def draw(self, original: NDArray[Any]) -> Pixels:
        """What the model sees of it."""
        if isinstance(how := self._reading.rendering, Spectrogram):
            return drawing.draw_samples(original, self._reading.image_size, how)
        return original

    def seconds_to_draw(self, sha256: str) -> float:
        """Of this machine, which draws as many at once as it has cores."""
        original = self.read(sha256)
        start = time.perf_counter()
        self.draw(original)
        return (time.perf_counter() - start) / processes.cores()


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


def _add_white_noise(samples: Samples, strength: float, seed: int) -> Samples:
    random = np.random.default_rng(seed)
    noise = random.standard_normal(len(samples)).astype(np.float32)
    power = np.mean(samples**2, dtype=np.float64) * 10 ** (strength / 10)
    return samples + noise * np.float32(np.sqrt(power))


def _cut_off(samples: Samples, strength: float, seed: int) -> Samples:
    """Recorded too late or not long enough, as chance decides."""
    left_out = int(strength / 100 * len(samples))
    return samples[left_out:] if seed % 2 else samples[: len(samples) - left_out]


def _interrupt(samples: Samples, strength: float, seed: int) -> Samples:
    """Silence for a while, in a place that chance decides."""
    gone = samples.copy()
    long = round(strength / 100 * len(samples))
    start = int(np.random.default_rng(seed).integers(0, len(samples) - long + 1))
    gone[start : start + long] = 0
    return gone


KINDS = {
    "blur": Kind((0.5, 1.0, 2.0), "radius, % of the shorter side", _blur),
    "noise": Kind((10, 25, 50), "standard deviation, grey levels of 255", _add_noise),
    "brightness": Kind((30, 50, 70), "% darker", _darken),
    "rotation": Kind((10, 20, 40), "degrees", _rotate),
    "jpeg": Kind((60, 80, 92), "100 − JPEG quality", _compress),
}
#: The same of sounds.
SOUND_KINDS = {
    "white noise": Kind((-30, -20, -10), "dB, beside the sound's", _add_white_noise),
    "cut off": Kind((5, 15, 30), "% of its time, at one end", _cut_off),
    "interrupted": Kind((10, 25, 40), "% of its time", _interrupt),
}
