"""Pairs of images that may be copies: near in features, or alike at a glance.

Features see through a crop and a turn, but of a small or a strange picture they are
far off; there its light and dark at a glance, a perceptual hash in numbers and not in
bits, is near. Each finds what the other one misses, and `alignment` judges both.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from usearch.index import Index, search

from transfer.classifier.ridge import eigh
from transfer.datasets import scratch

#: Neighbours that are looked at of each image, by features and at a glance.
NEIGHBOURS = 10
#: Least cosine of a pair by features, of which the mean is taken away; and at a glance.
LEAST, LEAST_GLANCE = 0.45, 0.9
#: What a place further down the list of an image's neighbours takes from the cosine.
_RANK = 0.04
#: Features are brought down to so many numbers, in which nearly all of them is.
_CHANNELS = 256
#: Images by which these are found.
_SAMPLE = 10_000
#: Images above which neighbours are found by a graph, which misses one in a hundred,
#: and not by looking at all of them.
_EXACT = 10_000
#: How often images are read for it: two make an index, three ask one.
_PASSES = 5
#: Images that are held in float32 at a time.
_PIECE = 4096
#: Pairs that are looked at, at most, so that the time stays in bounds: so many, and so
#: many more for each image.
_PAIRS, _PAIRS_MORE = 4000, 0.5
#: Times as many that are held before the least promising go.
_HELD = 4

Floats = NDArray[np.float32]
#: Gives rows of some of the images, so that never all are held.
Rows = Callable[[slice], Floats]


class Pairs(NamedTuple):
    """Pairs of positions, the first below the second.

    Attributes:
        first: `(pairs,)`.
        second: `(pairs,)`.
        similarity: Cosine by features or at a glance, the larger one.
        promise: By which the pairs are looked at, the largest first.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    similarity: Floats
    promise: Floats


def candidates(
    near: Floats,
    greys: NDArray[np.uint8],
    told: Callable[[int, int], None] = lambda done, of: None,
) -> Pairs:
    """Pairs that may be copies, the most similar first.

    Args:
        near: Features as `project` has them, `(images, channels)`.
        greys: `(images, side, side)`.
        told: Takes the number of images that are done, and of all.
    """
    count, read = len(near), 0

    def tell_of(rows: Rows) -> Rows:
        def of(piece: slice) -> Floats:
            nonlocal read
            read += piece.stop - piece.start
            told(min(read // _PASSES, count), count)
            for one in (near, greys):
                scratch.forget(one)
            return rows(piece)

        return of

    features = tell_of(lambda piece: near[piece])
    glances = tell_of(lambda piece: _glances(greys[piece]))
    mirrored = tell_of(lambda piece: _glances(greys[piece][:, :, ::-1]))
    found = chain(
        _neighbours(count, LEAST, features),
        _neighbours(count, LEAST_GLANCE, glances, mirrored),
    )
    return _most_promising(found, _PAIRS + int(_PAIRS_MORE * count))


def _most_promising(found: Iterator[Pairs], most: int) -> Pairs:
    """So many of the pairs, each once, the most promising first."""
    parts: list[Pairs] = []
    for part in found:
        parts.append(part)
        # Neighbours of a million images are tens of millions of pairs.
        if sum(len(one.first) for one in parts) > _HELD * most:
            parts = [_best(parts, most)]
    return _best(parts, most)


def _best(parts: Sequence[Pairs], most: int) -> Pairs:
    columns: Any = zip(*parts, strict=True)
    pairs = Pairs(*(np.concatenate(column) for column in columns))
    # The most promising of each pair, then the most promising pairs.
    pairs = _take(pairs, np.lexsort((-pairs.promise, pairs.second, pairs.first)))
    is_new = np.ones(len(pairs.first), bool)
    is_new[1:] = (np.diff(pairs.first) != 0) | (np.diff(pairs.second) != 0)
    pairs = _take(pairs, np.flatnonzero(is_new))
    return _take(pairs, np.argsort(-pairs.promise, kind="stable")[:most])


def _take(pairs: Pairs, order: NDArray[np.int64]) -> Pairs:
    columns: Any = pairs
    return Pairs(*(column[order] for column in columns))


def project(features: NDArray[Any], place: Path | None = None) -> Floats:
    """Principal components of length 1, by which the near ones are found.

    Args:
        features: `(images, channels)`, of any float type.
        place: Folder for a file of them; those of 100,000 images would take 102 MB.

    Returns:
        An array `(images, at most _CHANNELS)`.
    """
    some = np.arange(0, len(features), max(1, len(features) // _SAMPLE))
    sample = scratch.gather(features, some).astype(np.float32)
    mean = sample.mean(0)
    sample -= mean
    _, axes = eigh(sample.T @ sample)
    axes = axes[:, ::-1][:, :_CHANNELS]
    shape = len(features), axes.shape[1]
    made: Floats = scratch.array(place, "near", np.float32, shape)
    for start in range(0, len(features), _PIECE):
        piece = features[start : start + _PIECE].astype(np.float32)
        made[start : start + _PIECE] = _unit((piece - mean) @ axes)
        for one in (features, made):
            scratch.forget(one)
    return made


def _glances(greys: NDArray[np.uint8]) -> Floats:
    """Light and dark on a grid of 16 x 16, of mean 0 and length 1."""
    count, side = len(greys), greys.shape[1]
    # In whole numbers, one way after the other: three times as fast as the mean.
    strips = greys.reshape(count, 16, -1, side).sum(2, dtype=np.uint16)
    cells = strips.reshape(count, 16, 16, -1).sum(3, dtype=np.uint16)
    flat = cells.reshape(count, -1) / np.float32((side // 16) ** 2)
    return _unit(flat - flat.mean(1, keepdims=True))


def _unit(rows: Floats) -> Floats:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Floats = (rows / np.maximum(length, 1e-6)).astype(np.float32)
    return unit


def _neighbours(count: int, least: float, rows: Rows, *others: Rows) -> Iterator[Pairs]:
    """The nearest of each image, those above the least cosine.

    Args:
        count: Number of images.
        least: Cosine.
        rows: Gives theirs of length 1, `(some, channels)`.
        others: The same images in other ways, whose neighbours are wanted too.
    """
    pieces = [slice(at, min(at + _PIECE, count)) for at in range(0, count, _PIECE)]
    most = min(NEIGHBOURS + 1, count)
    find = _index(pieces, rows, is_exact=count <= _EXACT)
    for ask in (rows, *others):
        for piece in pieces:
            found = find(ask(piece), most)
            near = np.asarray(found.keys, np.int64).reshape(-1)
            similarity = 1 - np.asarray(found.distances, np.float32).reshape(-1)
            who = np.repeat(np.arange(piece.start, piece.stop), most)
            # What is nearest may be a copy even if it is not very near.
            promise = similarity - _RANK * np.tile(np.arange(most), len(who) // most)
            kept = (similarity >= least) & (near != who) & (near < count) & (near >= 0)
            pair = np.stack([who[kept], near[kept]])
            yield Pairs(pair.min(0), pair.max(0), similarity[kept], promise[kept])


def _index(
    pieces: Sequence[slice], rows: Rows, is_exact: bool
) -> Callable[[Floats, int], Any]:
    """What finds the nearest so many of these rows."""
    if is_exact:
        every = np.concatenate([rows(piece) for piece in pieces])
        return lambda asked, most: search(every, asked, most, "ip", exact=True)
    index = Index(ndim=rows(pieces[0]).shape[1], metric="ip", dtype="bf16")
    for piece in pieces:
        index.add(np.arange(piece.start, piece.stop, dtype=np.uint64), rows(piece))
    return index.search
