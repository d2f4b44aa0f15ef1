"""The range of deep grey: which values of a dataset become black and white.

Pictures of 16 bits, of 12 in 16, thermal ones and floats say nowhere which part of
their numbers they use. Scaled each by its own values, they would lose what tells warm
from cold; scaled by all that their numbers can hold, many would be black.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from transfer.datasets.decoding import Grey, Levels

#: Values that stand for white by convention: of fractions, 8 and 16 bits.
_WHITES = (1.0, 255.0, 65535.0)
#: A dataset that uses this share of the way to white is scaled by convention.
_FILLED = 0.25
#: Grey levels, of 255, below which the eye and most models see one flat colour.
_FLAT = 3.0


def range_of(levels: Sequence[Levels]) -> Grey | None:
    """The values that become black and white; None where there is no deep grey.

    It holds what lies between the percentiles of nearly all pictures and half as much
    on either side, so that hot pixels, burnt-in marks and one strange picture do not
    squeeze all others into a few greys.

    Args:
        levels: Of each picture of deep grey in the dataset.
    """
    if not levels:
        return None
    lowest, low, high, highest = np.array(levels).T
    dark = float(np.quantile(low, 0.05, method="nearest"))
    bright = float(np.quantile(high, 0.95, method="nearest"))
    aside = (bright - dark) / 2
    black = max(float(lowest.min()), dark - aside)
    white = min(float(highest.max()), bright + aside)
    for convention in _WHITES:
        if black >= 0 and white <= convention:
            if white - black >= _FILLED * convention:
                return 0.0, convention
            break
    return black, max(white, black + 1e-6 * max(1.0, abs(black)))


def is_flat(levels: Levels, grey: Grey) -> bool:
    """Whether a picture of deep grey comes out nearly constant."""
    black, white = grey
    low, high = np.clip((levels.low, levels.high), black, white)
    return bool((high - low) * 255 / (white - black) < _FLAT)


def are_flat(pixels: NDArray[np.uint8]) -> bool:
    """Whether pixels `(height, width, 3)`, more than 200, are nearly constant."""
    colours = pixels.reshape(-1, 3)
    beside = len(colours) // 100 + 1
    # First a narrower range, which tells of nearly all pictures that they are not.
    # `np.percentile` takes twice as long and keeps other threads of an import waiting.
    ends = [beside, len(colours) - 1 - beside]
    low, high = np.partition(colours, ends, axis=0)[ends]
    if (high - low).max() >= _FLAT:
        return False
    low, high = np.percentile(colours, (1, 99), axis=0)
    return bool((high - low).max() < _FLAT)
