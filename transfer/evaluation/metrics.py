"""Figures of how well a classifier does, each with its 95 % confidence interval.

A figure that has no value, such as the recall of a class without images, is `nan`, and
so are the ends of its interval.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from transfer.evaluation import large
from transfer.evaluation.intervals import Floats, Interval, wilson

#: Resamples of a bootstrap; its ends then move by about a tenth of a standard error.
_RESAMPLES = 2000
#: Cells of confusion matrices that are held at a time, 16 MB of each.
_COUNTS = 2_000_000


@dataclass(frozen=True, kw_only=True)
class ClassFigures:
    """How well one class is told from the others.

    Attributes:
        images: Number of its images.
        predicted: Number of images that were taken for it.
        precision: Share of these that are of the class.
        recall: Share of its images that were recognised.
        f1: Harmonic mean of the two; 0 where no image was recognised.
    """

    images: int
    predicted: int
    precision: Interval
    recall: Interval
    f1: Interval


@dataclass(frozen=True, kw_only=True)
class Figures:
    """How well a classifier does on a split.

    Attributes:
        images: Number of images.
        top_1: Share of images whose most probable class is the right one.
        top_5: Share of images whose class is among the five most probable.
        balanced_accuracy: Mean recall of the classes that have images.
        macro_f1: Mean F1 of the classes that have images or were named.
        classes: Of each class, in label order.
    """

    images: int
    top_1: Interval
    top_5: Interval
    balanced_accuracy: Interval
    macro_f1: Interval
    classes: tuple[ClassFigures, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back."""
        headline = {name: getattr(self, name).to_json() for name in HEADLINE}
        classes = [
            {
                "images": one.images,
                "predicted": one.predicted,
                **{name: getattr(one, name).to_json() for name in PER_CLASS},
            }
            for one in self.classes
        ]
        return {"images": self.images, **headline, "classes": classes}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Figures":
        """The figures that `to_json` wrote."""
        read = Interval.from_json
        classes = tuple(
            ClassFigures(**{**one, **{name: read(one[name]) for name in PER_CLASS}})
            for one in data["classes"]
        )
        headline = {name: read(data[name]) for name in HEADLINE}
        return cls(images=data["images"], **headline, classes=classes)


#: The figures of a whole split, and those of each class.
HEADLINE = ("top_1", "top_5", "balanced_accuracy", "macro_f1")
PER_CLASS = ("precision", "recall", "f1")


