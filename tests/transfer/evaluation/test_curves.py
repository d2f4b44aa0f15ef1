"""Curves: areas that mean what they say, few points, odd splits."""

import subprocess
import sys

import numpy as np
import pytest

from tests.transfer.evaluation.answers import sample
from transfer.evaluation import curves


@pytest.mark.parametrize("decimals", [2, 9])
def test_curves__areas_are_what_they_mean(decimals: int) -> None:
    """With and without many equal scores, by counting pairs and thresholds."""
    probabilities, labels = sample(300, 3)
    probabilities = probabilities.round(decimals)
    for label in range(3):
        scores, positive = probabilities[:, label], labels == label
        hits, others = scores[positive][:, None], scores[~positive]
        wins = np.mean((hits > others) + (hits == others) / 2)
        assert curves.roc(probabilities, labels, label).area == pytest.approx(wins)
        # The mean, over the class's images, of the precision that finds each of them.
        named = [scores >= threshold for threshold in hits[:, 0]]
        precision = np.mean([positive[one].mean() for one in named])
        found = curves.precision_recall(probabilities, labels, label)
        assert found.area == pytest.approx(precision)


@pytest.mark.parametrize("images", [1, 50, 3000])
def test_curves__have_both_ends_and_few_points(images: int) -> None:
    probabilities, labels = sample(images, 3)
    label = labels[0]
    recall, precision, _ = curves.precision_recall(probabilities, labels, label)
    assert len(recall) == len(precision) <= curves.POINTS
    assert (recall[0], recall[-1]) == (0, 1)
    assert precision[0] == precision[1]
    x, y, _ = curves.roc(probabilities, labels, label)
    assert len(x) == len(y) <= curves.POINTS
    assert images == 1 or (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)


def test_curves__a_class_of_all_images_has_no_false_positives() -> None:
    probabilities, labels = np.full((5, 2), 0.5), np.zeros(5, np.int64)
    assert np.isnan(curves.roc(probabilities, labels, 0).area)
    assert curves.precision_recall(probabilities, labels, 0).area == 1


def test_curves__load_scikit_learn_only_where_they_are_drawn() -> None:
    code = "import sys; from transfer.evaluation import comparing, curves; "
    code += "sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_curves__class_without_images_has_no_area() -> None:
    probabilities, labels = sample(30, 3)
    labels = labels % 2
    assert np.isnan(curves.roc(probabilities, labels, 2).area)
    assert np.isnan(curves.precision_recall(probabilities, labels, 2).area)


def test_reliability__error_is_the_mean_distance() -> None:
    # Confidence 0.9, right in 6 of 10: the error is 0.3.
    probabilities = np.tile(np.array([[0.9, 0.1]]), (10, 1))
    labels = np.array([0] * 6 + [1] * 4)
    found = curves.reliability(probabilities, labels)
    assert found.error == pytest.approx(0.3)
    (filled,) = np.flatnonzero(found.counts)
    assert filled / curves.BINS < 0.9 <= (filled + 1) / curves.BINS
    assert found.accuracy[filled] == pytest.approx(0.6)
    assert found.confidence[filled] == pytest.approx(0.9)


def test_reliability__a_confidence_of_one_is_counted() -> None:
    found = curves.reliability(np.array([[1.0, 0.0]]), np.array([0]))
    assert found.counts.tolist() == [0] * 14 + [1]
    assert found.error == 0


def test_risk_coverage__fewer_answers_are_better_ones() -> None:
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.6, 0.4]])
    found = curves.risk_coverage(probabilities, np.array([0, 0, 0, 1]))
    assert found.thresholds.tolist() == [0.9, 0.8, 0.6]
    assert found.answered.tolist() == [0.25, 0.5, 1.0]
    assert found.accuracy.tolist() == [1.0, 1.0, 0.75]
    answered, accuracy = curves.answered_at(probabilities, np.array([0, 0, 0, 1]), 0.7)
    assert (answered.value, accuracy.value) == (0.5, 1.0)


def test_curves__empty_split() -> None:
    probabilities, labels = np.empty((0, 3)), np.empty(0, np.int64)
    assert np.isnan(curves.roc(probabilities, labels, 0).area)
    assert np.isnan(curves.reliability(probabilities, labels).error)
    assert len(curves.risk_coverage(probabilities, labels).answered) == 0
    answered, accuracy = curves.answered_at(probabilities, labels, 0.5)
    assert np.isnan(answered.value) and np.isnan(accuracy.value)
