"""What a training tells while it goes on, and how it is asked to stop."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transfer.training.snapshot import Snapshot


class StopRequested(Exception):
    """Raised out of a long preparation when the user has asked to stop."""


class Listener:
    """Hears what a training does; every method may be left as it is."""

    def log(self, line: str) -> None:
        """One line for the run's log."""

    def progress(self, **values: Any) -> None:
        """Where the run is now: `phase`, `epoch`, `step`, `seconds_left`, ..."""

    def steps(
        self,
        phase: str,
        epoch: int,
        first_step: int,
        losses: NDArray[np.float32],
        accuracies: NDArray[np.float32],
    ) -> None:
        """Loss and accuracy of consecutive training steps, counted from 1."""

    def epoch(self, phase: str, epoch: int, values: Mapping[str, float]) -> None:
        """The values of a finished epoch, counted from 1 in each phase."""

    def answers(
        self,
        phase: str,
        epoch: int,
        labels: NDArray[np.int32],
        probabilities: NDArray[np.float32],
    ) -> None:
        """Right labels `(images,)` and probabilities `(images, num_classes)` of val,
        in the order of the revision, after an epoch; epoch 0 is a phase's start.
        """

    def wants_changes(self) -> bool:
        """Whether `changes` may be called now; measuring them takes a while."""
        return False

    def changes(self, phase: str, epoch: int, blocks: Mapping[str, float]) -> None:
        """How far each block of the backbone is from its start, relative to that."""

    def wants_checkpoint(self) -> bool:
        """Whether it is time for the next checkpoint; asked between calls of steps."""
        return False

    def checkpoint(self, snapshot: Snapshot) -> None:
        """Where the training stands: asked for, or at a phase's end, or at a stop."""

    def stop_requested(self) -> bool:
        """Whether the training should end now and keep its best weights."""
        return False

    def check_stop(self) -> None:
        """Raises `StopRequested` if the training should end now."""
        if self.stop_requested():
            raise StopRequested
