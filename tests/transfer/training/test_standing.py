"""What one phase leaves to the next."""

from typing import Any

import numpy as np
import pytest

from transfer.config import TrainConfig
from transfer.errors import TrainingError
from transfer.training.best import Best
from transfer.training.listener import Listener
from transfer.training.snapshot import Snapshot
from transfer.training.standing import Standing


def config(**settings: Any) -> TrainConfig:
    """Settings of any run."""
    return TrainConfig(dataset="pets", batch_size=32, **settings)


@pytest.mark.parametrize(
    ("images", "batch_size", "halved_for"),
    [(100, 32, ""), (32, 32, ""), (20, 20, "images"), (0, 1, "images")],
)
def test_at_start__a_batch_is_no_larger_than_the_data(
    images: int, batch_size: int, halved_for: str
) -> None:
    standing = Standing.at_start(config(), images)
    assert (standing.batch_size, standing.halved_for) == (batch_size, halved_for)


def test_at_start__goes_on_with_the_batch_and_the_best_of_before() -> None:
    weights = {"logits/bias": np.ones(2, np.float32)}
    best = {"phase": "head", "epoch": 3, "accuracy": 0.9, "loss": 0.2}
    left = Snapshot(phase="head", batch_size=4, best=weights, best_state=best)
    standing = Standing.at_start(config(class_weights="balanced"), 100, left)
    assert (standing.batch_size, standing.resume) == (4, left)
    assert (standing.best.epoch, standing.best.weights) == (3, weights)
    assert standing.best.follows == "balanced_accuracy"


@pytest.mark.parametrize("error", [TrainingError("It failed.", "Try."), MemoryError()])
def test_keep_best__a_failure_after_a_good_epoch_ends_it_early(
    error: Exception,
) -> None:
    standing = Standing(best=Best(phase="head", epoch=2), batch_size=8)
    with standing.keep_best(config(), Listener()):
        raise error
    assert "Kept is the best until then: epoch 2 of the head" in standing.ended_early


def test_keep_best__random_numbers_are_no_model() -> None:
    standing = Standing(best=Best(phase="head", epoch=0), batch_size=8)
    with (
        pytest.raises(TrainingError),
        standing.keep_best(config(head="dense1024"), Listener()),
    ):
        raise TrainingError("It failed.")
