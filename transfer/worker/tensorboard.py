"""Event files beside a run, for TensorBoard."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


class EventWriter:
    """Writes scalars as TensorBoard reads them; a full disk ends no run.

    `train/…` is by training step, a point for each call of the compiled loop: one for
    each step would take longer than the steps of a head. `epoch/…` is by epoch. Both
    are counted through all phases.

    Args:
        folder: Where the event file is made; further ones may lie there.
        steps: Training steps that were done before, where a run is resumed.
        epochs: Epochs that were done before.
    """

    def __init__(self, folder: Path, steps: int = 0, epochs: int = 0) -> None:
        self._steps, self._epochs = steps, epochs
        self._metadata = tf.compat.v1.SummaryMetadata(
            plugin_data={"plugin_name": "scalars"},
            data_class="DATA_CLASS_SCALAR",
        )
        self._writer: Any = None
        with suppress(tf.errors.OpError, OSError):
            self._writer = tf.summary.create_file_writer(str(folder))

    def steps(
        self, losses: NDArray[np.float32], accuracies: NDArray[np.float32]
    ) -> None:
        """Mean loss and accuracy of some steps, at the last of them."""
        self._steps += len(losses)
        values = {"loss": np.mean(losses), "accuracy": np.mean(accuracies)}
        self._write("train", self._steps, values)

    def epoch(self, values: Mapping[str, float]) -> None:
        """The values of a whole epoch."""
        self._epochs += 1
        self._write("epoch", self._epochs, values)
        with suppress(tf.errors.OpError):
            if self._writer:
                self._writer.flush()

    def close(self) -> None:
        """Writes what is left."""
        with suppress(tf.errors.OpError):
            if self._writer:
                self._writer.close()

    def _write(self, group: str, step: int, values: Mapping[str, Any]) -> None:
        if not self._writer:
            return
        with suppress(tf.errors.OpError), self._writer.as_default():
            for name, value in values.items():
                # `tf.summary.scalar` is a part of TensorBoard, which is not needed.
                tf.summary.write(
                    f"{group}/{name}",
                    tf.constant(value, tf.float32),
                    step=step,
                    metadata=self._metadata,
                )
