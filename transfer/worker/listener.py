"""What a training tells goes into the store, and a request to stop comes out of it."""

import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from transfer.errors import RunError, StorageError, TransferError
from transfer.runs.vanished import HEARTBEAT_TIMEOUT
from transfer.store import files, watched
from transfer.store.record import Metric, Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.training import snapshot as checkpoints
from transfer.training.listener import Listener
from transfer.training.snapshot import Snapshot

if TYPE_CHECKING:  # it imports TensorFlow
    from transfer.worker.tensorboard import EventWriter

#: Seconds between two writes to the store; pages look about once a second.
_FLUSH_SECONDS = 0.5
#: Least seconds between two checkpoints, and how much longer than writing one they
#: shall last, so that a large model on a slow disk does not spend its time on them.
_CHECKPOINT_SECONDS = 10.0
_CHECKPOINT_PAUSE = 20.0
#: Seconds after its last sign of life for which a run is its worker's for sure: less
#: than others wait before they give it up.
_MAY_HOLD = HEARTBEAT_TIMEOUT - 15.0
#: Least seconds between two looks at how far the blocks have moved.
_CHANGES_SECONDS = 3.0


class StoreListener(Listener):
    """Keeps what a training tells in the store, and hears requests to stop.

    A thread writes, so that the training never waits for the database and a worker
    that is busy for a minute still shows that it lives.
    """

    def __init__(self, store: Store, run: Run) -> None:
        self._store = store
        self._run_id, self._claim = run.id, run.started_at
        self._metrics: list[Metric] = []
        self._progress: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._closing = threading.Event()
        self._checkpoint_due = time.monotonic() + _CHECKPOINT_SECONDS
        self._heard_at = time.monotonic()
        self._watch, self._changes_due = watched.Watch(run.id), 0.0
        #: The last epoch of the fine-tuning phase; 0 before its first.
        self.fine_tuned = 0
        #: Set once TensorFlow is imported.
        self.events: EventWriter | None = None
        self._thread = threading.Thread(target=self._write_on, daemon=True)
        self._thread.start()

    def log(self, line: str) -> None:
        """See `Listener.log`."""
        print(time.strftime("%H:%M:%S"), line, flush=True)

    def progress(self, **values: Any) -> None:
        """See `Listener.progress`."""
        with self._lock:
            # What one phase told, such as its epoch, says nothing of the next.
            if values.get("phase") != self._progress.get("phase"):
                self._progress = {}
            self._progress = {**self._progress, **values}

    def steps(
        self,
        phase: str,
        epoch: int,
        first_step: int,
        losses: NDArray[np.float32],
        accuracies: NDArray[np.float32],
    ) -> None:
        """See `Listener.steps`."""
        if self.events:
            self.events.steps(losses, accuracies)
        named = {"loss": losses, "accuracy": accuracies}
        with self._lock:
            self._metrics += [
                Metric(phase=phase, epoch=epoch, step=step, name=name, value=value)
                for name, values in named.items()
                for step, value in enumerate(map(float, values), first_step)
            ]

    def epoch(self, phase: str, epoch: int, values: Mapping[str, float]) -> None:
        """See `Listener.epoch`."""
        shown = "  ".join(f"{name} {value:.4g}" for name, value in values.items())
        self.log(f"{phase} epoch {epoch}: {shown}")
        if phase == "fine_tune":
            self.fine_tuned = epoch
        if self.events:
            self.events.epoch(values)
        with self._lock:
            self._metrics += [
                Metric(phase=phase, epoch=epoch, name=name, value=value)
                for name, value in values.items()
            ]

    def answers(
        self,
        phase: str,
        epoch: int,
        labels: NDArray[np.int32],
        probabilities: NDArray[np.float32],
    ) -> None:
        """See `Listener.answers`."""
        self._watch.answers(phase, epoch, labels, probabilities)

    def wants_changes(self) -> bool:
        """See `Listener.wants_changes`."""
        return time.monotonic() >= self._changes_due

    def changes(self, phase: str, epoch: int, blocks: Mapping[str, float]) -> None:
        """See `Listener.changes`."""
        self._changes_due = time.monotonic() + _CHANGES_SECONDS
        self._watch.changes(blocks)

    def wants_checkpoint(self) -> bool:
        """See `Listener.wants_checkpoint`."""
        return time.monotonic() >= self._checkpoint_due

    def checkpoint(self, snapshot: Snapshot) -> None:
        """See `Listener.checkpoint`."""
        start = time.monotonic()
        if self._store.machines.are_many and start - self._heard_at > _MAY_HOLD:
            return  # another machine may have the run by now, and write its own
        try:
            checkpoints.write(files.checkpoint(self._run_id), snapshot)
        except StorageError as error:  # the training itself needs no disk
            self.log(f"No checkpoint was written: {error}")
        now = time.monotonic()
        pause = max(_CHECKPOINT_SECONDS, _CHECKPOINT_PAUSE * (now - start))
        self._checkpoint_due = now + pause

    def stop_requested(self) -> bool:
        """See `Listener.stop_requested`."""
        return self._stop.is_set()

    def close(self) -> None:
        """Writes what is left and ends the thread."""
        self._closing.set()
        self._thread.join()
        if self.events:
            self.events.close()
        with suppress(TransferError):  # the run has ended well without it
            self._watch.write(always=True)
        self._write()

    def _write_on(self) -> None:
        while not self._closing.wait(_FLUSH_SECONDS):
            try:
                self._write()
                self._watch.write()
            except TransferError:  # a locked or full disk: tried again soon
                pass
            except Exception:  # without this thread the worker would seem to be stuck
                traceback.print_exc()

    def _write(self) -> None:
        with self._lock:
            rows, progress = self._metrics, dict(self._progress)
            self._metrics = []
        before = time.monotonic()
        try:
            status = self._store.metrics.tell(self._run_id, rows, progress, self._claim)
        except RunError:  # the run is no longer this worker's
            self._stop.set()
        except StorageError:
            # Written the next time, before what was measured meanwhile.
            with self._lock:
                self._metrics = rows + self._metrics
            raise
        else:
            self._heard_at = before
            if status is JobStatus.STOPPING:
                self._stop.set()
