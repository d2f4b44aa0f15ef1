"""Trainings that compare freeze depths."""

import pytest

from tests.transfer.training.failures import make_fail
from transfer.backbones.freezing import FreezePlan
from transfer.config import TrainConfig
from transfer.datasets.revision import Revision
from transfer.training import trials
from transfer.training.listener import Listener

pytestmark = pytest.mark.usefixtures("tiny")


def test_train_depths__one_that_fails_counts_as_its_head(
    revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_fail(monkeypatch, "fine_tune", 1, "nan")
    plans = [FreezePlan("all"), FreezePlan("last", count=1)]
    config = TrainConfig.of(
        dataset="pets",
        backbone="tiny",
        weights="random",
        image_size=32,
        head_epochs=2,
        fine_tune_epochs=2,
        batch_size=8,
    )
    tried = trials.train_depths(config, revision, lambda _: plans, Listener())
    head, failed = tried
    # Only the bar of the phase that failed is added.
    assert failed.best.state() == head.best.state() | {"bar": failed.best.bar}