def figures(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> Figures:
    """All figures of one split.

    Args:
        probabilities: `(images, num_classes)`.
        labels: The right label indices, `(images,)`.
    """
    ranks = label_ranks(probabilities, labels)
    answers = large.by_image(lambda some: some.argmax(1), probabilities)
    matrix = confusion(labels, answers, probabilities.shape[1])
    # A share of images has Wilson's interval. A mean over classes is no share, so it
    # is resampled.
    intervals = {
        "top_1": wilson(np.sum(ranks < 1), len(ranks)),
        "top_5": wilson(np.sum(ranks < 5), len(ranks)),
        "balanced_accuracy": _bootstrap(matrix, _mean_recall),
        "macro_f1": _bootstrap(matrix, _macro_f1),
    }
    return Figures(images=len(labels), **intervals, classes=_per_class(matrix))


def label_ranks(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> NDArray[np.int64]:
    """How many classes are more probable than the right one, `(images,)`.

    Of equally probable classes the one of the lower label counts as more probable,
    as `argmax` has it.
    """
    ranks = np.empty(len(labels), np.int64)
    for some in large.pieces(len(labels), probabilities):
        own, chances = labels[some][:, None], probabilities[some]
        right = np.take_along_axis(chances, own, axis=1)
        before = np.arange(chances.shape[1]) < own
        # Ties as `argmax` breaks them; else top-1 would not be what is answered.
        ranks[some] = ((chances > right) | ((chances == right) & before)).sum(axis=1)
    return ranks


def confusion(
    labels: NDArray[np.integer[Any]],
    predicted: NDArray[np.integer[Any]],
    num_classes: int,
) -> NDArray[np.int64]:
    """Number of images by right label (rows) and predicted label (columns)."""
    # One number for each pair counts all of them in one pass.
    cells = labels.astype(np.int64) * num_classes + predicted
    counts = np.bincount(cells, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes)


def balanced_accuracy(
    predicted: NDArray[np.integer[Any]], labels: NDArray[np.integer[Any]]
) -> float:
    """Mean recall of the classes that have images, in [0, 1].

    Args:
        predicted: The label index that each image was given, `(images,)`.
        labels: The right ones, `(images,)`.
    """
    right = predicted == labels
    hits, images = np.bincount(labels, right), np.bincount(labels).astype(np.float64)
    return float(_mean_share(hits.astype(np.float64), images))


def _per_class(matrix: NDArray[np.int64]) -> tuple[ClassFigures, ...]:
    hits, images, predicted = np.diag(matrix), matrix.sum(1), matrix.sum(0)
    return tuple(
        ClassFigures(
            images=int(images[label]),
            predicted=int(predicted[label]),
            precision=wilson(hits[label], predicted[label]),
            recall=wilson(hits[label], images[label]),
            f1=f1(hits[label], images[label], predicted[label]),
        )
        for label in range(len(matrix))
    )


def f1(hits: int, images: int, predicted: int) -> Interval:
    """F1 of one class with its interval.

    F1 is 2s / (1 + s), where s is the share of hits among the images that are of the
    class or were taken for it. Such an image is a hit or none, so s has Wilson's
    interval, and F1 grows with s. A bootstrap would give a class without mistakes an
    interval of no width.
    """
    share = np.array(wilson(hits, images + predicted - hits))
    return Interval(*(2 * share / (1 + share)).tolist())


def _mean_recall(hits: Floats, images: Floats, predicted: Floats) -> Floats:
    return _mean_share(hits, images)


def _macro_f1(hits: Floats, images: Floats, predicted: Floats) -> Floats:
    return _mean_share(2 * hits, images + predicted)


def _mean_share(hits: Floats, of: Floats) -> Floats:
    """Mean over the last axis of the shares that have a value."""
    with np.errstate(invalid="ignore", divide="ignore"):
        # A class without images has no share: it is left out, not counted as 0.
        shares = np.where(of > 0, hits / np.maximum(of, 1), 0.0)
        return np.asarray(shares.sum(-1) / (of > 0).sum(-1))


def _bootstrap(matrix: NDArray[np.int64], figure: Any, seed: int = 0) -> Interval:
    """A mean over classes, with the percentile interval of the bootstrap.

    Efron and Tibshirani 1993, chapter 13. Drawing images with replacement draws the
    cells of the confusion matrix out of a multinomial distribution, so that no image
    need be touched. Where no answer is wrong, or every one, resampling changes
    nothing, and the interval is Wilson's for as many images.
    """
    # Only cells that hold images: with 1,000 classes few of a million do.
    rows, columns = np.nonzero(matrix)
    cells, total, classes = matrix[rows, columns], int(matrix.sum()), len(matrix)
    if not total:
        return Interval(np.nan, np.nan, np.nan)

    of_rows, of_columns = _Sums(rows, classes), _Sums(columns, classes)

    def of(counts: NDArray[np.int64]) -> Floats:
        hits = of_rows.of(np.where(rows == columns, counts, 0))
        return np.asarray(figure(hits, of_rows.of(counts), of_columns.of(counts)))

    value = float(of(cells[None])[0])
    if value in (0.0, 1.0):
        return wilson(total * value, total)
    random, drawn = np.random.default_rng(seed), list[float]()
    while len(drawn) < _RESAMPLES:
        # Some at a time: of 1,000 classes in doubt all at once took gigabytes.
        count = min(_RESAMPLES - len(drawn), max(1, _COUNTS // len(cells)))
        drawn += of(random.multinomial(total, cells / total, count)).tolist()
    low, high = np.quantile(drawn, (0.025, 0.975))
    # With few images the percentiles can lie beside the figure itself.
    return Interval(value, min(float(low), value), max(float(high), value))


class _Sums:
    """Adds up the columns of each label; the labels are sorted once."""

    def __init__(self, labels: NDArray[np.int64], classes: int) -> None:
        self._order = np.argsort(labels, kind="stable")
        self._classes = classes
        self._found, self._starts = np.unique(labels[self._order], return_index=True)

    def of(self, counts: NDArray[np.int64]) -> Floats:
        """The sums, `(len(counts), classes)`."""
        sums = np.zeros((len(counts), self._classes))
        sums[:, self._found] = np.add.reduceat(
            counts[:, self._order], self._starts, axis=1
        )
        return sums


def similarity_order(matrix: NDArray[np.int64]) -> list[int]:
    """Labels in an order that brings classes together which are often confused.

    Average linkage on the symmetrised shares of confusions, its leaves in the order
    of Bar-Joseph et al. 2001, https://doi.org/10.1093/bioinformatics/17.suppl_1.S22.
    """
    # Two classes have no order to choose, and one has no distance.
    if len(matrix) < 3:
        return list(range(len(matrix)))
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    # Shares of each class, or large classes would seem close to everything; both
    # ways, since a distance has no direction.
    apart = 1 - (shares + shares.T) / 2
    np.fill_diagonal(apart, 0.0)
    condensed = scipy.spatial.distance.squareform(apart, checks=False)
    tree = scipy.cluster.hierarchy.linkage(condensed, "average", optimal_ordering=True)
    return [int(label) for label in scipy.cluster.hierarchy.leaves_list(tree)]
