"""A phase that lacks memory or speed goes on with half the batch."""

from collections.abc import Callable
from typing import Any

import pytest
import tensorflow as tf

from tests.transfer.training.in_memory import (
    Recorder,
    examples_of,
    halves,
    head_steps,
)
from transfer.errors import TrainingError
from transfer.training import smaller_batches
from transfer.training.phase import Phase
from transfer.training.standing import Standing
from transfer.training.steps import Steps


class Told(Recorder):
    """Notes lines of the log, progress, and where each call of steps began."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.sizes: list[tuple[int, str]] = []
        self.firsts: list[tuple[int, int]] = []

    def log(self, line: str) -> None:
        self.lines.append(line)

    def progress(self, **values: Any) -> None:
        if "halved_for" in values:
            self.sizes.append((values["batch_size"], values["halved_for"]))

    def steps(
        self, phase: str, epoch: int, first: int, losses: Any, right: Any
    ) -> None:
        self.firsts.append((epoch, first))


def run(batch_size: int) -> tuple[Standing, Told]:
    """Two epochs of a head phase on 18 images that starts with this batch size."""
    standing, told = Standing(batch_size=batch_size), Told()
    both = halves(examples_of(18, 0), examples_of(6, 1))

    def make(size: int) -> Phase:
        steps, _ = head_steps(batch_size=size)
        return Phase("head", steps, both, standing.best, told)

    smaller_batches.run(make, 2, standing, told)
    return standing, told


def fail_above(size: int, monkeypatch: pytest.MonkeyPatch, error: Any) -> None:
    """Lets training steps of more than so many images end in an error."""
    train = Steps.train

    def limited(steps: Steps, *given: Any) -> Any:
        if steps.recipe.batch_size > size:
            raise error
        return train(steps, *given)

    monkeypatch.setattr(Steps, "train", limited)


def take_seconds(
    seconds: Callable[[int], float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lets a call of so many images seem to take so long."""
    time_call = Steps._time_call
    monkeypatch.setattr(
        Steps, "_time_call", lambda s, c: (seconds(c[2].size), time_call(s, c)[1])
    )


@pytest.mark.parametrize(
    "error", [MemoryError(), tf.errors.ResourceExhaustedError(None, None, "OOM\nat x")]
)
def test_run__out_of_memory_goes_on_with_half_the_batch(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fail_above(2, monkeypatch, error)
    standing, told = run(9)
    assert (standing.batch_size, standing.halved_for) == (2, "memory")
    assert told.sizes == [(9, ""), (4, "memory"), (2, "memory")]
    assert [number for _, number, _ in told.epochs] == [1, 2]
    said = [line for line in told.lines if "not enough memory" in line]
    assert len(said) == 2
    assert "with 9 examples per step" in said[0] and "goes on with 4" in said[0]


def test_run__too_slow_goes_on_with_half_the_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Two seconds an image: 8 are too slow, 4 are not.
    take_seconds(lambda images: 2.0 * images, monkeypatch)
    standing, told = run(8)
    assert (standing.batch_size, standing.halved_for) == (4, "time")
    (said,) = told.lines
    assert "enough speed to hear a stop" in said
    assert "with 8 examples" in said and "took 16.0 s" in said and "with 4." in said
    # The first call is not timed, and the next two are an epoch's last ones. After
    # another step of 8 of the 18 images the others are done in steps of 4.
    assert [first for epoch, first in told.firsts if epoch == 1] == [1, 2, 3]
    assert [first for epoch, first in told.firsts if epoch == 2] == [1, 3, 4, 5]


def test_run__one_image_a_step_is_never_too_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take_seconds(lambda _: 99.0, monkeypatch)
    standing, told = run(2)
    assert standing.batch_size == 1
    assert [number for _, number, _ in told.epochs] == [1, 2]


def test_run__out_of_memory_with_one_image_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fail_above(0, monkeypatch, MemoryError())
    with pytest.raises(TrainingError, match="even for one example.*smaller input size"):
        run(4)
