"""The fine-tuning phase: which weights move, and how much."""

import numpy as np
import pytest

from tests.transfer.training.in_memory import (
    Recorder,
    examples_of,
    halves,
    head_steps,
)
from transfer.config import TrainConfig
from transfer.training import fine_tune
from transfer.training.best import Best
from transfer.training.blends import Trail
from transfer.training.network import Network
from transfer.training.phase import Phase

pytestmark = pytest.mark.usefixtures("tiny", "workspace")


def config(**settings: object) -> TrainConfig:
    """Settings of a run of the smallest backbone."""
    given = {"dataset": "pets", "backbone": "tiny", "weights": "random"}
    return TrainConfig.of(**{**given, "image_size": 32, **settings})


@pytest.mark.parametrize(
    ("decay", "expected"), [(1.0, {1.0}), (0.01, {1.0, 0.01, 0.0001})]
)
def test_factors__blocks_below_move_less(decay: float, expected: set[float]) -> None:
    settings = config(freeze="last:3", layer_decay=decay)
    network = Network.build(settings, ["cat", "dog"])
    factors = {v.path: factor for v, factor in fine_tune.factors(network, settings)}
    upwards = [factors[v.path] for v in network.unfrozen_variables()]
    assert upwards == sorted(upwards)
    assert {round(factor, 8) for factor in upwards} == expected


@pytest.mark.parametrize(
    ("freeze", "epochs", "wanted"),
    [("last:1", 2, True), ("last:1", 0, False), ("all", 2, False)],
)
def test_is_wanted__where_layers_train_for_an_epoch_at_least(
    freeze: str, epochs: int, wanted: bool
) -> None:
    settings = config(freeze=freeze, fine_tune_epochs=epochs)
    network = Network.build(settings, ["cat", "dog"])
    assert fine_tune.is_wanted(network, settings) is wanted


def blended(end: float, mean: float, best: Best) -> None:
    """Tries the blends of a head that knows nothing at its start.

    Args:
        end: The kernel at the end of the phase, 1 for one that knows the classes.
        mean: The mean of its epochs.
        best: Takes the best.
    """
    steps, head = head_steps()
    kernel = np.zeros((8, 2), np.float32)
    kernel[0] = [-1, 1]
    start = {v.path: np.zeros(v.shape, np.float32) for v in steps.variables}
    trail, path = Trail(start=start), head.get_layer("logits").kernel.path
    trail.add(start | {path: mean * kernel})
    head.get_layer("logits").kernel.assign(end * kernel)
    data = halves(*[examples_of(40, 0)] * 2)
    phase = Phase("fine_tune", steps, data, best, Recorder(), trail=trail)
    fine_tune.try_blends(phase, data["val"], best, Recorder())


def test_try_blends__keeps_the_one_that_val_finds_best() -> None:
    best = Best(phase="head", accuracy=0.6, loss=0.69)
    blended(end=-1.0, mean=4.0, best=best)
    assert (best.phase, best.epoch) == ("fine_tune", 1)
    assert best.blend.endswith(
        "of the way from the head phase to the mean of all epochs"
    )
    assert best.accuracy > 0.9 and len(best.weights) == 2


def test_try_blends__keeps_the_best_epoch_where_none_is_better() -> None:
    best = Best(phase="fine_tune", epoch=3, accuracy=1.0, loss=0.001)
    blended(end=-1.0, mean=1.0, best=best)
    assert (best.epoch, best.blend, best.weights) == (3, "", {})
