"""The training loop, on features that need no backbone."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from transfer.classifier import model
from transfer.errors import TrainingError
from transfer.training.listener import Listener
from transfer.training.phase import Best, Examples, Phase, Reached, Recipe
from transfer.training.snapshot import Snapshot


class MemoryFeatures:
    """Stands for `Features`: rows in memory."""

    def __init__(self, rows: NDArray[np.float32]) -> None:
        self._rows = rows
        self.row_bytes = rows[0].nbytes if len(rows) else 4
        self.read = 0

    def rows(self, positions: NDArray[np.int64], epoch: int = 1) -> NDArray[np.float32]:
        self.read += len(positions)
        return self._rows[positions]


class Recorder(Listener):
    """Notes what it hears; asks for a stop after some steps."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.epochs: list[tuple[str, int, dict[str, float]]] = []
        self.losses: list[float] = []
        self.checkpoints: list[Snapshot] = []
        self._stop_after = stop_after

    def steps(
        self, phase: str, epoch: int, first: int, losses: Any, right: Any
    ) -> None:
        self.losses += list(losses)

    def epoch(self, phase: str, epoch: int, values: Mapping[str, float]) -> None:
        self.epochs.append((phase, epoch, dict(values)))

    def wants_checkpoint(self) -> bool:
        return True

    def checkpoint(self, snapshot: Snapshot) -> None:
        self.checkpoints.append(snapshot)

    def stop_requested(self) -> bool:
        return self._stop_after is not None and len(self.losses) >= self._stop_after


