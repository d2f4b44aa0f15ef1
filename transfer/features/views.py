"""Views of an image: the image itself, and random changes of it that keep its class."""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from transfer.config import SOUND_AUGMENTATIONS
from transfer.datasets import library, renderings
from transfer.datasets.decoding import Resizing
from transfer.datasets.renderings import Rendering
from transfer.features import sound_views

Pixels = NDArray[np.uint8]

#: Smallest share of the area that a crop keeps.
_SMALLEST_CROP = 0.6
#: Largest rotation, in degrees; a horizon tilts that much in hand-held pictures.
_STEEPEST = 15.0
#: Brightness, contrast and saturation change by at most this factor, up or down.
_STRONGEST = 0.3


class Reading(NamedTuple):
    """How stored images are read.

    Attributes:
        image_size: `(height, width)` of the pixels.
        rendering: The dataset's rendering, see `Revision.rendering`.
        resizing: As in `TrainConfig`.
    """

    image_size: tuple[int, int]
    rendering: Rendering | None = None
    resizing: Resizing = "stretch"

    def pixels(self, view: "View") -> Pixels:
        """What a model sees of a view, `(height, width, 3)`."""
        return view.of(renderings.decode(library.image_path(view.sha256), *self))


class View(NamedTuple):
    """One view of one image.

    Attributes:
        sha256: The image.
        number: 0 is the image itself; every other number is another random view, the
            same in every process.
        augmentations: Names out of `config.AUGMENTATIONS`, or those of sounds.
    """

    sha256: str
    number: int = 0
    augmentations: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Names the view among all views of all images."""
        if not self.number:
            return self.sha256
        return f"{self.sha256} {self.number} {','.join(self.augmentations)}"

    def of(self, pixels: Pixels) -> Pixels:
        """This view of the decoded image `(height, width, 3)`, of the same size."""
        if not self.number:
            return pixels
        # By what it is and not by when it is made: a view that was kept is the one that
        # would be made now.
        seed = hashlib.sha256(self.key.encode()).digest()
        return _change(pixels, self.augmentations, np.random.default_rng([*seed]))


def _change(
    pixels: Pixels, augmentations: tuple[str, ...], random: np.random.Generator
) -> Pixels:
    if set(augmentations) & set(SOUND_AUGMENTATIONS):
        return sound_views.change(pixels, augmentations, random)
    # Random numbers are drawn in this order always: another one makes other views, and
    # those that are kept would be of two kinds.
    image = Image.fromarray(pixels)
    if "flip" in augmentations and random.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    share = random.uniform(_SMALLEST_CROP, 1) if "crop" in augmentations else 1.0
    turn = random.uniform(-_STEEPEST, _STEEPEST) if "rotation" in augmentations else 0
    if share < 1 or turn:
        image = _move(image, share, float(np.deg2rad(turn)), random)
    if "colour" in augmentations:
        enhancers = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
        for enhance in enhancers:
            factor = 1 + random.uniform(-_STRONGEST, _STRONGEST)
            image = enhance(image).enhance(factor)
    return np.array(image)


def _move(
    image: Image.Image, share: float, turn: float, random: np.random.Generator
) -> Image.Image:
    """A rotated window of this share of the area, stretched to the image's size.

    One affine map does both, so that pixels are interpolated once. Corners that a
    rotation lays bare are filled with the mean colour.
    """
    width, height = image.size
    scale = np.sqrt(share)
    slack_x, slack_y = (1 - scale) * width / 2, (1 - scale) * height / 2
    middle_x = width / 2 + random.uniform(-slack_x, slack_x)
    middle_y = height / 2 + random.uniform(-slack_y, slack_y)
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    mean = image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    return image.transform(
        image.size,
        Image.Transform.AFFINE,
        (
            cosine,
            -sine,
            middle_x - cosine * width / 2 + sine * height / 2,
            sine,
            cosine,
            middle_y - sine * width / 2 - cosine * height / 2,
        ),
        resample=Image.Resampling.BILINEAR,
        fillcolor=mean,
    )
