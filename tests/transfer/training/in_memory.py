"""Steps and phases on features that need no backbone, and a listener that notes."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from transfer.classifier import model
from transfer.training.examples import BySplit, Examples
from transfer.training.listener import Listener
from transfer.training.recipe import Recipe
from transfer.training.snapshot import Snapshot
from transfer.training.steps import Steps


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


def examples_of(count: int, seed: int) -> Examples:
    """Two classes that a linear model can tell apart."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 2).astype(np.int32)
    rows = rng.normal(0, 0.5, (count, 8)).astype(np.float32)
    rows[:, 0] += 2.0 * labels - 1.0
    return Examples(MemoryFeatures(rows), labels)  # type: ignore[arg-type]


def skewed_examples(count: int, seed: int) -> Examples:
    """Nine of ten images are of one class, and the two lie close together."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 10 == 0).astype(np.int32)
    rows = rng.normal(0, 1, (count, 8)).astype(np.float32)
    rows[:, 0] += 1.5 * labels
    return Examples(MemoryFeatures(rows), labels)  # type: ignore[arg-type]


def head_steps(
    rate: float = 0.05, seed: int = 0, **settings: Any
) -> tuple[Steps, keras.Model]:
    """Steps of a linear head on features of `examples_of`, and the head."""
    head = model.head("linear", 8, 2, seed)

    def forward(features: Any, training: bool) -> Any:
        return head(features, training=training)

    recipe = Recipe(**{"batch_size": 8, "seed": seed, **settings})
    optimizer = keras.optimizers.Adam(rate)
    return Steps(forward, head.trainable_variables, optimizer, recipe), head


def halves(train: Examples, val: Examples) -> BySplit:
    """Both as a phase takes them."""
    return {"train": train, "val": val}