def _examples(count: int, seed: int) -> Examples:
    """Two classes that a linear model can tell apart."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 2).astype(np.int32)
    rows = rng.normal(0, 0.5, (count, 8)).astype(np.float32)
    rows[:, 0] += 2.0 * labels - 1.0
    return Examples(MemoryFeatures(rows), labels)  # type: ignore[arg-type]


def _phase(
    seed: int = 0, rate: float = 0.05, **settings: Any
) -> tuple[Phase, keras.Model]:
    head = model.head("linear", 8, 2, seed)
    optimizer = keras.optimizers.Adam(rate)
    variables = head.trainable_variables

    def forward(features: Any, training: bool) -> Any:
        return head(features, training=training)

    recipe = Recipe(**{"batch_size": 8, "seed": seed, **settings})
    return Phase("head", forward, variables, optimizer, recipe), head


def test_run__learns_what_can_be_learnt() -> None:
    recorder, best = Recorder(), Best()
    _phase()[0].run(5, _examples(50, 0), _examples(20, 1), best, recorder)
    assert best.accuracy >= 0.95
    assert [epoch for _, epoch, _ in recorder.epochs] == [1, 2, 3, 4, 5]
    assert recorder.epochs[-1][2]["loss"] < recorder.epochs[0][2]["loss"]
    assert len(recorder.losses) == 5 * 7  # 50 images make 7 batches of up to 8


def test_run__equal_seeds_give_equal_runs() -> None:
    recorders = [Recorder(), Recorder()]
    for recorder in recorders:
        _phase(3)[0].run(2, _examples(50, 0), _examples(20, 1), Best(), recorder)
    assert recorders[0].losses == recorders[1].losses


def test_run__a_stop_ends_it_within_the_epoch_and_keeps_weights() -> None:
    recorder, best = Recorder(stop_after=1), Best()
    _phase()[0].run(100, _examples(4000, 0), _examples(20, 1), best, recorder)
    assert len(recorder.epochs) == 1
    assert len(recorder.losses) < 500
    assert best.weights


def test_run__without_val_the_last_epoch_is_the_best() -> None:
    recorder, best = Recorder(), Best()
    _phase()[0].run(3, _examples(16, 0), _examples(0, 1), best, recorder)
    assert best.epoch == 3
    assert "val_loss" not in recorder.epochs[0][2]


def test_run__every_epoch_leaves_a_checkpoint() -> None:
    recorder = Recorder()
    _phase()[0].run(2, _examples(8, 0), _examples(8, 1), Best(), recorder)
    assert [one.epoch for one in recorder.checkpoints] == [1, 2, 2]  # and at the end


def test_run__goes_on_within_an_epoch_with_another_batch_size() -> None:
    train, val = _examples(64, 0), _examples(8, 1)
    recorder = Recorder(stop_after=3)
    phase, _ = _phase()
    phase._seconds_per_step = 1.0  # one step a call
    phase.run(2, train, val, Best(), recorder)
    left = recorder.checkpoints[-1]
    assert (left.epoch, left.step, left.images) == (0, 3, 24)
    recorder, best = Recorder(), Best()
    smaller, _ = _phase(batch_size=4)
    smaller.run(2, train, val, best, recorder, left)
    assert len(recorder.losses) == (64 - 24) // 4 + 64 // 4
    assert [number for _, number, _ in recorder.epochs] == [1, 2]
    assert int(smaller._optimizer.iterations) == 2 * 64 // 4


def test_run__a_loss_that_is_no_number_ends_with_advice() -> None:
    train = _examples(16, 0)
    train.features.rows(np.arange(16))[:] = np.nan  # a copy: harms nothing
    broken = Examples(
        MemoryFeatures(np.full((16, 8), np.nan, np.float32)), train.labels
    )  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match="learning rate ten times smaller"):
        _phase()[0].run(1, broken, broken, Best(), Recorder())


def test_run__patience_ends_it_when_nothing_gets_better() -> None:
    recorder, best = Recorder(), Best()
    phase, _ = _phase(rate=1e-9, patience=3)  # never moves, so never gets better
    phase.run(100, _examples(16, 0), _examples(8, 1), best, recorder)
    assert len(recorder.epochs) == 3


def test_run__where_it_starts_counts_too() -> None:
    recorder, best = Recorder(), Best()
    phase, head = _phase(rate=1.0)
    kernel = np.zeros((8, 2), np.float32)
    kernel[0] = [-9, 9]
    head.get_layer("logits").set_weights([kernel, np.zeros(2, np.float32)])
    start = phase.evaluate(_examples(20, 1))
    phase.run(2, _examples(16, 0), _examples(20, 1), best, recorder)
    assert best.accuracy >= start.accuracy


def _loss(phase: Phase, head: keras.Model, training: bool) -> float:
    features = np.random.default_rng(0).normal(0, 1, (6, 8)).astype(np.float32)
    labels = np.array([0, 1, 0, 1, 0, 0], np.int32)
    weights = np.ones(6, np.float32)
    return float(phase._loss(features, labels, weights, training)[0])


def test_loss__smoothing_is_what_keras_does() -> None:
    phase, head = _phase(label_smoothing=0.2)
    head.get_layer("dropout").rate = 0.0
    features = np.random.default_rng(0).normal(0, 1, (6, 8)).astype(np.float32)
    expected = keras.losses.categorical_crossentropy(
        np.eye(2, dtype=np.float32)[[0, 1, 0, 1, 0, 0]],
        head(features),
        from_logits=True,
        label_smoothing=0.2,
    )
    assert _loss(phase, head, True) == pytest.approx(float(np.mean(expected)), abs=1e-5)
    plain = _phase()[0]
    assert _loss(phase, head, False) == pytest.approx(_loss(plain, head, False))


def test_loss__class_weights_count_in_training_only() -> None:
    phase, head = _phase(class_weights=np.array([0.0, 2.0], np.float32))
    head.get_layer("dropout").rate = 0.0
    features = np.random.default_rng(0).normal(0, 1, (6, 8)).astype(np.float32)
    labels = np.array([0, 1, 0, 1, 0, 0])
    each = keras.losses.sparse_categorical_crossentropy(
        labels, head(features), from_logits=True
    )
    expected = float(np.sum(np.asarray(each)[labels == 1]) * 2 / 6)
    assert _loss(phase, head, True) == pytest.approx(expected, abs=1e-5)
    assert _loss(phase, head, False) == pytest.approx(float(np.mean(each)), abs=1e-5)


def test_run__l2_sp_holds_weights_where_they_were() -> None:
    distances = []
    for strength in (0.0, 100.0):
        head = model.head("linear", 8, 2, 0)
        variables = head.trainable_variables
        recipe = Recipe(batch_size=8, seed=0, l2_sp=strength, anchored=variables)
        before = [keras.ops.convert_to_numpy(v) for v in variables]
        forward = lambda x, training: head(x, training=training)  # noqa: B023, E731
        phase = Phase(
            "fine_tune", forward, variables, keras.optimizers.SGD(0.01), recipe
        )
        phase.run(3, _examples(50, 0), _examples(8, 1), Best(), Recorder())
        moved = zip(before, variables, strict=True)
        distances.append(
            sum(
                float(np.abs(a - keras.ops.convert_to_numpy(v)).sum()) for a, v in moved
            )
        )
    assert distances[1] < distances[0] / 5


def test_evaluate__a_filled_up_batch_does_not_change_the_mean() -> None:
    phase, head = _phase()
    examples = _examples(11, 0)  # one full batch of 8, one of 3
    loss, accuracy, _ = phase.evaluate(examples)
    logits = np.asarray(head(examples.features.rows(np.arange(11))))
    expected = keras.losses.sparse_categorical_crossentropy(
        examples.labels, logits, from_logits=True
    )
    assert loss == pytest.approx(float(np.mean(expected)), abs=1e-5)
    assert accuracy == pytest.approx(np.mean(logits.argmax(-1) == examples.labels))


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


def _skewed(count: int, seed: int) -> Examples:
    """Nine of ten images are of one class, and the two lie close together."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 10 == 0).astype(np.int32)
    rows = rng.normal(0, 1, (count, 8)).astype(np.float32)
    rows[:, 0] += 1.5 * labels
    return Examples(MemoryFeatures(rows), labels)  # type: ignore[arg-type]


