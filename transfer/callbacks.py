"""What a training tells while it goes on, and how it is asked to stop."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transfer import workspace


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

    def checkpoint(
        self, weights: Mapping[str, NDArray[np.float32]], state: Mapping[str, Any]
    ) -> None:
        """The trained weights by path, and where the training stands."""

    def stop_requested(self) -> bool:
        """Whether the training should end now and keep its best weights."""
        return False

    def check_stop(self) -> None:
        """Raises `StopRequested` if the training should end now."""
        if self.stop_requested():
            raise StopRequested


def write_checkpoint(
    path: Path,
    weights: Mapping[str, NDArray[np.float32]],
    state: Mapping[str, Any],
) -> None:
    """Writes weights and state as one file, so that they always belong together.

    Raises:
        StorageError: The disk is full or the folder cannot be written.
    """
    buffer = io.BytesIO()
    np.savez(buffer, state=np.array(json.dumps(state)), **weights)  # type: ignore[arg-type]
    workspace.write_atomically(path, buffer.getvalue())


def read_checkpoint(
    path: Path,
) -> tuple[dict[str, NDArray[np.float32]], dict[str, Any]]:
    """The weights and the state that `write_checkpoint` wrote."""
    with np.load(path, allow_pickle=False) as file:
        weights = {name: file[name] for name in file.files if name != "state"}
        return weights, json.loads(str(file["state"]))
