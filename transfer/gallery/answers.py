"""What runs said of images: how sure, how wrong, and where two disagree."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer.datasets.revision import SPLITS, Image, Revision
from transfer.evaluation import results
from transfer.evaluation.results import Evaluation
from transfer.store import files

#: Of probabilities below it the loss is no larger.
_LEAST = 1e-7
#: Images that are looked at together.
_PIECE = 4096


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Of each image; nan and empty where the run was not asked.

    Attributes:
        predicted: Names of the most probable classes.
        confidence: Their probabilities.
        loss: Cross-entropy of the image's class, by its name now.
        disagreement: Total variation between what two runs said, 0 to 1.
    """

    predicted: NDArray[np.object_]
    confidence: NDArray[np.float32]
    loss: NDArray[np.float32]
    disagreement: NDArray[np.float32]

    @classmethod
    def none(cls, images: int) -> "Answers":
        """Where no run was asked; of however many images it takes no memory."""
        unknown = np.broadcast_to(np.float32(np.nan), images)
        return cls(
            predicted=np.broadcast_to(np.array("", object), images),
            confidence=unknown,
            loss=unknown,
            disagreement=unknown,
        )

    def take(self, order: NDArray[np.int64]) -> "Answers":
        """Those at these positions."""
        if not self.predicted.strides[0]:
            return Answers.none(len(order))
        return Answers(
            predicted=self.predicted[order],
            confidence=self.confidence[order],
            loss=self.loss[order],
            disagreement=self.disagreement[order],
        )


class _Said(NamedTuple):
    """What a run said of a split, and what the classes are called now."""

    evaluation: Evaluation
    names: Sequence[str]


def of(images: Sequence[Image], revision: Revision, run: str, other: str) -> Answers:
    """What a run said of images, and how far another one disagrees.

    Args:
        images: The images.
        revision: Theirs, which may call classes otherwise than the runs did.
        run: Id of the run; empty for none.
        other: Id of the other; empty for none.
    """
    if not run or not len(images):
        return Answers.none(len(images))
    unknown = np.full(len(images), np.nan, np.float32)
    found = Answers(
        predicted=np.full(len(images), "", object),
        confidence=unknown,
        loss=unknown.copy(),
        disagreement=unknown.copy(),
    )
    places = {one.sha256: at for at, one in enumerate(images)}
    labels = np.fromiter((one.label for one in images), np.int64, len(images))
    first = _evaluations(run, revision)
    for said in first:
        _note(found, said, places, labels, revision.class_names)
    if other:
        _compare(found.disagreement, first, _evaluations(other, revision), places)
    return found


def _note(
    found: Answers,
    said: _Said,
    places: Mapping[str, int],
    labels: NDArray[np.int64],
    class_names: Sequence[str],
) -> None:
    """Takes what an evaluation says of those of the images that it is of."""
    names = np.array(said.names, object)
    label_of = {name: label for label, name in enumerate(class_names)}
    own = np.array([label_of.get(name, -1) for name in said.names], np.int64)
    for numbers, at in _pieces(said.evaluation, places):
        chances = said.evaluation.scale_some(numbers)
        found.predicted[at] = names[chances.argmax(1)]
        found.confidence[at] = chances.max(1)
        is_right = own == labels[at][:, None]
        loss = -np.log(np.maximum((chances * is_right).sum(1), _LEAST))
        # A class that is new since then was not asked for.
        found.loss[at] = np.where(is_right.any(1), loss, np.nan)


def _compare(
    apart: NDArray[np.float32],
    first: Sequence[_Said],
    second: Sequence[_Said],
    places: Mapping[str, int],
) -> None:
    """Takes half the sum of the differences of two runs, classes by their names."""
    # Where the other says something of each image: in which split, and there as which.
    splits, numbers_there = np.full(len(apart), -1, np.int8), np.zeros(len(apart), int)
    for split, two in enumerate(second):
        for numbers, at in _pieces(two.evaluation, places):
            splits[at], numbers_there[at] = split, numbers
    for one in first:
        for numbers, at in _pieces(one.evaluation, places):
            for split, two in enumerate(second):
                both = splits[at] == split
                if not both.any():
                    continue
                names = sorted({*one.names, *two.names})
                mine = _by_name(one, numbers[both], names)
                theirs = _by_name(two, numbers_there[at[both]], names)
                apart[at[both]] = np.abs(mine - theirs).sum(1) / 2


def _by_name(
    said: _Said, numbers: NDArray[np.int64], names: Sequence[str]
) -> NDArray[np.float32]:
    """Probabilities with a column for each name; 0 where it was not asked for."""
    found = np.zeros((len(numbers), len(names)), np.float32)
    columns = {name: at for at, name in enumerate(names)}
    for name, chances in zip(
        said.names, said.evaluation.scale_some(numbers).T, strict=True
    ):
        found[:, columns[name]] += chances  # of merged classes together
    return found


def _pieces(
    said: Evaluation, places: Mapping[str, int]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Positions in an evaluation, and where the same images are among those asked."""
    for start in range(0, len(said.sha256), _PIECE):
        some = enumerate(said.sha256[start : start + _PIECE].tolist(), start)
        pairs = [(number, places[one]) for number, one in some if one in places]
        if pairs:
            numbers, at = np.array(pairs, np.int64).T
            yield numbers, at


def _evaluations(run: str, revision: Revision) -> list[_Said]:
    every = [found for split in SPLITS if (found := results.load(run, split))]
    return [_Said(one, _names_now(one, revision)) for one in every]


def _names_now(said: Evaluation, revision: Revision) -> list[str]:
    """What the classes that a run was asked for are called now.

    One whose name is gone was renamed or merged: it is called as most of its images.
    """
    names = [*said.class_names]
    gone = [at for at, name in enumerate(names) if name not in revision.class_names]
    label_of = {one.sha256: one.label for one in revision.images} if gone else {}
    for at in gone:
        own = said.sha256[said.labels == at].tolist()
        now = Counter(label_of[one] for one in own if one in label_of)
        label, images = max(now.items(), key=lambda pair: pair[1], default=(0, 0))
        if 2 * images > now.total():
            names[at] = revision.class_names[label]
    return names


def stamp(run: str) -> int:
    """Changes when the run is asked of more images; 0 where nothing is known of it."""
    latest = 0
    for split in SPLITS if run else ():
        with suppress(OSError):
            path = files.evaluation(run, split)
            latest = max(latest, path.stat().st_mtime_ns)
    return latest
