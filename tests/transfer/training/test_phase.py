"""The loop over epochs, on features that need no backbone."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

from tests.transfer.training.in_memory import (
    MemoryFeatures,
    Recorder,
    examples_of,
    halves,
    head_steps,
    skewed_examples,
)
from transfer.errors import TrainingError
from transfer.training.best import Best
from transfer.training.examples import Examples
from transfer.training.phase import Phase, _Epoch
from transfer.training.snapshot import Snapshot
from transfer.training.steps import Learnt, Steps


def run(
    steps: Steps,
    epochs: int,
    train: Examples,
    val: Examples,
    *,
    best: Best | None = None,
    recorder: Recorder | None = None,
    start: Snapshot | None = None,
) -> tuple[Best, Recorder]:
    """What a head phase came to, and what it told."""
    best, recorder = best or Best(), recorder or Recorder()
    Phase("head", steps, halves(train, val), best, recorder).run(epochs, start)
    return best, recorder


def test_epoch__tells_the_same_however_its_steps_are_divided_into_calls() -> None:
    random = np.random.default_rng(0)
    losses = random.uniform(1, 9, 60).astype(np.float32)
    counts = np.full(60, 7, np.float32)

    def told(size: int) -> object:
        epoch = _Epoch(1)
        for at in range(0, 60, size):
            part = losses[at : at + size], counts[at : at + size]
            epoch.add(Learnt(part[0], part[1], part[1], part[0], 1), 60)
        return epoch.until_now

    assert len({told(size) for size in (1, 7, 12, 60)}) == 1


def test_run__learns_what_can_be_learnt() -> None:
    steps, _ = head_steps()
    best, recorder = run(steps, 5, examples_of(50, 0), examples_of(20, 1))
    assert best.accuracy >= 0.95
    assert [epoch for _, epoch, _ in recorder.epochs] == [1, 2, 3, 4, 5]
    assert recorder.epochs[-1][2]["loss"] < recorder.epochs[0][2]["loss"]
    assert len(recorder.losses) == 5 * 7  # 50 images make 7 batches of up to 8


def test_run__equal_seeds_give_equal_runs() -> None:
    recorders = [
        run(head_steps(seed=3)[0], 2, examples_of(50, 0), examples_of(20, 1))[1]
        for _ in range(2)
    ]
    assert recorders[0].losses == recorders[1].losses


def test_run__a_stop_ends_it_within_the_epoch_and_keeps_weights() -> None:
    stopping, train = Recorder(stop_after=1), examples_of(4000, 0)
    best, recorder = run(
        head_steps()[0], 100, train, examples_of(20, 1), recorder=stopping
    )
    assert len(recorder.epochs) == 1
    assert len(recorder.losses) < 500
    assert best.weights


def test_run__without_val_the_last_epoch_is_the_best() -> None:
    best, recorder = run(head_steps()[0], 3, examples_of(16, 0), examples_of(0, 1))
    assert best.epoch == 3
    assert "val_loss" not in recorder.epochs[0][2]


def test_run__every_epoch_leaves_a_checkpoint() -> None:
    _, recorder = run(head_steps()[0], 2, examples_of(8, 0), examples_of(8, 1))
    assert [one.epoch for one in recorder.checkpoints] == [1, 2, 2]  # and at the end


def test_run__goes_on_within_an_epoch_with_another_batch_size() -> None:
    train, val = examples_of(64, 0), examples_of(8, 1)
    steps, _ = head_steps()
    steps.most_per_call = 1
    _, stopped = run(steps, 2, train, val, recorder=Recorder(stop_after=3))
    left = stopped.checkpoints[-1]
    assert (left.epoch, left.step, left.images) == (0, 3, 24)
    smaller, _ = head_steps(batch_size=4)
    _, recorder = run(smaller, 2, train, val, start=left)
    assert len(recorder.losses) == (64 - 24) // 4 + 64 // 4
    assert [number for _, number, _ in recorder.epochs] == [1, 2]
    assert int(smaller.optimizer.iterations) == 2 * 64 // 4


def test_run__a_loss_that_is_no_number_ends_with_advice() -> None:
    rows = np.full((16, 8), np.nan, np.float32)
    labels = np.zeros(16, np.int32)
    broken = Examples(MemoryFeatures(rows), labels)  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match="learning rate ten times smaller"):
        run(head_steps()[0], 1, broken, broken)


def test_run__patience_ends_it_when_nothing_gets_better() -> None:
    # It never moves, so it never gets better.
    steps, _ = head_steps(rate=1e-9, patience=3)
    _, recorder = run(steps, 100, examples_of(16, 0), examples_of(8, 1))
    assert len(recorder.epochs) == 3


def test_run__where_it_starts_counts_too() -> None:
    steps, head = head_steps(rate=1.0)
    kernel = np.zeros((8, 2), np.float32)
    kernel[0] = [-9, 9]
    head.get_layer("logits").set_weights([kernel, np.zeros(2, np.float32)])
    start = steps.evaluate(examples_of(20, 1))
    best, _ = run(steps, 2, examples_of(16, 0), examples_of(20, 1))
    assert best.accuracy >= start.accuracy


def test_run__the_phase_after_the_head_has_its_losses_as_bar() -> None:
    steps, _ = head_steps(rate=0.0)
    val = examples_of(20, 1)
    best = Best(phase="head", accuracy=0.0, loss=9.0)
    phase = Phase("fine_tune", steps, halves(examples_of(16, 0), val), best, Recorder())
    phase.run(1)
    assert np.mean(best.bar) == pytest.approx(steps.evaluate(val).loss, abs=1e-4)
    # More accurate than the head, but by no smaller loss.
    assert best.phase == "head"
    assert phase.kept and phase.kept.best_state["bar"] == best.bar


@pytest.mark.parametrize("weights", [None, np.array([0.5 / 0.9, 5.0], np.float32)])
def test_run__what_is_kept_follows_the_weights_of_the_loss(weights: Any) -> None:
    best, by = Best(), "accuracy" if weights is None else "balanced_accuracy"
    best.follows = by  # type: ignore[assignment]
    steps, head = head_steps(rate=0.1, class_weights=weights)
    head.get_layer("logits").set_weights([np.zeros((8, 2)), np.array([9.0, 0.0])])
    train, val = skewed_examples(200, 0), skewed_examples(200, 1)
    _, recorder = run(steps, 6, train, val, best=best)
    reached = [values[f"val_{by}"] for _, _, values in recorder.epochs]
    assert getattr(best, by) == max(*reached, 0.9 if weights is None else 0.5)
    assert (best.balanced_accuracy > 0.7) == (weights is not None)


def test_run__counts_balanced_accuracy_in_training_where_classes_are_weighted() -> None:
    weights = np.array([0.5 / 0.9, 5.0], np.float32)
    told = []
    for given in (None, weights):
        steps, head = head_steps(rate=1e-9, class_weights=given)
        head.get_layer("dropout").rate = 0.0
        _, recorder = run(steps, 1, skewed_examples(200, 0), skewed_examples(20, 1))
        expected = steps.evaluate(skewed_examples(200, 0))
        told.append(recorder.epochs[0][2])
    plain, weighted = told
    assert "balanced_accuracy" not in plain and "val_balanced_accuracy" in plain
    assert weighted["balanced_accuracy"] == pytest.approx(expected.balanced_accuracy)
    assert weighted["accuracy"] == pytest.approx(expected.accuracy)


def test_run__a_checkpoint_without_balanced_accuracy_is_judged_again() -> None:
    train, val = skewed_examples(100, 0), skewed_examples(100, 1)
    best = Best(follows="balanced_accuracy")
    _, recorder = run(head_steps()[0], 1, train, val, best=best)
    old = replace(
        recorder.checkpoints[-1],
        sums=(0.0, 0.0, 0.0),
        best_state={"phase": "head", "epoch": 1, "accuracy": 0.9, "loss": 0.3},
    )
    resumed = Best(follows="balanced_accuracy")
    run(head_steps()[0], 1, train, val, best=resumed, start=old)
    assert resumed.balanced_accuracy == best.balanced_accuracy and resumed.epoch == 1


def test_run__a_batch_is_no_larger_than_the_data() -> None:
    train, val = examples_of(20, 0), examples_of(6, 1)
    steps, _ = head_steps(batch_size=1024)
    _, recorder = run(steps, 3, train, val)
    assert train.features.read == 3 * 20  # type: ignore[attr-defined]
    assert val.features.read == 4 * 6  # type: ignore[attr-defined]
    assert len(recorder.losses) == 3 == int(steps.optimizer.iterations)


def test_run__weights_that_the_last_step_spoils_are_not_kept() -> None:
    """The loss of that step was still a number; without val nothing else tells."""
    best = Best()
    steps, head = head_steps(batch_size=16)

    class Spoiling(Recorder):
        def epoch(self, phase: str, epoch: int, values: Mapping[str, float]) -> None:
            if epoch == 2:
                bias = head.get_layer("logits").bias
                bias.assign(np.full(bias.shape, np.nan))

    train, nothing = examples_of(16, 0), examples_of(0, 1)
    with pytest.raises(TrainingError, match="became nan in epoch 2 of the head phase"):
        run(steps, 3, train, nothing, best=best, recorder=Spoiling())
    assert best.epoch == 1
    assert all(np.isfinite(one).all() for one in best.weights.values())


def test_judge_as_it_is__is_the_only_epoch_and_nothing_moves() -> None:
    steps, head = head_steps()
    before = [keras.ops.convert_to_numpy(v).copy() for v in head.trainable_variables]
    best, recorder, both = Best(), Recorder(), halves(*[examples_of(16, 0)] * 2)
    Phase("head", steps, both, best, recorder).judge_as_it_is()
    assert [(phase, epoch) for phase, epoch, _ in recorder.epochs] == [("head", 1)]
    assert (best.phase, best.epoch) == ("head", 1)
    for start, variable in zip(before, head.trainable_variables, strict=True):
        np.testing.assert_array_equal(start, keras.ops.convert_to_numpy(variable))


@pytest.mark.parametrize(
    ("name", "head_reached", "epochs"),
    [("fine_tune", 1.1, 1), ("fine_tune", 0.0, 5), ("head", 1.1, 5)],
)
def test_run__fine_tuning_ends_when_all_is_learnt_and_the_head_is_better(
    name: str, head_reached: float, epochs: int
) -> None:
    steps, head = head_steps()
    kernel = np.repeat([[-1.0, 1.0]], 8, 0)
    head.get_layer("logits").set_weights([kernel, np.zeros(2)])
    best = Best(phase="head", accuracy=head_reached, loss=0.0)
    recorder, data = Recorder(), halves(*[easy_examples(64)] * 2)
    Phase(name, steps, data, best, recorder).run(5)
    assert len(recorder.epochs) == epochs


def easy_examples(count: int) -> Examples:
    """Two classes that differ in all there is."""
    labels = (np.arange(count) % 2).astype(np.int32)
    rows = np.repeat(9 * (2.0 * labels[:, None] - 1.0), 8, 1).astype(np.float32)
    return Examples(MemoryFeatures(rows), labels)  # type: ignore[arg-type]
