"""Which epoch is the best."""

import numpy as np
import pytest

from transfer.training.best import Best, Reached


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


def test_is_beaten_by__never_by_a_larger_loss_than_it_may_have() -> None:
    best = Best(accuracy=0.8, loss=0.5, most_loss=0.6)
    assert best.is_beaten_by(Reached(0.6, 0.9, 0.9))
    assert not best.is_beaten_by(Reached(0.7, 0.9, 0.9))
