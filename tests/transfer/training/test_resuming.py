"""A training that was cut off goes on, and one starts from another's model."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pictures import make_pictures
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.errors import RunError
from transfer.training import snapshot as checkpoints
from transfer.training import train
from transfer.training.listener import Listener
from transfer.training.snapshot import Snapshot
from transfer.training.steps import Steps

pytestmark = pytest.mark.usefixtures("tiny")


def _config(**settings: Any) -> TrainConfig:
    given = {
        "dataset": "pets",
        "backbone": "tiny",
        "weights": "random",
        "image_size": 32,
        "freeze": "last:1",
        "head_epochs": 3,
        "fine_tune_epochs": 3,
        "batch_size": 4,
        "l2_sp": 0.01,
    }
    return TrainConfig.of(**{**given, **settings})


class CutOffError(Exception):
    """Stands for a process that is killed."""


class CutOff(Listener):
    """Ends the training at a step; what it has left is on disk as in a run."""

    def __init__(self, path: Path, phase: str, epoch: int, step: int) -> None:
        self._path, self._at = path, (phase, epoch, step)

    def wants_checkpoint(self) -> bool:
        return True

    def checkpoint(self, snapshot: Snapshot) -> None:
        checkpoints.write(self._path, snapshot)

    def steps(
        self, phase: str, epoch: int, first: int, losses: Any, right: Any
    ) -> None:
        name, number, step = self._at
        if (phase, epoch) == (name, number) and first + len(losses) > step:
            raise CutOffError


def _weights(trained: train.Trained) -> dict[str, Any]:
    """All weights by path, and the random state at the end."""
    head = trained.model.get_layer("head")
    values = {v.path: np.asarray(v) for v in trained.model.weights}
    return values | {"random": np.asarray(head.non_trainable_variables[0])}


@pytest.mark.parametrize(
    ("phase", "epoch", "step"),
    [("head", 2, 1), ("fine_tune", 1, 1), ("fine_tune", 3, 4)],
)
def test_train__resumed_ends_with_the_same_weights(
    revision: Revision,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    phase: str,
    epoch: int,
    step: int,
) -> None:
    monkeypatch.setattr(Steps, "_steps_per_call", lambda *_: 1)
    config, path = _config(), tmp_path / "checkpoint.npz"
    whole = train.train(config, revision, Listener())
    with pytest.raises(CutOffError):
        train.train(config, revision, CutOff(path, phase, epoch, step))
    left = checkpoints.read(path)
    assert left is not None
    again = train.train(config, revision, Listener(), left)
    assert again.best.state() == whole.best.state()
    expected = _weights(whole)
    for name, value in _weights(again).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


class Halting(CutOff):
    """Asks for a stop at that step, as a user does."""

    halted = False

    def steps(self, *heard: Any) -> None:
        try:
            super().steps(*heard)
        except CutOffError:
            self.halted = True

    def wants_checkpoint(self) -> bool:
        return False

    def stop_requested(self) -> bool:
        return self.halted


def test_train__stopped_and_resumed_ends_with_the_same_weights(
    revision: Revision, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Steps, "_steps_per_call", lambda *_: 1)
    config, path = _config(), tmp_path / "checkpoint.npz"
    whole = train.train(config, revision, Listener())
    train.train(config, revision, Halting(path, "fine_tune", 2, 2))
    left = checkpoints.read(path)
    assert left is not None and (left.phase, left.epoch, left.step) == (
        *("fine_tune", 1, 2),
    )
    again = train.train(config, revision, Listener(), left)
    expected = _weights(whole)
    for name, value in _weights(again).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


def test_train__patience_is_counted_on(revision: Revision, tmp_path: Path) -> None:
    config = _config(freeze="all", head_epochs=50, patience=2, learning_rate=1e-7)
    path = tmp_path / "checkpoint.npz"
    with pytest.raises(CutOffError):
        train.train(config, revision, CutOff(path, "head", 2, 1))
    heard: list[int] = []

    class Epochs(Listener):
        def epoch(self, phase: str, epoch: int, values: Any) -> None:
            heard.append(epoch)

    left = checkpoints.read(path)
    trained = train.train(config, revision, Epochs(), left)
    assert heard[0] == 2
    assert heard[-1] == trained.best.epoch + 2


def test_train__starts_from_another_model(revision: Revision, tmp_path: Path) -> None:
    first = train.train(_config(), revision, Listener())
    first.model.save(tmp_path / "model.keras")
    started: dict[str, Any] = {}

    class Start(Listener):
        def epoch(self, phase: str, epoch: int, values: Any) -> None:
            started.setdefault(phase, values)

    config = _config(freeze="last:2", learning_rate=1e-9, head_epochs=1)
    path = tmp_path / "model.keras"
    train.train(config, revision, Start(), start_from=path)
    assert started["head"]["val_loss"] == pytest.approx(first.best.loss, abs=1e-3)


def test_train__a_model_of_other_classes_is_no_start(
    revision: Revision, tmp_path: Path
) -> None:
    config = _config(freeze="all", head_epochs=1)
    train.train(config, revision, Listener()).model.save(tmp_path / "model.keras")
    make_pictures(tmp_path / "more", {"cat": 4, "cow": 4, "dog": 4})
    other = importer.import_path(tmp_path / "more", "more", val=0.25)
    with pytest.raises(RunError, match="the run has 3 classes"):
        path = tmp_path / "model.keras"
        train.train(config, other, Listener(), start_from=path)
