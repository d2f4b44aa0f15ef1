"""Curves of a classifier: ROC, precision-recall, reliability, risk against coverage."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer.evaluation import large
from transfer.evaluation.intervals import Floats, Interval, wilson, wilson_arrays

Probabilities = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]

#: Points that a curve is thinned to; a chart of 1,000 pixels shows no more.
POINTS = 200
#: Bins of a reliability diagram, as in Guo et al. 2017.
BINS = 15


class Curve(NamedTuple):
    """Points of a curve and the area below it, of all points before thinning.

    Attributes:
        x: False positive rate (ROC) or recall.
        y: True positive rate (ROC) or precision.
        area: Area under the ROC curve, or average precision; `nan` for a class
            without images, and of a ROC curve for one that has them all.
    """

    x: Floats
    y: Floats
    area: float


_NO_CURVE = Curve(np.empty(0), np.empty(0), np.nan)


def roc(probabilities: Probabilities, labels: Labels, label: int) -> Curve:
    """True against false positive rate of one class against all others."""
    # Half a second, once in the server's life; the other views do without.
    from sklearn.metrics import auc, roc_curve  # noqa: PLC0415

    scores, positive = _column(probabilities, label), labels == label
    if positive.all() or not positive.any():
        return _NO_CURVE
    x, y, _ = roc_curve(positive, scores, drop_intermediate=False)
    area = float(auc(x, y))
    x, y = _thin(x, y)
    return Curve(x, y, area)


def precision_recall(probabilities: Probabilities, labels: Labels, label: int) -> Curve:
    """Precision against recall of one class; the area is the average precision."""
    from sklearn.metrics import precision_recall_curve  # noqa: PLC0415  as in `roc`

    scores, positive = _column(probabilities, label), labels == label
    if not positive.any():
        return _NO_CURVE
    y, x, _ = (one[::-1] for one in precision_recall_curve(positive, scores))
    # Not `average_precision_score`, which would sort all scores once more.
    area = float(np.sum(np.diff(x) * y[1:]))
    # At recall 0 nothing is named, which scikit-learn calls a precision of 1. A line
    # from there would promise what no threshold gives.
    y[0] = y[1]
    x, y = _thin(x, y)
    return Curve(x, y, area)


def _column(probabilities: Probabilities, label: int) -> NDArray[np.floating[Any]]:
    return large.by_image(lambda some: some[:, label], probabilities)


def _thin(*arrays: Floats) -> tuple[Floats, ...]:
    """The arrays at `POINTS` positions at most, both ends among them."""
    length = len(arrays[0])
    if length <= POINTS:
        return arrays
    kept = np.unique(np.linspace(0, length - 1, POINTS).round().astype(int))
    return tuple(one[kept] for one in arrays)


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """How often the answers of each confidence are right; bins of equal width.

    Attributes:
        counts: Number of images of each bin, `(BINS,)`.
        confidence: Mean confidence of each bin; `nan` where it is empty.
        accuracy: Share of right answers of each bin; `nan` where it is empty.
        low: Lower ends of the accuracies' 95 % intervals.
        high: Upper ends of them.
        error: Expected calibration error: mean distance of accuracy and confidence,
            weighted by the counts.
    """

    counts: NDArray[np.int64]
    confidence: Floats
    accuracy: Floats
    low: Floats
    high: Floats
    error: float


def reliability(probabilities: Probabilities, labels: Labels) -> Reliability:
    """The reliability diagram of the most probable classes, and its error.

    Guo et al. 2017, https://arxiv.org/abs/1706.04599, section 2.
    """
    confidence, right = answers(probabilities, labels)
    # Of equal width, so that the diagram can be compared with published ones.
    edges = np.linspace(0, 1, BINS + 1)
    # A confidence on an edge belongs to the bin below it, as in the paper.
    bins = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    sums = np.bincount(bins, confidence, BINS)
    hits = np.bincount(bins, right, BINS)
    accuracy, low, high = wilson_arrays(hits, counts)
    with np.errstate(invalid="ignore"):
        means = sums / counts
        # Hits less confidences: the distance of a bin times its count.
        error = np.abs(hits - sums).sum() / np.float64(len(labels))
    return Reliability(
        counts=counts,
        confidence=means,
        accuracy=accuracy,
        low=low,
        high=high,
        error=float(error),
    )


def answers(
    probabilities: Probabilities, labels: Labels
) -> tuple[Floats, NDArray[np.bool_]]:
    """Confidence of each image's most probable class, and whether it is right."""
    predicted = large.by_image(lambda some: some.argmax(1), probabilities)
    confidence = large.by_image(lambda some: some.max(1), probabilities)
    return confidence.astype(np.float64), predicted == labels


class RiskCoverage(NamedTuple):
    """What is answered when only confident answers are given, `(points,)` each.

    Attributes:
        thresholds: Confidence from which on an answer is given, falling.
        answered: Share of images that are answered, 0 to 1.
        accuracy: Share of these answers that are right, 0 to 1.
    """

    thresholds: Floats
    answered: Floats
    accuracy: Floats


def risk_coverage(probabilities: Probabilities, labels: Labels) -> RiskCoverage:
    """Accuracy against the share answered.

    El-Yaniv and Wiener 2010, https://jmlr.org/papers/v11/el-yaniv10a.html.
    """
    confidence, right = answers(probabilities, labels)
    # Equally confident answers are given or withheld together.
    thresholds, group = np.unique(-confidence, return_inverse=True)
    given = np.cumsum(np.bincount(group, minlength=len(thresholds)))
    hits = np.cumsum(np.bincount(group, right, len(thresholds)))
    points = -thresholds, given / max(len(labels), 1), hits / given
    return RiskCoverage(*_thin(*points))


def answered_at(
    probabilities: Probabilities, labels: Labels, threshold: float
) -> tuple[Interval, Interval]:
    """Share of images answered from this confidence on, and the accuracy on them."""
    confidence, right = answers(probabilities, labels)
    given = confidence >= threshold
    return wilson(given.sum(), len(given)), wilson((right & given).sum(), given.sum())
