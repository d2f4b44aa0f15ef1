"""Shares with their 95 % confidence intervals.

A share of nothing has no value: it is `nan`, and so are the ends of its interval.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

#: Quantile of the normal distribution that leaves 2.5 % above it.
_Z = 1.959963984540054


class Interval(NamedTuple):
    """A figure and the ends of its 95 % confidence interval, shares of 0 to 1."""

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float | None]:
        """Plain data; `nan` becomes None, for JSON has no such number."""
        named = self._asdict().items()
        return {name: None if np.isnan(one) else float(one) for name, one in named}

    @classmethod
    def from_json(cls, data: dict[str, float | None]) -> "Interval":
        """The interval that `to_json` wrote."""
        return cls(**{k: np.nan if v is None else v for k, v in data.items()})


def wilson(hits: ArrayLike, of: ArrayLike) -> Interval:
    """A share with its score interval.

    Wilson 1927, https://doi.org/10.1080/01621459.1927.10502953: unlike the usual
    normal approximation it keeps its promise for shares near 0 and 1 and small samples.
    """
    value, low, high = wilson_arrays(hits, of)
    return Interval(float(value), float(low), float(high))


def wilson_arrays(hits: ArrayLike, of: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Many shares with the ends of their intervals; see `wilson`."""
    hits, of = np.asarray(hits, np.float64), np.asarray(of, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = hits / of
        centre = (share + _Z**2 / (2 * of)) / (1 + _Z**2 / of)
        spread = np.sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
        half = spread * _Z / (1 + _Z**2 / of)
    # Rounding alone could leave the share itself outside.
    low, high = np.minimum(centre - half, share), np.maximum(centre + half, share)
    return share, np.clip(low, 0, 1), np.clip(high, 0, 1)
