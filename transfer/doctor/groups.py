"""Groups: images of one subject, session or burst, which no split may tear apart.

Whoever has seen a person in train knows him in val: the accuracy is then that of known
people, and no other ones. Groups are found by what files are called and by copies.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from transfer.classifier.ridge import Rows
from transfer.datasets.revision import SPLITS, Revision, Split
from transfer.datasets.wording import WORDS
from transfer.doctor import labels as heads
from transfer.doctor import name_groups
from transfer.doctor.finding import Finding, Remedy, show
from transfer.evaluation import intervals

#: Images that are shown.
_SHOWN = 12

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]


class Leak(NamedTuple):
    """A split before and after its groups were brought together.

    Attributes:
        before: Accuracy of a linear head on val, as the split is.
        after: The same once no group lies on both sides.
    """

    before: intervals.Interval
    after: intervals.Interval

    def __str__(self) -> str:
        if np.isnan(self.before.value) or np.isnan(self.after.value):
            return "There is no val, so what it is worth is not known."
        before, after = self.before, self.after
        return (
            f"A linear head reaches {before.value:.1%} on val as it is, and "
            f"{after.value:.1%} ({after.low:.1%} to {after.high:.1%}) once they are "
            "together: that is the honest one."
        )


def mend(
    labels: NDArray[np.int64], splits: Sequence[Split], groups: Numbers
) -> list[Split]:
    """The split in which no group lies on two sides; as few images move as can be.

    A group goes to that of its splits which lacks most of its classes' images, as
    counted before; the largest first, so that small ones fill what is left.

    Args:
        labels: Label index of each image, `(images,)`.
        splits: The split of each image.
        groups: The group of each image, `(images,)`.
    """
    numbers = np.array([SPLITS.index(split) for split in splits])
    torn = torn_groups(numbers, groups)
    shape = labels.max() + 1, len(SPLITS)
    lacking = np.zeros(shape)
    moving = np.isin(groups, torn)
    np.add.at(lacking, (labels[moving], numbers[moving]), 1)
    sizes = np.bincount(groups)
    # Not looked for one after another: a million images may have 100,000 torn groups.
    by_group, ends = np.argsort(groups, kind="stable"), np.cumsum(sizes)
    for group in sorted(torn, key=lambda one: (-sizes[one], one)):
        members = by_group[ends[group] - sizes[group] : ends[group]]
        counts = np.bincount(labels[members], minlength=shape[0])
        sides = np.unique(numbers[members])
        chosen = max(sides, key=lambda side: float(counts @ lacking[:, side]))
        numbers[members] = chosen
        lacking[:, chosen] -= counts
    return [SPLITS[number] for number in numbers]


def torn_groups(numbers: NDArray[np.int64], groups: Numbers) -> Numbers:
    """Groups that lie in more than one split.

    Args:
        numbers: A number for the split of each image.
        groups: The group of each image.
    """
    low = np.full(groups.max() + 1, len(SPLITS))
    high = np.full(groups.max() + 1, -1)
    np.minimum.at(low, groups, numbers)
    np.maximum.at(high, groups, numbers)
    return np.flatnonzero(low < high)


def join(one: Numbers, other: Numbers) -> Numbers:
    """Groups in which all are together that are so in the one or the other."""
    size = len(one)
    ends = np.concatenate([one, other + one.max() + 1])
    images = np.tile(np.arange(size), 2)
    graph = coo_matrix((np.ones(2 * size), (images, size + ends)))
    square = max(graph.shape)
    graph.resize(square, square)
    joined: Numbers = connected_components(graph, directed=False)[1][:size]
    return joined.astype(np.int64)


def findings(
    revision: Revision,
    features: Rows,
    near: Floats,
    clusters: Numbers,
    strength: float,
    given: Numbers | None = None,
) -> list[Finding]:
    """What a split tears apart: one finding for names or a table, one for copies.

    Args:
        revision: The dataset.
        features: `(images, channels)`.
        near: Features of length 1, `(images, fewer channels)`.
        clusters: The cluster of copies of each image, of a sound the recording that it
            was cut from, `(images,)`.
        strength: Of a regression on the features, see `labels.accuracy`.
        given: The group of each image by a table, which knows better than names.
    """
    what, named = "the table", given
    if named is None:
        what = "what files are called and where they lie"
        cut_from = clusters if revision.kind == "sounds" else None
        named = name_groups.find(revision.images, revision.class_names, near, cut_from)
    found = []
    if named is not None:
        both = join(named, clusters)
        found += _report(revision, features, strength, both, named, what)
    what = {"images": "copies and bursts", "sounds": "what they were cut from"}[
        revision.kind
    ]
    return found + _report(revision, features, strength, clusters, clusters, what)


def _report(
    revision: Revision,
    features: Rows,
    strength: float,
    groups: Numbers,
    shown: Numbers,
    what: str,
) -> list[Finding]:
    """The finding that these groups are torn, if any is.

    Args:
        revision: The dataset.
        features: As in `findings`.
        strength: As in `findings`.
        groups: What the split is to keep together.
        shown: Groups that are counted and shown.
        what: By which they are found, in words.
    """
    labels = np.array([image.label for image in revision.images])
    splits = [image.split for image in revision.images]
    numbers = np.array([SPLITS.index(split) for split in splits])
    torn = torn_groups(numbers, shown)
    if not len(torn):
        return []
    mended = mend(labels, splits, groups)
    leak = measure(features, labels, splits, mended, groups, strength)
    first = [at for group in torn[:_SHOWN] for at in _sides(shown, numbers, group)]
    count = int(np.isin(shown, torn).sum())
    words = WORDS[revision.kind]
    several = "1 group" if len(torn) == 1 else f"{len(torn):,} groups"
    says = (
        f"In more than one split: {several} of {words.images} that belong together, by "
        f"{what}, {count:,} {words.images} in all. Whoever knows one of a group knows "
        "the others, so the accuracy is better than it will be on new "
        f"{words.pictures}. {leak}"
    )
    targets = {
        split: tuple(
            image.sha256
            for image, new in zip(revision.images, mended, strict=True)
            if new == split != image.split
        )
        for split in SPLITS
    }
    moved = sum(map(len, targets.values()))
    remedy = Remedy(
        does="split",
        says=f"Keep groups together ({moved:,} to another split)",
        targets={split: who for split, who in targets.items() if who},
    )
    return [
        Finding(
            kind="group",
            images=show(revision, [revision.images[at] for at in first]),
            certainty=0.95,
            says=says,
            remedies=(remedy,),
        )
    ]


def _sides(groups: Numbers, numbers: NDArray[np.int64], group: int) -> list[int]:
    """An image of the group in each of its splits."""
    members = np.flatnonzero(groups == group)
    _, first = np.unique(numbers[members], return_index=True)
    return [int(at) for at in members[first]]


def measure(
    features: Rows,
    labels: NDArray[np.int64],
    before: Sequence[Split],
    after: Sequence[Split],
    groups: Numbers,
    strength: float,
) -> Leak:
    """What a linear head on kept features reaches on val, with either split.

    The four pictures of a burst say no more than one, so an interval counts groups.
    """
    asked = int(labels.max()) + 1, strength
    told, given = [], labels.astype(np.int32)
    for splits in (before, after):
        train, val = (np.array([one == name for one in splits]) for name in SPLITS[:2])
        if not val.any() or len(np.unique(labels[train])) < 2:
            told.append(intervals.wilson(0, 0))
            continue
        found = heads.accuracy(features, given, train, val, *asked)
        count = len(np.unique(groups[val]))
        told.append(intervals.wilson(found.value * count, count))
    return Leak(*told)
