"""Whether two small grey pictures show the same, moved, cropped, turned or mirrored.

The one is laid over the other by an affine map that is found by Gauss-Newton steps on
the grey values, together with a gain and an offset for the light (Lucas and Kanade
1981; Evangelidis and Psarakis 2008), from coarse pictures to fine ones and from several
beginnings. What is left of the likeness is judged on fine detail: two flowers on green
may well have their light and dark in the same places, but not their edges.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from transfer.doctor.measures import SIDE

#: Side, steps at it, how many beginnings are followed from there, and the likeness
#: without which none is: copies reach 0.9 once the steps are done.
_LEVELS = ((16, 0, 4, 0.3), (16, 5, 2, 0.6), (32, 4, 1, 0.75), (SIDE, 2, 1, 0.85))
#: Least share of a picture that the other one must cover, and of its fine detail.
_COVERED, _SEEN = 0.5, 0.35
#: Pixels beside the border whose fine detail is not known.
_EDGE = 3
#: Levels by which pixels of a plain part differ, and how wide it is seen beside it.
_PLAIN, _BESIDE = 2.0, 9
#: Turns in degrees, and scales, from which the steps come to a crop or turn.
_TURNS, _SCALES = (-10.0, 0.0, 10.0), (0.85, 1.0, 1.18)
#: Scale of a crop at a corner, or of what it was cropped from, and how far it lies off.
_CORNERS = ((0.82, 0.14), (1.22, 0.17))
#: Pairs at a time: what is computed of them then stays in the processor's cache.
_PIECE = 16

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


class Alignment(NamedTuple):
    """How well pictures lie over each other at best, one row a pair.

    Attributes:
        likeness: Correlation of the light, in [-1, 1].
        detail: Correlation of fine detail alone, in [-1, 1].
        mirrored: Whether one is mirrored.
        scale: How much of the second's side the first takes.
    """

    likeness: Floats
    detail: Floats
    mirrored: NDArray[np.bool_]
    scale: Floats


def align(first: Pixels, second: Pixels) -> Alignment:
    """The best alignment of each pair.

    Args:
        first: `(pairs, SIDE, SIDE)`, grey.
        second: The same, of what they are compared with.
    """
    starts = range(0, len(first), _PIECE)
    some = [slice(start, start + _PIECE) for start in starts]
    columns = zip(*(_align(first[at], second[at]) for at in some), strict=True)
    return Alignment(*(np.concatenate(column) for column in columns))


def _align(first: Pixels, second: Pixels) -> Alignment:
    begins = _beginnings()
    maps = np.tile(begins, (len(first), 1, 1))
    who = np.repeat(np.arange(len(first)), len(begins))
    flips = np.tile(np.arange(len(begins)) % 2, len(first))
    likeness, detail = np.full((2, len(first)), -1, np.float32)
    scales, mirrored = np.ones(len(first), np.float32), np.zeros(len(first), bool)
    for side, steps, followed, least in _LEVELS:
        a, b = (_shrink(one.astype(np.float32), side) for one in (first, second))
        both = np.stack([b, b[:, :, ::-1]])[flips, who]
        maps, scores = _descend(a[who], both, maps, steps)
        kept = _best(scores, who, followed, least)
        maps, who, flips, scores = maps[kept], who[kept], flips[kept], scores[kept]
        if not len(kept):
            break
    else:
        likeness[who], mirrored[who] = scores, flips == 1
        detail[who] = _detail(a[who], both[kept], maps)
        scales[who] = np.sqrt(np.abs(np.linalg.det(maps[:, :, :2])))
    return Alignment(likeness, detail, mirrored, scales)


def _beginnings() -> Floats:
    """Affine maps `(beginnings, 2, 3)`; every second is tried on the mirrored one."""
    maps = []
    for turn in np.deg2rad(_TURNS):
        for scale in _SCALES if turn == 0 else (1.0,):
            cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
            maps += [[[cosine, -sine, 0], [sine, cosine, 0]]] * 2
    for scale, off in _CORNERS:
        for right, down in product((-off, off), repeat=2):
            maps += [[[scale, 0, right], [0, scale, down]]] * 2
    return np.array(maps, np.float32)


def _shrink(pictures: Floats, side: int) -> Floats:
    times = pictures.shape[1] // side
    shape = (len(pictures), side, times, side, times)
    small: Floats = pictures.reshape(shape).mean((2, 4))
    smooth: Floats = ndimage.gaussian_filter(small, (0, 0.7, 0.7))
    return smooth


def _best(
    scores: Floats, who: NDArray[np.int64], count: int, least: float
) -> NDArray[np.int64]:
    """Positions of the `count` best of each pair that reach the least."""
    order = np.lexsort((-scores, who))
    first = np.searchsorted(who[order], who[order])
    is_kept = (np.arange(len(order)) - first < count) & (scores[order] >= least)
    return order[is_kept]


def _grid(side: int) -> tuple[Floats, Floats]:
    """Column and row of every pixel, from -1 to 1."""
    at = ((np.arange(side) + 0.5) / side * 2 - 1).astype(np.float32)
    return np.tile(at, side), np.repeat(at, side)


def _descend(a: Floats, b: Floats, maps: Floats, steps: int) -> tuple[Floats, Floats]:
    """Better maps from `a`'s places to `b`'s, and the likeness that they reach."""
    x, y = _grid(a.shape[1])
    target = a.reshape(len(a), -1)
    best, best_maps = np.full(len(a), -1, np.float32), maps
    for step in range(steps + 1):
        found, inside = _sample(b, maps, x, y)
        score = _correlation(target, found, inside)
        better = score > best
        best = np.where(better, score, best)
        best_maps = np.where(better[:, None, None], maps, best_maps)
        if step < steps:
            maps = _compose(maps, _step(target, found, inside, x, y))
    return best_maps, best


def _step(
    target: Floats, found: Floats, inside: Floats, x: Floats, y: Floats
) -> Floats:
    """The small affine change `(pairs, 2, 3)` that brings the found ones nearer."""
    side = int(np.sqrt(target.shape[1]))
    gain = _gain(target, found, inside)[:, None]
    pictures = (gain * found).reshape(-1, side, side)
    down, right = np.gradient(pictures, 2 / side, axis=(1, 2))
    gx, gy = right.reshape(found.shape) * inside, down.reshape(found.shape) * inside
    columns = [gx * x, gx * y, gx, gy * x, gy * y, gy, found * inside, inside]
    design = np.stack(columns, 1)
    normal = design @ design.transpose(0, 2, 1)
    size = np.trace(normal, axis1=1, axis2=2)[:, None, None] / 8 + 1e-3
    normal += 1e-3 * size * np.eye(8, dtype=np.float32)
    # Gain and offset are found with it, or a change of light would move the picture.
    rest = (target - gain * found) * inside
    solved = np.linalg.solve(normal, design @ rest[..., None])
    change: Floats = np.clip(solved[:, :6, 0].reshape(-1, 2, 3), -0.2, 0.2)
    return change


def _compose(maps: Floats, change: Floats) -> Floats:
    """First the change, then the map."""
    linear = np.eye(2, dtype=np.float32) + change[:, :, :2]
    moved = maps[:, :, :2] @ np.concatenate([linear, change[:, :, 2:]], 2)
    moved[:, :, 2] += maps[:, :, 2]
    composed: Floats = moved
    return composed


def _sample(b: Floats, maps: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Values `(pairs, places)` where the maps lead, and whether that is inside."""
    side = b.shape[1]
    column = maps[:, 0, 0:1] * x + maps[:, 0, 1:2] * y + maps[:, 0, 2:3]
    row = maps[:, 1, 0:1] * x + maps[:, 1, 1:2] * y + maps[:, 1, 2:3]
    inside = (np.abs(column) <= 1) & (np.abs(row) <= 1)
    column = np.clip((column + 1) * (side / 2) - 0.5, 0, side - 1.001)
    row = np.clip((row + 1) * (side / 2) - 0.5, 0, side - 1.001)
    left, top = column.astype(np.int32), row.astype(np.int32)
    dx, dy = column - left, row - top
    start = np.arange(len(b), dtype=np.int32)[:, None] * (side * side)
    start = start + top * side + left
    flat = b.ravel()
    upper = flat[start] * (1 - dx) + flat[start + 1] * dx
    lower = flat[start + side] * (1 - dx) + flat[start + side + 1] * dx
    return upper * (1 - dy) + lower * dy, inside.astype(np.float32)


