"""Groups that names of files tell: of one subject, session or burst."""

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from transfer.datasets import scratch
from transfer.datasets.revision import SPLITS, Image
from transfer.evaluation import intervals

#: Images that are asked for their nearest one, and among how many at a time.
_ASKED, _PIECE = 2000, 4096
#: How much oftener than by chance the nearest image must be of the same group, and in
#: which share of them at the least, for a name to stand for a group.
_LIFT, _SHARE = 3.0, 0.3

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]


def find(
    images: Sequence[Image],
    class_names: Sequence[str],
    near: Floats,
    cut_from: Numbers | None = None,
) -> Numbers | None:
    """The group of every image by what files are called; None if names say nothing.

    A name stands for a group if the images that share it are more alike than others of
    their class: their nearest one is then far oftener of their group than by chance.

    Args:
        images: The images.
        class_names: Names in label order.
        near: Features of length 1, `(images, channels)`.
        cut_from: The recording of each sound, whose windows are alike whatever it is
            called; None where none is cut.
    """
    labels = np.array([image.label for image in images])
    whole = np.arange(len(images)) if cut_from is None else cut_from
    parts = [_words(one, class_names[one.label]) for one in images]
    found = None
    # The coarsest last: who has seen one session of a subject knows the others too.
    for length in range(max(map(len, parts), default=0) - 1, 0, -1):
        group = number(
            "/".join(one[:length]) if len(one) > length else image.path
            for one, image in zip(parts, images, strict=True)
        )
        sizes = np.bincount(group)
        is_grouping = sizes.max() <= len(images) / 4 and len(sizes) <= len(images) / 2
        if is_grouping and _are_alike(group, labels, near, whole):
            found = group
    return found


def number(names: Iterable[str]) -> Numbers:
    """A number for each name, the same for the same: an array of long names is large.

    Args:
        names: Of each image.
    """
    numbers: dict[str, int] = {}
    return np.fromiter((numbers.setdefault(one, len(numbers)) for one in names), int)


def _words(image: Image, class_name: str) -> tuple[str, ...]:
    """The words of a name and of its folders below the class, numbers among them."""
    path = PurePosixPath(image.path)
    folders = list(path.parent.parts)
    if class_name in folders:
        folders = folders[folders.index(class_name) + 1 :]
    kept = [one for one in folders if one.lower() not in SPLITS]
    return (*kept, *re.findall(r"[^\W\d_]+\d*|\d+", path.stem))


def _are_alike(
    group: Numbers, labels: NDArray[np.int64], near: Floats, whole: Numbers
) -> bool:
    """Whether the nearest image of the same class is mostly of the same group.

    Images of one whole are not asked about each other.
    """
    random = np.random.default_rng(0)
    asked = np.sort(random.permutation(len(group))[:_ASKED])
    hits, chance = 0, 0.0
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        some = asked[labels[asked] == label]
        if len(own) < 3 or not len(some):
            continue
        own_hits, own_chance = _ask(some, own, group, near, whole)
        hits, chance = hits + own_hits, chance + own_chance
    share = intervals.wilson(hits, len(asked))
    return bool(share.low >= max(_SHARE, _LIFT * chance / len(asked)))


def _ask(
    some: Numbers, own: Numbers, group: Numbers, near: Floats, whole: Numbers
) -> tuple[int, float]:
    """How often the nearest of a class is of an image's group, and how often by chance.

    Args:
        some: Images of the class that are asked about.
        own: All images of the class.
        group: As in `_are_alike`.
        near: As there.
        whole: As there.
    """
    features, best = scratch.gather(near, some), np.full(len(some), -np.inf)
    same, count = np.zeros((2, len(some)))
    is_hit = np.zeros(len(some), bool)
    # Of two classes of a million images one has half a million.
    for start in range(0, len(own), _PIECE):
        piece = own[start : start + _PIECE]
        similarity = features @ scratch.gather(near, piece).T
        others = whole[some][:, None] != whole[piece]
        similarity[~others] = -np.inf
        is_same = (group[some][:, None] == group[piece]) & others
        nearest = np.arange(len(some)), similarity.argmax(1)
        is_nearer = similarity[nearest] > best
        best = np.where(is_nearer, similarity[nearest], best)
        is_hit = np.where(is_nearer, is_same[nearest], is_hit)
        same, count = same + is_same.sum(1), count + others.sum(1)
    return int(is_hit.sum()), float((same / np.maximum(count, 1)).sum())
