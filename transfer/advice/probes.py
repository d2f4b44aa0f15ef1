"""How well a linear head would do on given features: cross-validation and LogME."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer.classifier import closed_form
from transfer.evaluation import intervals

FOLDS = 5
_MOST_STEPS, _TOLERANCE = 100, 1e-5

Features = NDArray[np.float32]
Labels = NDArray[np.int32]


class Probe(NamedTuple):
    """The expected accuracy, each in [0, 1].

    Attributes:
        accuracy: Share of the images named right by heads that never saw them.
        low: Lower end of its 95 % interval.
        high: Upper end.
    """

    accuracy: float
    low: float
    high: float


def cross_validated(
    features: Features, labels: Labels, num_classes: int, seed: int = 0
) -> Probe:
    """The accuracy of a head in closed form, by 5 folds.

    Args:
        features: `(images, channels)`.
        labels: Label index of each image, `(images,)`.
        num_classes: Number of classes.
        seed: Decides which image is in which fold.
    """
    fold = folds(labels, seed)
    right = 0
    for number in range(FOLDS):
        test = fold == number
        # With few images a fold may be empty.
        if test.any() and not test.all():
            head = closed_form.solve(features[~test], labels[~test], num_classes)
            answers = (features[test] @ head.kernel + head.bias).argmax(1)
            right += int(np.sum(answers == labels[test]))
    return Probe(*intervals.wilson(right, len(labels)))


def folds(labels: Labels, seed: int) -> NDArray[np.int64]:
    """The fold of each image, 0 to 4; each class is spread over all folds alike.

    Scikit-learn's `StratifiedKFold` deals them out in the same way, but refuses where
    every class has fewer images than there are folds: the sets for which somebody who
    has just begun to collect most needs advice.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(labels))
    # Stable, so that within a class the order stays the random one.
    order = order[np.argsort(labels[order], kind="stable")]
    fold = np.empty(len(labels), np.int64)
    fold[order] = np.arange(len(labels)) % FOLDS
    return fold


def stratified_sample(labels: Labels, most: int, seed: int = 0) -> NDArray[np.int64]:
    """Positions of at most so many images, of every class its share, in order.

    A class of which there is one image keeps it where `most` allows for it.
    """
    if len(labels) <= most:
        return np.arange(len(labels))
    random = np.random.default_rng(seed)
    order = random.permutation(len(labels))
    rank = np.empty(len(labels))
    for label in np.unique(labels):
        members = order[labels[order] == label]
        # Where an image stands in its class, from 0 to 1: the lowest are taken.
        rank[members] = np.arange(len(members)) / len(members)
    # Classes of one size stand at the same ranks; chance decides, not the label.
    ties = random.random(len(labels))
    return np.sort(np.lexsort((ties, rank))[:most])


def log_me(features: Features, labels: Labels, num_classes: int) -> float:
    """The logarithm of maximum evidence: how likely the labels are, given features.

    You et al. 2021, https://arxiv.org/abs/2102.11005, by their fixed-point iteration:
    a Bayesian linear model for each class against all others, whose evidence is
    maximised over the strength of its prior and of its noise.

    Args:
        features: `(images, channels)`.
        labels: Label index of each image, `(images,)`.
        num_classes: Number of classes.

    Returns:
        The evidence for each image, in nats, averaged over the classes that
        have any; larger is better, and only a comparison on the same images means
        anything.
    """
    matrix = features.astype(np.float64)
    u, s, _ = np.linalg.svd(matrix, full_matrices=False)
    targets = np.eye(num_classes)[labels][:, np.unique(labels)]
    return float(np.mean([_evidence(u, s**2, y, matrix.shape[1]) for y in targets.T]))


def _evidence(
    u: NDArray[np.float64], sigma: NDArray[np.float64], y: NDArray[np.float64], d: int
) -> float:
    """The largest log evidence for each image, `alpha` and `beta` at their best.

    Args:
        u: Left singular vectors of the features, `(images, rank)`.
        sigma: Squared singular values, `(rank,)`.
        y: Targets, `(images,)`.
        d: Number of channels.
    """
    n, tiny = len(y), 1e-12
    along = (u.T @ y) ** 2
    outside = max(float(y @ y - along.sum()), 0.0)
    alpha = beta = 1.0
    for _ in range(_MOST_STEPS):
        ratio = alpha / beta
        gamma = float(np.sum(sigma / (sigma + ratio)))
        weights = float(np.sum(sigma * along / (sigma + ratio) ** 2))
        errors = float(np.sum(along * (ratio / (sigma + ratio)) ** 2)) + outside
        # Features that are all zero leave nothing to be explained by them.
        alpha = max(gamma / (weights + tiny), tiny)
        beta = (n - gamma) / (errors + tiny)
        if abs(alpha / beta - ratio) <= _TOLERANCE * ratio:
            break
    ratio = alpha / beta
    weights = float(np.sum(sigma * along / (sigma + ratio) ** 2))
    errors = float(np.sum(along * (ratio / (sigma + ratio)) ** 2)) + outside
    determinant = float(np.sum(np.log(alpha + beta * sigma)))
    determinant += (d - len(sigma)) * np.log(alpha)
    evidence = d * np.log(alpha) + n * np.log(beta / (2 * np.pi)) - determinant
    return float(evidence - beta * errors - alpha * weights) / (2 * n)
