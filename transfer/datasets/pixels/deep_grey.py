"""Grey deeper than 8 bits: its values, and which of them become black and white."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from transfer.datasets.pixels.pieces import Pixels

#: The values that become black and white where grey is deeper than 8 bits.
Grey = tuple[float, float]
_Values = NDArray[np.float32]

#: Marks a PNG of 16-bit grey with alpha: both bytes of each are read as four colours.
SPREAD = "both bytes of grey, both of alpha"


class Levels(NamedTuple):
    """Which values a picture of deep grey has; those that are no numbers left out.

    Attributes:
        lowest: The lowest.
        low: One in a hundred is lower.
        high: One in a hundred is higher.
        highest: The highest.
    """

    lowest: float
    low: float
    high: float
    highest: float


def is_deep(image: Image.Image) -> bool:
    """Whether it is grey of more than 8 bits."""
    deep = image.mode in ("I", "F") or image.mode.startswith("I;16")
    return deep or SPREAD in image.info


def to_eight_bits(piece: Image.Image, grey: Grey) -> Image.Image:
    """Deep grey scaled to 8 bits; Pillow's `convert` would clip it."""
    (low, high), (values, alpha) = grey, _deep(piece)
    scaled = np.rint((np.nan_to_num(values) - low) * (255 / (high - low)))
    shown = Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))
    if alpha is None:
        return shown
    return Image.merge("LA", (shown, Image.fromarray(alpha)))


def _deep(piece: Image.Image) -> tuple[_Values, NDArray[np.uint8] | None]:
    """The values of deep grey, and alpha where there is any."""
    colours = np.asarray(piece)
    if SPREAD in piece.info:
        values = colours[..., 0] * np.float32(256) + colours[..., 1]
        return values, np.ascontiguousarray(colours[..., 2])
    values, clear = colours.astype(np.float32), piece.info.get("transparency")
    if not isinstance(clear, int):
        return values, None
    return values, np.where(values == clear, 0, 255).astype(np.uint8)


def find_levels(pixels: Pixels) -> Levels | None:
    """The values of deep grey; None where it has no numbers."""
    step = -(-pixels.size[0] * pixels.size[1] // 1_000_000)  # a million tell enough
    some, extremes = [], []
    for _, _, piece in pixels.pieces():
        values, alpha = _deep(piece)
        seen = (
            np.isfinite(values) if alpha is None else np.isfinite(values) & (alpha > 0)
        )
        if seen.any():
            found = values[seen]
            extremes += [found.min(), found.max()]
            some.append(found[::step])
    if not some:
        return None
    low, high = np.percentile(np.concatenate(some), (1, 99))
    return Levels(*map(float, (min(extremes), low, high, max(extremes))))


def own_range(pixels: Pixels, mode: str) -> Grey:
    """The values that become black and white where only the picture itself is known.

    Integers count as 16 bits; floats as fractions, 8 or 16 bits, whichever holds them.
    Pictures outside all of these, such as elevation maps, are spread over their own
    range.
    """
    low, high = np.inf, -np.inf
    for _, _, piece in pixels.pieces():
        values = np.nan_to_num(_deep(piece)[0])
        low, high = min(low, float(values.min())), max(high, float(values.max()))
    whites = (1.0, 255.0, 65535.0) if mode == "F" else (65535.0,)
    for white in whites:
        if low >= 0 and high <= white:
            return 0.0, white
    return low, max(high, low + 1)
