"""What runs said of images: how sure, how wrong, and where two disagree."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transfer.datasets.revision import SPLITS, Image
from transfer.evaluation import results
from transfer.evaluation.results import Evaluation
from transfer.store import files

#: Of probabilities below it the loss is no larger.
_LEAST = 1e-7


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Of each image; nan and empty where the run was not asked.

    Attributes:
        predicted: Names of the most probable classes.
        confidence: Their probabilities.
        loss: Cross-entropy of the image's class, by its name now.
        disagreement: Total variation between what two runs said, 0 to 1.
    """

    predicted: tuple[str, ...]
    confidence: NDArray[np.float64]
    loss: NDArray[np.float64]
    disagreement: NDArray[np.float64]

    def take(self, order: NDArray[np.int64]) -> "Answers":
        """Those at these positions."""
        return Answers(
            predicted=tuple(self.predicted[at] for at in order),
            confidence=self.confidence[order],
            loss=self.loss[order],
            disagreement=self.disagreement[order],
        )


def of(
    images: Sequence[Image], class_names: Sequence[str], run: str, other: str
) -> Answers:
    """What a run said of images, and how far another one disagrees.

    Args:
        images: The images.
        class_names: Names of their classes, in label order.
        run: Id of the run; empty for none.
        other: Id of the other; empty for none.
    """
    none = np.full(len(images), np.nan)
    predicted, confidence, loss = [""] * len(images), none.copy(), none.copy()
    disagreement = none.copy()
    mine, others = _rows(run), _rows(other)
    for at, image in enumerate(images):
        if not (row := mine.get(image.sha256)):
            continue
        said, number = row
        chances = said.shown[number]
        best = int(chances.argmax())
        predicted[at], confidence[at] = said.class_names[best], chances[best]
        truth = class_names[image.label]
        if truth in said.class_names:  # a class that is new since then was not asked
            chance = chances[said.class_names.index(truth)]
            loss[at] = -np.log(max(float(chance), _LEAST))
        if second := others.get(image.sha256):
            disagreement[at] = _distance(row, second)
    return Answers(
        predicted=tuple(predicted),
        confidence=confidence,
        loss=loss,
        disagreement=disagreement,
    )


def stamp(run: str) -> int:
    """Changes when the run is asked of more images; 0 where nothing is known of it."""
    latest = 0
    for split in SPLITS if run else ():
        with suppress(OSError):
            path = files.evaluation(run, split)
            latest = max(latest, path.stat().st_mtime_ns)
    return latest


_Row = tuple[Evaluation, int]


def _rows(run: str) -> dict[str, _Row]:
    """The evaluation of each image and its place there, by hash."""
    if not run:
        return {}
    stored = [found for split in SPLITS if (found := results.load(run, split))]
    return {
        sha256: (found, number)
        for found in stored
        for number, sha256 in enumerate(found.sha256.tolist())
    }


def _distance(one: _Row, other: _Row) -> float:
    """Half the sum of the differences, classes by their names."""
    of_one = dict(zip(one[0].class_names, one[0].shown[one[1]].tolist(), strict=True))
    of_other = dict(
        zip(other[0].class_names, other[0].shown[other[1]].tolist(), strict=True)
    )
    names = of_one.keys() | of_other.keys()
    apart = [abs(of_one.get(one, 0.0) - of_other.get(one, 0.0)) for one in names]
    return float(sum(apart) / 2)
