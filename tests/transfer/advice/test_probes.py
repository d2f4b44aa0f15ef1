"""Cross-validation against chance and certainty; LogME against direct maximisation."""

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from sklearn.model_selection import StratifiedKFold

from transfer.advice import probes


def easy(images: int, classes: int = 3, channels: int = 8, noise: float = 0.1):
    """Features that tell the classes apart, and labels."""
    random = np.random.default_rng(0)
    labels = np.arange(images) % classes
    centres = random.normal(size=(classes, channels))
    features = centres[labels] + random.normal(0, noise, (images, channels))
    return features.astype(np.float32), labels.astype(np.int32)


def test_cross_validated__easy_features_are_named_right() -> None:
    found = probes.cross_validated(*easy(60), 3)
    assert found.accuracy == 1.0 and found.high == 1.0 and 0.9 < found.low < 1


def test_cross_validated__noise_is_chance() -> None:
    features, labels = easy(300, noise=0)
    features = np.random.default_rng(1).normal(size=features.shape).astype(np.float32)
    found = probes.cross_validated(features, labels, 3)
    assert found.low < 1 / 3 < found.high


def test_cross_validated__a_class_of_one_image_is_named_wrong_and_breaks_nothing() -> (
    None
):
    features, labels = easy(40, 2)
    labels[0] = 2
    assert probes.cross_validated(features, labels, 3).accuracy == 39 / 40


def test_folds__spread_each_class_alike() -> None:
    labels = np.repeat([0, 1, 2], [50, 20, 7]).astype(np.int32)
    fold = probes.folds(labels, seed=3)
    for label, count in ((0, 10), (1, 4)):
        assert list(np.bincount(fold[labels == label], minlength=5)) == [count] * 5
    assert set(np.bincount(fold[labels == 2], minlength=5)) == {1, 2}


@pytest.mark.parametrize("counts", [(50, 20, 7), (5, 5, 1)])
def test_folds__are_as_large_as_those_of_scikit_learn(counts: tuple[int, ...]) -> None:
    labels = np.repeat([0, 1, 2], counts).astype(np.int32)
    fold = probes.folds(labels, seed=0)
    splitter = StratifiedKFold(probes.FOLDS, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "The least populated class has only 1"
        theirs = [len(test) for _, test in splitter.split(labels, labels)]
    assert sorted(np.bincount(fold)) == sorted(theirs)


def test_folds__two_images_of_a_class_are_never_left_out_together() -> None:
    labels = np.repeat(np.arange(6), 2).astype(np.int32)
    fold = probes.folds(labels, seed=0)
    assert all(len(set(fold[labels == label])) == 2 for label in range(6))


def test_stratified_sample__keeps_the_classes_shares() -> None:
    labels = np.repeat([0, 1, 2], [600, 300, 1]).astype(np.int32)
    chosen = probes.stratified_sample(labels, 91, seed=5)
    assert list(np.bincount(labels[chosen])) == [60, 30, 1]
    assert list(chosen) == sorted(set(chosen))
    assert list(probes.stratified_sample(labels, 91, seed=5)) == list(chosen)
    assert list(probes.stratified_sample(labels, 91, seed=6)) != list(chosen)


def test_stratified_sample__takes_all_of_few() -> None:
    assert list(probes.stratified_sample(np.zeros(4, np.int32), 9)) == [0, 1, 2, 3]


def direct(features: NDArray[np.float32], y: NDArray[np.float64]) -> float:
    """The largest log evidence for each image, found by a general optimiser."""
    matrix = features.astype(np.float64)

    def negative(logs: NDArray[np.float64]) -> float:
        alpha, beta = np.exp(np.clip(logs, -20, 20))
        covariance = matrix @ matrix.T / alpha + np.eye(len(y)) / beta
        normal = multivariate_normal(cov=covariance, allow_singular=True)
        return -float(normal.logpdf(y)) / len(y)

    starts = [(a, b) for a in (-2, 0, 3) for b in (-1, 1, 3)]
    found = [minimize(negative, start, method="Nelder-Mead") for start in starts]
    return -min(one.fun for one in found)


@pytest.mark.parametrize("channels", [5, 60])
def test_log_me__is_the_maximum_of_the_evidence(channels: int) -> None:
    features, labels = easy(40, 3, channels, noise=1.0)
    targets = np.eye(3)[labels].T
    wanted = np.mean([direct(features, y) for y in targets])
    assert probes.log_me(features, labels, 3) == pytest.approx(wanted, abs=2e-3)


def test_log_me__prefers_features_that_tell_the_classes_apart() -> None:
    features, labels = easy(60, noise=0.5)
    noise = np.random.default_rng(2).normal(size=features.shape).astype(np.float32)
    assert probes.log_me(features, labels, 3) > probes.log_me(noise, labels, 3)


def test_log_me__a_class_without_images_counts_for_nothing() -> None:
    features = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
    labels = np.arange(40, dtype=np.int32) % 3
    assert probes.log_me(features, labels, 9) == probes.log_me(features, labels, 3)


def test_log_me__of_features_that_are_all_zero() -> None:
    labels = np.arange(40, dtype=np.int32) % 2
    found = probes.log_me(np.zeros((40, 6), np.float32), labels, 2)
    assert np.isfinite(found)