@pytest.mark.parametrize("weights", [None, np.array([0.5 / 0.9, 5.0], np.float32)])
def test_run__what_is_kept_follows_the_weights_of_the_loss(weights: Any) -> None:
    recorder, best = Recorder(), Best()
    by = "accuracy" if weights is None else "balanced_accuracy"
    best.follows = by  # type: ignore[assignment]
    phase, head = _phase(rate=0.1, class_weights=weights)
    head.get_layer("logits").set_weights([np.zeros((8, 2)), np.array([9.0, 0.0])])
    val = _skewed(200, 1)
    phase.run(6, _skewed(200, 0), val, best, recorder)
    reached = [values[f"val_{by}"] for _, _, values in recorder.epochs]
    assert getattr(best, by) == max(*reached, 0.9 if weights is None else 0.5)
    assert (best.balanced_accuracy > 0.7) == (weights is not None)


def test_run__counts_balanced_accuracy_in_training_where_classes_are_weighted() -> None:
    weights = np.array([0.5 / 0.9, 5.0], np.float32)
    recorders = [Recorder(), Recorder()]
    for recorder, given in zip(recorders, (None, weights), strict=True):
        phase, head = _phase(rate=1e-9, class_weights=given)
        head.get_layer("dropout").rate = 0.0
        phase.run(1, _skewed(200, 0), _skewed(20, 1), Best(), recorder)
        expected = phase.evaluate(_skewed(200, 0))
    plain, weighted = (recorder.epochs[0][2] for recorder in recorders)
    assert "balanced_accuracy" not in plain and "val_balanced_accuracy" in plain
    assert weighted["balanced_accuracy"] == pytest.approx(expected.balanced_accuracy)
    assert weighted["accuracy"] == pytest.approx(expected.accuracy)


def test_run__a_checkpoint_without_balanced_accuracy_is_judged_again() -> None:
    train, val, recorder = _skewed(100, 0), _skewed(100, 1), Recorder()
    best = Best(follows="balanced_accuracy")
    _phase()[0].run(1, train, val, best, recorder)
    known = best.balanced_accuracy
    old = replace(
        recorder.checkpoints[-1],
        sums=(0.0, 0.0, 0.0),
        best_state={"phase": "head", "epoch": 1, "accuracy": 0.9, "loss": 0.3},
    )
    resumed = Best(follows="balanced_accuracy")
    _phase()[0].run(1, train, val, resumed, Recorder(), old)
    assert resumed.balanced_accuracy == known and resumed.epoch == 1


def test_run__a_batch_is_no_larger_than_the_data() -> None:
    recorder, train, val = Recorder(), _examples(20, 0), _examples(6, 1)
    phase, _ = _phase(batch_size=1024)
    phase.run(3, train, val, Best(), recorder)
    assert train.features.read == 3 * 20  # type: ignore[attr-defined]
    assert val.features.read == 4 * 6  # type: ignore[attr-defined]
    assert len(recorder.losses) == 3 == int(phase._optimizer.iterations)


def test_run__weights_that_the_last_step_spoils_are_not_kept() -> None:
    """The loss of that step was still a number; without val nothing else tells."""
    best = Best()
    phase, head = _phase(batch_size=16)

    class Spoiling(Recorder):
        def epoch(self, phase: str, epoch: int, values: Mapping[str, float]) -> None:
            if epoch == 2:
                bias = head.get_layer("logits").bias
                bias.assign(np.full(bias.shape, np.nan))

    with pytest.raises(TrainingError, match="became nan in epoch 2 of the head phase"):
        phase.run(3, _examples(16, 0), _examples(0, 1), best, Spoiling())
    assert best.epoch == 1
    assert all(np.isfinite(one).all() for one in best.weights.values())
