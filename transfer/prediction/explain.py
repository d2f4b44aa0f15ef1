"""Where in a picture a classifier finds its evidence for a class: Grad-CAM.

Selvaraju et al. 2017, Grad-CAM: Visual Explanations from Deep Networks via
Gradient-based Localization, https://arxiv.org/abs/1610.02391. It passes the sanity
check of Adebayo et al. 2018, https://arxiv.org/abs/1810.03292: with random weights the
map is another one.
"""

import io
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from transfer.classifier.runner import Runner
from transfer.datasets import decoding, renderings
from transfer.datasets.decoding import Resizing
from transfer.datasets.pixels import resize
from transfer.datasets.renderings import Rendering

#: Colours of the overlay from no evidence to the strongest, RGB in [0, 255]: darker to
#: brighter, so that they are told apart without colour too.
_COLOURS = np.array([[31, 12, 72], [187, 55, 84], [249, 142, 9], [252, 240, 150]])
#: How much of the picture the strongest evidence covers, in [0, 1].
_COVER = 0.75

HeatMap = NDArray[np.float32]


def heat_map(runner: Runner, pixels: NDArray[np.uint8], label: int) -> HeatMap:
    """How much each place of a picture speaks for a class.

    Args:
        runner: Runs a whole classifier.
        pixels: The picture at the model's size, `(height, width, 3)`.
        label: Index of the class.

    Returns:
        A map `(height, width)`, float32 in [0, 1]: 1 where the evidence is strongest,
        and 0 everywhere if nothing in the picture speaks for the class.
    """
    features = runner.feature_map(pixels)
    # Pooling hands each place the same share of a channel's gradient, so this is, but
    # for a factor, the mean over places that the paper weights its channels by.
    weights = runner.head.gradient(features.mean((0, 1)), label)
    evidence = np.maximum(features @ weights, 0)
    strongest = float(evidence.max())
    if strongest > 0:
        evidence = evidence / strongest
    return _enlarge(evidence, pixels.shape[:2])


def _enlarge(evidence: NDArray[np.float32], size: tuple[int, ...]) -> HeatMap:
    image = Image.fromarray(evidence.astype(np.float32))
    resized = image.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.clip(np.asarray(resized, np.float32), 0, 1)


def overlay(
    picture: Path | bytes,
    heat: HeatMap,
    rendering: Rendering | None = None,
    resizing: Resizing = "stretch",
) -> bytes:
    """A PNG of the picture with the heat map on it: bright where the evidence is.

    What was cropped away, which the model does not see, is grey and dark.

    Args:
        picture: Encoded picture, or its file.
        heat: As `heat_map` returns it.
        rendering: The rendering that the model learnt with.
        resizing: How the picture was brought to the model's pixels; the map goes back
            the same way.

    Raises:
        ImageError: The picture cannot be read.
    """
    thumbnail = renderings.encode_thumbnail(picture, 512, rendering)
    shown = decoding.decode(thumbnail).astype(np.float32)
    own, model = shown.shape[1::-1], heat.shape[::-1]
    # A border is no part of the picture.
    width, height = inside = resize.size_inside(own, model, resizing)
    left, upper = resize.corner(inside, model)
    heat = heat[upper : upper + height, left : left + width]
    part = resize.part_taken(own, model, resizing)
    # Outwards, so that of the longest picture a pixel is left.
    (left, upper), (right, lower) = map(int, part[:2]), map(math.ceil, part[2:])
    seen = shown[upper:lower, left:right]
    heated = _lay_over(seen, _enlarge(heat, seen.shape[:2]))
    shown[:] = 0.3 * shown.mean(axis=-1, keepdims=True)
    shown[upper:lower, left:right] = heated
    buffer = io.BytesIO()
    # By the default, 6, it took four times as long and became a tenth smaller.
    image = Image.fromarray(np.rint(shown).astype(np.uint8))
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _lay_over(picture: NDArray[np.float32], heat: HeatMap) -> NDArray[np.float32]:
    """The picture `(height, width, 3)` with the colours of the heat on it."""
    heat = heat[..., np.newaxis]
    stops = np.linspace(0, 1, len(_COLOURS))
    colours = np.concatenate(
        [np.interp(heat, stops, channel) for channel in _COLOURS.T], axis=-1
    )
    faded = picture.mean(axis=-1, keepdims=True)
    cover = 0.25 + (_COVER - 0.25) * heat
    mixed = (1 - cover) * (0.5 * picture + 0.5 * faded) + cover * colours
    return np.asarray(mixed, np.float32)