def _correlation(
    a: Floats, b: Floats, inside: Floats, least: float = _COVERED
) -> Floats:
    """Of each pair where it is inside; -1 where less than that is."""
    a, b = _centre(a, inside), _centre(b, inside)
    both = (a * b).sum(1)
    size = np.sqrt((a * a).sum(1) * (b * b).sum(1))
    enough = (inside.mean(1) >= least) & (size > 1e-3)
    found: Floats = np.where(enough, both / np.maximum(size, 1e-3), -1)
    return found.astype(np.float32)


def _gain(a: Floats, b: Floats, inside: Floats) -> Floats:
    a, b = _centre(a, inside), _centre(b, inside)
    gain: Floats = (a * b).sum(1) / np.maximum((b * b).sum(1), 1e-3)
    return np.clip(gain, 0.2, 5)


def _centre(values: Floats, inside: Floats) -> Floats:
    mean = (values * inside).sum(1) / np.maximum(inside.sum(1), 1)
    centred: Floats = (values - mean[:, None]) * inside
    return centred


def _detail(a: Floats, b: Floats, maps: Floats) -> Floats:
    """Correlation of what is left without the coarse light."""
    x, y = _grid(a.shape[1])
    sharp = [one - ndimage.gaussian_filter(one, (0, 3, 3)) for one in (a, b)]
    found, inside = _sample(sharp[1], maps, x, y)
    # The corners that a turn lays bare are of one colour, and no part of the picture.
    plain = [_plain(one) for one in (a, b)]
    for one in plain:
        one[:, :_EDGE] = one[:, -_EDGE:] = one[:, :, :_EDGE] = one[:, :, -_EDGE:] = 1
    hidden, _ = _sample(plain[1], maps, x, y)
    seen = inside * (hidden < 0.5) * (plain[0].reshape(len(a), -1) < 0.5)
    enough = seen.mean(1, keepdims=True) >= _SEEN
    seen = np.where(enough, seen, inside)
    return _correlation(sharp[0].reshape(len(a), -1), found, seen, _SEEN)


def _plain(pictures: Floats) -> Floats:
    """1 where a picture is of one level or close to such a part, else 0."""
    most, least = (
        filter_(pictures, (1, 3, 3))
        for filter_ in (ndimage.maximum_filter, ndimage.minimum_filter)
    )
    plain: Floats = ndimage.maximum_filter(
        (most - least < _PLAIN).astype(np.float32), (1, _BESIDE, _BESIDE)
    )
    return plain
