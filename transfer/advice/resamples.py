"""What the images would have said, had others of their kind been there: resamples."""

from typing import Any, NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

#: Drawn numbers that are held at a time, 64 MB.
_DRAWN = 8_000_000

Floats = NDArray[np.float64]
Counts = NDArray[np.unsignedinteger[Any]]


class Answers(NamedTuple):
    """What heads of each share of the images said of the others.

    Attributes:
        sizes: Images that a head was made from, `(shares,)`.
        asked: How often each image was asked about, `(shares, images)`.
        right: How often it was named right, likewise.
        luck: Variance of the accuracy that comes of which images a head was made from,
            times their number.
    """

    sizes: Floats
    asked: Floats
    right: Floats
    luck: float


def draw(
    answers: Answers,
    labels: NDArray[np.int32],
    num_classes: int,
    count: int,
    random: np.random.Generator,
) -> tuple[Counts, Counts]:
    """How often images were asked about and named right, as others might have been.

    Args:
        answers: Of the images.
        labels: Label index of each image, `(images,)`.
        num_classes: Number of classes.
        count: Number of resamples, of which the first is the images as they are.
        random: Draws the others.

    Returns:
        Each `(resamples, shares, classes)`.
    """
    shape = len(answers.sizes), num_classes
    some = np.flatnonzero(answers.asked.any(0))
    odds = np.full(len(some), 1 / len(labels))
    if len(some) < len(labels):  # what nobody was asked about is drawn as one
        odds = np.append(odds, 1 - odds.sum())
    share, image = np.nonzero(answers.asked[:, some])
    to = share * num_classes + labels[some[image]]
    tables = [
        scipy.sparse.csr_array(
            (one[share, some[image]], (image, to)), (len(odds), shape[0] * shape[1])
        )
        for one in (answers.asked, answers.right)
    ]
    sums = np.empty((2, count, shape[0] * shape[1]), np.uint32)
    # Some at a time: of a million images all at once would take 8 GB.
    step = max(1, _DRAWN // len(odds))
    for start in range(0, count, step):
        part = sums[:, start : start + step]
        drawn = random.multinomial(len(labels), odds, part.shape[1])
        if not start:
            drawn[0] = 1
        for into, table in zip(part, tables, strict=True):
            into[:] = drawn @ table
    asked, right = sums.reshape(2, count, *shape)
    return asked, right


def errors(asked: Counts, right: Counts) -> Floats:
    """The share of wrong answers about some images, `(resamples, shares)`."""
    wrong = 1 - right / np.maximum(asked, 1)
    # Where a resample has none of them, they are taken as they are.
    return np.asarray(np.where(asked > 0, wrong, wrong[0]))
