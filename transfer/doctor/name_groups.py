"""Groups that names of files tell: of one subject, session or burst."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from transfer.datasets import scratch
from transfer.datasets.revision import SPLITS, Image
from transfer.evaluation import intervals

#: Images that are asked for their nearest one.
_ASKED = 2000
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
        keys = [
            "/".join(one[:length]) if len(one) > length else image.path
            for one, image in zip(parts, images, strict=True)
        ]
        group = np.unique(keys, return_inverse=True)[1].astype(np.int64)
        sizes = np.bincount(group)
        is_grouping = sizes.max() <= len(images) / 4 and len(sizes) <= len(images) / 2
        if is_grouping and _are_alike(group, labels, near, whole):
            found = group
    return found


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
        similarity = near[some] @ near[own].T
        scratch.forget(near)
        others = whole[some][:, None] != whole[own]
        similarity[~others] = -np.inf
        is_same = group[some][:, None] == group[own]
        nearest = np.arange(len(some)), similarity.argmax(1)
        hits += int((is_same & others)[nearest].sum())
        count = np.maximum(others.sum(1), 1)
        chance += float(((is_same & others).sum(1) / count).sum())
    share = intervals.wilson(hits, len(asked))
    return bool(share.low >= max(_SHARE, _LIFT * chance / len(asked)))
