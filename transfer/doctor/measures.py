"""What one picture is measured at, from its pixels alone."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

#: Side in pixels of the small grey picture by which copies are told.
SIDE = 64
#: Pixels over which a picture is blurred once more, to see whether that changes much.
_BLUR = 9
#: Share of a side that is its border.
_BORDER = 0.02


class Measures(NamedTuple):
    """Of one picture, levels of 0 to 255.

    Attributes:
        low: 1st percentile of its grey.
        high: 99th percentile of its grey.
        mean: Of its grey.
        spread: 99th less 1st percentile of the colour in which that is most.
        blur: How little it changes when it is blurred, 0 (sharp) to 1.
        colour: Mean red, green and blue.
        border: Mean red, green and blue of its border.
        border_spread: Standard deviation of the grey in its border.
        grey: `(SIDE, SIDE)`, grey.
    """

    low: float
    high: float
    mean: float
    spread: float
    blur: float
    colour: NDArray[np.float32]
    border: NDArray[np.float32]
    border_spread: float
    grey: Pixels


def measure(pixels: Pixels) -> Measures:
    """Measures a picture `(height, width, 3)`, best of at most 256 pixels a side."""
    picture = Image.fromarray(pixels)
    light = picture.convert("L")
    grey = np.asarray(light)
    # Counted levels tell the same as sorted pixels, in a tenth of the time.
    levels = np.array(light.histogram() + picture.histogram()).reshape(4, 256)
    low, high = _ends(levels)
    colour = levels @ np.arange(256) / levels.sum(1)
    small = light.resize((SIDE, SIDE), Image.Resampling.BOX)
    return Measures(
        low=float(low[0]),
        high=float(high[0]),
        mean=float(colour[0]),
        spread=float((high - low)[1:].max()),
        blur=blur(grey),
        colour=colour[1:].astype(np.float32),
        border=_border(pixels).mean(0).astype(np.float32),
        border_spread=float(_border(grey).std()),
        grey=np.asarray(small),
    )


def _border(picture: Pixels) -> Pixels:
    """The pixels of a picture's border, one after the other."""
    high, wide = (max(1, round(side * _BORDER)) for side in picture.shape[:2])
    top, bottom = picture[:high], picture[high:][-high:]
    between = picture[high:-high]
    left, right = between[:, :wide], between[:, wide:][:, -wide:]
    parts = top, bottom, left, right
    return np.concatenate([one.reshape(-1, *picture.shape[2:]) for one in parts])


def _ends(levels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """1st and 99th percentile of each row of counted levels `(rows, 256)`."""
    share = np.cumsum(levels, 1) / levels.sum(1, keepdims=True)
    return (share < 0.01).sum(1), (share < 0.99).sum(1)


def blur(grey: Pixels) -> float:
    """How blurred a picture is, from 0 to 1.

    A sharp picture loses most of the differences between neighbours when it is blurred,
    a blurred one hardly any: Crete et al. 2007, https://doi.org/10.1117/12.702790.

    Args:
        grey: `(height, width)`.
    """
    # Whole numbers, all of them times `_BLUR`, are several times as fast as fractions.
    levels = grey.astype(np.int16)
    along = (one for one in (levels, levels.T.copy()) if len(one) > 1)
    return max((_share_left(one) for one in along), default=0.0)


def _share_left(levels: NDArray[np.int16]) -> float:
    """Share of the differences between rows that stays when they are blurred."""
    before = np.abs(np.diff(levels, axis=0))
    total = int(before.sum(dtype=np.int64))
    # Of means over neighbours the differences are those of their ends.
    wide = np.pad(levels, ((_BLUR // 2, _BLUR // 2), (0, 0)), "symmetric")
    after = np.abs(wide[_BLUR:] - wide[:-_BLUR])
    before *= _BLUR
    before -= after
    lost = int(np.maximum(before, 0, out=before).sum(dtype=np.int64))
    return 1 - lost / _BLUR / total if total else 0.0
