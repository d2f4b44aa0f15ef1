"""A training that was cut off, or ran out of memory, goes on."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.pictures import make_pictures
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.errors import RunError, TrainingError
from transfer.training import snapshot as checkpoints
from transfer.training import train
from transfer.training.listener import Listener
from transfer.training.phase import Phase
from transfer.training.snapshot import Snapshot

pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture
def revision(workspace: Path, tmp_path: Path) -> Revision:
    """Two classes that differ in colour, 12 images each."""
    make_pictures(tmp_path / "pets", {"cat": 12, "dog": 12})
    return importer.import_path(tmp_path / "pets", "pets", val=0.25)


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
    return TrainConfig.checked(**{**given, **settings})


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
    monkeypatch.setattr(Phase, "_steps_per_call", lambda *_: 1)
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
    monkeypatch.setattr(Phase, "_steps_per_call", lambda *_: 1)
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


@pytest.mark.parametrize("error", ["MemoryError", "ResourceExhaustedError"])
def test_train__out_of_memory_goes_on_with_half_the_batch(
    revision: Revision, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    lines: list[str] = []
    progress: dict[str, Any] = {}

    class Lines(Listener):
        def log(self, line: str) -> None:
            lines.append(line)

        def progress(self, **values: Any) -> None:
            progress.update(values)

    _fail_above(2, monkeypatch, error)
    trained = train.train(_config(batch_size=9), revision, Lines())
    assert trained.batch_size == progress["batch_size"] == 2
    assert trained.best.epoch >= 0
    said = [line for line in lines if "not enough memory" in line]
    assert len(said) == 2
    assert "with 9 images per step" in said[0] and "goes on with 4" in said[0]
    assert progress["halved_for"] == trained.halved_for == "memory"


def test_train__too_slow_goes_on_with_half_the_batch(
    revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    told: list[Any] = []
    steps: dict[tuple[str, int], list[int]] = {}

    class Slow(Listener):
        def log(self, line: str) -> None:
            lines.append(line)

        def progress(self, **values: Any) -> None:
            told.append((values.get("batch_size"), values.get("halved_for")))

        def steps(self, phase: str, epoch: int, first: int, *arrays: Any) -> None:
            steps.setdefault((phase, epoch), []).append(first)

    timed = Phase._timed
    # Two seconds an image: 8 are too slow, 4 are not.
    monkeypatch.setattr(Phase, "_timed", lambda p, c: (2.0 * c[2].size, timed(p, c)[1]))
    trained = train.train(_config(batch_size=8), revision, Slow())
    assert (trained.batch_size, trained.halved_for) == (4, "time")
    assert (4, "time") in told
    (said,) = [line for line in lines if "enough speed to hear a stop" in line]
    assert "with 8 images" in said and "took 16.0 s" in said and "with 4." in said
    # The first call is not timed, and the next two are an epoch's last ones. After
    # another step of 8 of the 18 images the others are done in steps of 4.
    assert steps["head", 1] == [1, 2, 3]
    assert steps["head", 2] == [1, 3, 4, 5]


def test_train__one_image_a_step_is_never_too_slow(
    revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed = Phase._timed
    monkeypatch.setattr(Phase, "_timed", lambda p, c: (99.0, timed(p, c)[1]))
    trained = train.train(_config(batch_size=2), revision, Listener())
    assert trained.batch_size == 1


def test_train__out_of_memory_with_one_image_says_what_to_do(
    revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    _fail_above(0, monkeypatch, "MemoryError")
    with pytest.raises(TrainingError, match="even for one image.*smaller image size"):
        train.train(_config(head="dense1024"), revision, Listener())


def _fail_above(size: int, monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    """Lets training steps of more than so many images end in an error."""
    train_epoch = Phase._train_epoch

    def limited(phase: Phase, *arguments: Any) -> None:
        if phase._batch_size > size:
            if error == "MemoryError":
                raise MemoryError
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
        train_epoch(phase, *arguments)

    monkeypatch.setattr(Phase, "_train_epoch", limited)


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
