"""What a step computes, on features that need no backbone."""

from typing import Any

import keras
import numpy as np
import pytest

from tests.transfer.training.in_memory import examples_of, halves, head_steps
from transfer.training.best import Best
from transfer.training.listener import Listener
from transfer.training.phase import Phase
from transfer.training.recipe import Recipe
from transfer.training.steps import Steps

FEATURES = np.random.default_rng(0).normal(0, 1, (6, 8)).astype(np.float32)
LABELS = np.array([0, 1, 0, 1, 0, 0], np.int32)


def loss(steps: Steps, head: keras.Model, training: bool) -> float:
    """The loss of these six images."""
    ones = np.ones(6, np.float32)
    return float(steps._loss(head(FEATURES), LABELS, ones, training)[0])


def test_loss__smoothing_is_what_keras_does() -> None:
    steps, head = head_steps(label_smoothing=0.2)
    expected = keras.losses.categorical_crossentropy(
        np.eye(2, dtype=np.float32)[LABELS],
        head(FEATURES),
        from_logits=True,
        label_smoothing=0.2,
    )
    assert loss(steps, head, True) == pytest.approx(float(np.mean(expected)), abs=1e-5)
    plain = head_steps()
    assert loss(steps, head, False) == pytest.approx(loss(*plain, False))


def test_loss__class_weights_count_in_training_only() -> None:
    steps, head = head_steps(class_weights=np.array([0.0, 2.0], np.float32))
    each = np.asarray(
        keras.losses.sparse_categorical_crossentropy(
            LABELS, head(FEATURES), from_logits=True
        )
    )
    expected = float(np.sum(each[LABELS == 1]) * 2 / 6)
    assert loss(steps, head, True) == pytest.approx(expected, abs=1e-5)
    assert loss(steps, head, False) == pytest.approx(float(np.mean(each)), abs=1e-5)


def test_train__l2_sp_holds_weights_where_they_were() -> None:
    distances = []
    for strength in (0.0, 100.0):
        given, head = head_steps()
        before = [keras.ops.convert_to_numpy(v).copy() for v in given.variables]
        anchors = [*zip(given.variables, before, strict=True)]
        recipe = Recipe(batch_size=8, seed=0, l2_sp=strength, anchors=anchors)

        def forward(x: Any, training: bool, head: Any = head) -> Any:
            return head(x, training=training)

        sgd = keras.optimizers.SGD(0.01)
        steps = Steps(forward, given.variables, sgd, recipe)
        both = halves(examples_of(50, 0), examples_of(8, 1))
        Phase("fine_tune", steps, both, Best(), Listener()).run(3)
        moved = [np.abs(a - np.asarray(v)).sum() for v, a in anchors]
        distances.append(float(sum(moved)))
    assert distances[1] < distances[0] / 5


def test_evaluate__a_filled_up_batch_does_not_change_the_mean() -> None:
    steps, head = head_steps()
    examples = examples_of(11, 0)  # one full batch of 8, one of 3
    reached = steps.evaluate(examples)
    logits = np.asarray(head(examples.features.rows(np.arange(11))))
    expected = keras.losses.sparse_categorical_crossentropy(
        examples.labels, logits, from_logits=True
    )
    assert reached.loss == pytest.approx(float(np.mean(expected)), abs=1e-5)
    right = np.mean(logits.argmax(-1) == examples.labels)
    assert reached.accuracy == pytest.approx(right)


def test_evaluate__no_images_are_no_number() -> None:
    assert np.isnan(head_steps()[0].evaluate(examples_of(0, 0))).all()
