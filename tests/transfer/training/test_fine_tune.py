"""The fine-tuning phase: which weights move, and how much."""

import pytest

from transfer.config import TrainConfig
from transfer.training import fine_tune
from transfer.training.network import Network

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
