"""Errors that fall with the number of images: `a + b * images ** -c`."""

import numpy as np
from numpy.typing import NDArray

#: Exponents that are tried, and what is known of them before: the likeliest and the
#: standard deviation.
_TRIED = np.linspace(0.05, 1.5, 30)
_LIKELY, _DEVIATION = 0.5, 0.3

Floats = NDArray[np.float64]


def draw_exponents(count: int, random: np.random.Generator) -> Floats:
    """What is taken for the likeliest exponent; the likeliest of all comes first.

    Few points do not tell it well, so it is drawn for each resample: that makes the
    interval of what lies beyond the points as wide as it should be.
    """
    drawn = random.normal(_LIKELY, _DEVIATION, count)
    drawn[0] = _LIKELY
    return drawn


def go_on(
    sizes: Floats, errors: Floats, likely: Floats, images: int, to: Floats
) -> Floats:
    """The error of each curve with more images, `(curves, len(to))`.

    Least squares, points of more images counting for more.

    Args:
        sizes: Images, `(points,)`, ascending.
        errors: `(curves, points)`, in [0, 1].
        likely: Each curve's likeliest exponent, `(curves,)`.
        images: How many the errors were counted on.
        to: With how many images, ascending.
    """
    last = errors[:1, -1]
    variance = np.maximum(last * (1 - last), 0.5 / images) / images
    weights = sizes / sizes.mean()
    best, found = np.full(len(errors), np.inf), np.zeros((len(errors), len(to)))
    for exponent in _TRIED:
        fall = (sizes / sizes[-1]) ** -exponent
        level, height = _fit(fall, errors, weights)
        rest = errors - level[:, None] - height[:, None] * fall
        misfit = rest**2 @ weights / variance
        misfit += ((exponent - likely) / _DEVIATION) ** 2
        beyond = level[:, None] + height[:, None] * (to / sizes[-1]) ** -exponent
        found = np.where((misfit < best)[:, None], beyond, found)
        best = np.minimum(best, misfit)
    return found


def _fit(fall: Floats, errors: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Level and height of `level + height * fall`, neither below zero."""
    shares = weights / weights.sum()
    mean, mean_fall, square = errors @ shares, fall @ shares, fall**2 @ shares
    along = errors @ (shares * fall)
    height = (along - mean_fall * mean) / (square - mean_fall**2)
    level = mean - height * mean_fall
    height = np.where(level < 0, along / square, height)
    level = np.maximum(level, 0)
    return np.where(height < 0, mean, level), np.maximum(height, 0)
