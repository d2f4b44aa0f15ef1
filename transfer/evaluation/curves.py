"""Curves of a classifier: ROC, precision-recall, reliability, risk against coverage."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer.evaluation.metrics import Interval, wilson, wilson_arrays

Floats = NDArray[np.float64]
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
        area: Area under the ROC curve, or average precision; `nan` for a class that
            has no images, or all of them.
    """

    x: Floats
    y: Floats
    area: float


def roc(probabilities: Probabilities, labels: Labels, label: int) -> Curve:
    """True against false positive rate of one class against all others."""
    hits, alarms = _cumulated(probabilities[:, label], labels == label)
    if not hits[-1] or not alarms[-1]:
        return Curve(np.empty(0), np.empty(0), np.nan)
    x, y = alarms / alarms[-1], hits / hits[-1]
    area = float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))
    x, y = _thinned(x, y)
    return Curve(x, y, area)


def precision_recall(probabilities: Probabilities, labels: Labels, label: int) -> Curve:
    """Precision against recall of one class; the area is the average precision."""
    hits, alarms = _cumulated(probabilities[:, label], labels == label)
    if not hits[-1]:
        return Curve(np.empty(0), np.empty(0), np.nan)
    recall = hits / hits[-1]
    precision = hits[1:] / (hits[1:] + alarms[1:])
    area = float(np.sum(np.diff(recall) * precision))
    # At recall 0 nothing is named; the first precision is carried on to there.
    x, y = _thinned(recall, np.concatenate([precision[:1], precision]))
    return Curve(x, y, area)


def _cumulated(
    scores: Probabilities, positive: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Hits and false alarms at each distinct threshold, falling; from (0, 0) on."""
    order = np.argsort(-scores, kind="stable")
    scores, positive = scores[order], positive[order]
    ends = np.flatnonzero(np.append(np.diff(scores) != 0, True))[: len(scores)]
    hits = np.cumsum(positive)[ends]
    alarms = np.cumsum(~positive)[ends]
    return np.append(0.0, hits), np.append(0.0, alarms)


def _thinned(*arrays: Floats) -> tuple[Floats, ...]:
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
        edges: Ends of the bins, `(BINS + 1,)`, 0 to 1.
        counts: Number of images of each bin, `(BINS,)`.
        confidence: Mean confidence of each bin; `nan` where it is empty.
        accuracy: Share of right answers of each bin; `nan` where it is empty.
        low: Lower ends of the accuracies' 95 % intervals.
        high: Upper ends of them.
        error: Expected calibration error: mean distance of accuracy and confidence,
            weighted by the counts.
    """

    edges: Floats
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
    edges = np.linspace(0, 1, BINS + 1)
    # A confidence on an edge belongs to the bin below it, as in the paper.
    bins = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    sums = np.bincount(bins, confidence, BINS)
    hits = np.bincount(bins, right, BINS)
    accuracy, low, high = wilson_arrays(hits, counts)
    with np.errstate(invalid="ignore"):
        means = sums / counts
        error = np.abs(hits - sums).sum() / np.float64(len(labels))
    return Reliability(
        edges=edges,
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
    predicted = probabilities.argmax(1)
    return probabilities.max(1).astype(np.float64), predicted == labels


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
    hits, misses = (one[1:] for one in _cumulated(confidence, right))
    given = hits + misses
    thresholds = np.unique(confidence)[::-1]
    points = thresholds, given / max(len(labels), 1), hits / given
    return RiskCoverage(*_thinned(*points))


def answered_at(
    probabilities: Probabilities, labels: Labels, threshold: float
) -> tuple[Interval, Interval]:
    """Share of images answered from this confidence on, and the accuracy on them."""
    confidence, right = answers(probabilities, labels)
    given = confidence >= threshold
    return wilson(given.sum(), len(given)), wilson((right & given).sum(), given.sum())
