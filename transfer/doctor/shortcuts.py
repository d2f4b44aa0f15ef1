"""Shortcuts: classes that are told by what has nothing to do with them.

A small model is given one property of the files alone. If it tells a class from all
others nearly always, a large one may well have learnt just that.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from transfer.advice import probes
from transfer.datasets import scratch
from transfer.datasets.revision import Image, Revision
from transfer.doctor.finding import Finding, show
from transfer.doctor.one_look import Looks
from transfer.evaluation import intervals

#: Images that are looked at; of more, as many are drawn.
_MOST = 20_000
#: Images that a class needs to be judged, and images of it and of others to show.
_LEAST, _SHOWN = 10, 6
#: How well a class must be told at least, at the lower end of the interval: of what
#: cannot be seen in the picture, and of what can, and may well be what the class is.
_TOLD, _TOLD_SEEN = 0.9, 0.95
#: Deepest question of the small model, and images below each of its answers.
_DEPTH, _LEAF = 8, 4
#: Ways to name files that are told apart; others count as one.
_WAYS = 20

Columns = NDArray[np.float32]


class _Property(NamedTuple):
    """What a class may be told by.

    Attributes:
        name: In words.
        of: Its numbers `(images, columns)`.
        told: How well a class must be told at the least.
        mend: What to do about it, in words.
    """

    name: str
    of: Callable[[Revision, Looks], Columns]
    told: float
    mend: str


def findings(revision: Revision, looks: Looks) -> list[Finding]:
    """One finding for each property that tells a class.

    Args:
        revision: The dataset.
        looks: At its images, in their order; all can be read.
    """
    labels = np.array([image.label for image in revision.images], np.int32)
    some = probes.stratified_sample(labels, _MOST)
    revision = replace(revision, images=tuple(revision.images[at] for at in some))
    labels = labels[some]
    looks = Looks(looks.rows[some], scratch.gather(looks.greys, some), {})
    if len(np.unique(labels)) < 2:
        return []
    found = []
    for one in _PROPERTIES:
        told = [*_tell_classes(one, revision, looks, labels)]
        if told:
            found.append(_finding(one, revision, labels, told))
    return found


def _tell_classes(
    one: _Property, revision: Revision, looks: Looks, labels: NDArray[np.int32]
) -> Iterator[tuple[int, intervals.Interval]]:
    """Classes that the property alone tells, and how well."""
    columns = one.of(revision, looks)
    if (columns == columns[0]).all():
        return
    answers = _answers_by_folds(columns, labels, revision.seed)
    for label, count in enumerate(np.bincount(labels)):
        if _LEAST <= count < len(labels):
            told = share_told(answers == label, labels == label)
            if told.low >= one.told:
                yield label, told


def _answers_by_folds(
    columns: Columns, labels: NDArray[np.int32], seed: int
) -> NDArray[np.int32]:
    """What a small model says of each image that it never saw."""
    fold, answers = probes.folds(labels, seed), np.full_like(labels, -1)
    for number in range(probes.FOLDS):
        test = fold == number
        if test.any() and not test.all():
            tree = DecisionTreeClassifier(
                max_depth=_DEPTH,
                min_samples_leaf=_LEAF,
                class_weight="balanced",
                random_state=0,
            )
            answers[test] = tree.fit(columns[~test], labels[~test]).predict(
                columns[test]
            )
    return answers


def share_told(said: NDArray[np.bool_], so: NDArray[np.bool_]) -> intervals.Interval:
    """How well a class is told: the mean of its share and of the others' share."""
    own = intervals.wilson(int((said & so).sum()), int(so.sum()))
    other = intervals.wilson(int((~said & ~so).sum()), int((~so).sum()))
    ends = ((a + b) / 2 for a, b in zip(own, other, strict=True))
    return intervals.Interval(*ends)


