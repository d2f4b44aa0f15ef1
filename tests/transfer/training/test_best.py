"""Which epoch is the best."""

import numpy as np
import pytest

from transfer.training.best import Best, Reached, losses_of


def test_is_beaten_by__accuracy_first_then_loss() -> None:
    best = Best(accuracy=0.8, loss=0.5)
    assert best.is_beaten_by(Reached(0.9, 0.9, 0.1))
    assert best.is_beaten_by(Reached(0.4, 0.8, 0.1))
    assert not best.is_beaten_by(Reached(0.5, 0.8, 0.9))
    assert not best.is_beaten_by(Reached(0.1, 0.7, 0.9))


def test_is_beaten_by__balanced_accuracy_where_classes_are_weighted() -> None:
    best = Best(follows="balanced_accuracy")
    best.loss, best.accuracy, best.balanced_accuracy = 0.1, 0.951, 0.664
    assert best.is_beaten_by(Reached(0.3, 0.927, 0.961))
    assert not best.is_beaten_by(Reached(0.05, 0.99, 0.65))


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_is_beaten_by__never_by_a_loss_that_is_no_number(loss: float) -> None:
    assert not Best().is_beaten_by(Reached(loss, 1.0, 1.0))


@pytest.mark.parametrize(
    ("gains", "is_sure"),
    [
        ([0.1, 0.2, 0.1, 0.2], True),
        ([0.9, -0.7, 0.8, -0.4], False),  # within a standard error
        ([-0.1, -0.1, -0.1, -0.1], False),
    ],
)
def test_is_beaten_by__only_by_losses_that_are_clear_of_the_bar(
    gains: list[float], is_sure: bool
) -> None:
    best = Best(accuracy=0.5, loss=1.0, bar=[1.0] * 4)
    losses = 1 - np.array(gains, np.float32)
    reached = Reached(float(losses.mean()), 0.75, 0.75)
    assert best.is_beaten_by(reached, losses) == is_sure


def test_losses_of__the_cross_entropy_of_each_image() -> None:
    probabilities = np.array([[0.25, 0.75], [1.0, 0.0]], np.float32)
    first, second = losses_of(probabilities, np.array([0, 1], np.int32))
    assert first == pytest.approx(np.log(4))
    assert np.isfinite(second) and second > 80