def _finding(
    one: _Property,
    revision: Revision,
    labels: NDArray[np.int32],
    told: list[tuple[int, intervals.Interval]],
) -> Finding:
    told = sorted(told, key=lambda pair: -pair[1].low)
    label, best = told[0]
    more = f" and {len(told) - 1} more" if len(told) > 1 else ""
    says = (
        f'"{revision.class_names[label]}"{more} can be told by {one.name} alone: right '
        f"in {best.value:.0%} ({best.low:.0%} to {best.high:.0%}) of the images that "
        "were held back. A model may learn that instead of what is on the pictures: it "
        f"looks good on val, and fails on pictures from elsewhere. {one.mend}"
    )
    own = np.flatnonzero(labels == label)[:_SHOWN]
    others = np.flatnonzero(labels != label)
    others = others[:: max(1, len(others) // _SHOWN)][:_SHOWN]
    images: list[Image] = [revision.images[at] for at in (*own, *others)]
    return Finding(
        kind="shortcut",
        images=show(revision, images),
        certainty=float(best.low),
        says=says,
    )


def _size(revision: Revision, looks: Looks) -> Columns:
    return _stack(looks.rows["width"], looks.rows["height"])


def _aspect(revision: Revision, looks: Looks) -> Columns:
    return _stack(looks.rows["width"] / np.maximum(looks.rows["height"], 1))


def _format(revision: Revision, looks: Looks) -> Columns:
    kinds = [looks.rows["format"], looks.rows["mode"]]
    numbers = [np.unique(kind, return_inverse=True)[1] for kind in kinds]
    return _stack(*numbers, looks.rows["quality"])


def _border(revision: Revision, looks: Looks) -> Columns:
    return _stack(*looks.rows["border"].T, looks.rows["border_spread"])


def _colour(revision: Revision, looks: Looks) -> Columns:
    return _stack(*looks.rows["colour"].T)


def _background(revision: Revision, looks: Looks) -> Columns:
    """Light and its spread along the four sides, where the background is."""
    grey = looks.greys
    wide = grey.shape[1] // 6
    sides = grey[:, :wide], grey[:, -wide:], grey[:, :, :wide], grey[:, :, -wide:]
    flat = [side.reshape(len(grey), -1) for side in sides]
    return _stack(*(f(1) for one in flat for f in (one.mean, one.std)))


def _name(revision: Revision, looks: Looks) -> Columns:
    ways = [
        way_of_naming(image.path, revision.class_names) for image in revision.images
    ]
    common = [way for way, _ in Counter(ways).most_common(_WAYS)]
    number = {way: at for at, way in enumerate(common)}
    found = np.array([number.get(way, _WAYS) for way in ways])
    return _stack(*(found == at for at in range(_WAYS)))


def way_of_naming(path: str, class_names: tuple[str, ...]) -> str:
    """A file's name without its numbers, its ending and the names of classes."""
    name = PurePosixPath(path).stem.lower()
    for one in sorted(class_names, key=len, reverse=True):
        name = name.replace(one.lower(), "")
    # What a camera or a site numbers its files by, in whichever digits.
    return re.sub(r"[0-9a-f]{6,}|\d+", "#", name)


def _date(revision: Revision, looks: Looks) -> Columns:
    changed = np.array([image.day for image in revision.images])
    taken = looks.rows["taken"]
    return _stack(np.where(taken > 0, taken, 0), np.where(taken > 0, 0, changed))


def _stack(*columns: NDArray[np.generic]) -> Columns:
    return np.stack([one.astype(np.float32) for one in columns], 1)


_SAME_SOURCE = "Bring pictures of every class from the same sources."
_PROPERTIES = (
    _Property("the size in pixels", _size, _TOLD, _SAME_SOURCE),
    _Property("the shape, height to width,", _aspect, _TOLD, _SAME_SOURCE),
    _Property(
        "the format of its files",
        _format,
        _TOLD,
        "Save the pictures of every class in one way, or bring all from the same "
        "sources.",
    ),
    _Property("the names of its files", _name, _TOLD, _SAME_SOURCE),
    _Property(
        "the date",
        _date,
        _TOLD,
        "Take pictures of every class on the same days: light and place change with "
        "them.",
    ),
    _Property(
        "the border",
        _border,
        _TOLD_SEEN,
        "Cut the borders off, or bring pictures of every class with the same ones.",
    ),
    _Property(
        "the mean colour",
        _colour,
        _TOLD_SEEN,
        "If colour is what makes the class, all is well; if not, take pictures of "
        "every class in the same light.",
    ),
    _Property(
        "the background",
        _background,
        _TOLD_SEEN,
        "Take pictures of every class before the same backgrounds.",
    ),
)
