"""The process that does one run: `python -m transfer.worker RUN_ID`."""

import gc
import os
import platform
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import psutil
from numpy.typing import NDArray

from transfer import workspace
from transfer.datasets import library
from transfer.errors import RunError, StorageError, TransferError
from transfer.evaluation import results
from transfer.runs import continuing, jobs, queue
from transfer.runs.kinds import GIVES_WAY
from transfer.store import files, outcome, watched
from transfer.store.record import RUN, Metric, Run, error_record
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.training import listener as callbacks
from transfer.training import snapshot as checkpoints
from transfer.training.snapshot import Snapshot

if TYPE_CHECKING:  # it imports TensorFlow
    from transfer.worker.tensorboard import EventWriter

#: Seconds between two writes to the store; pages look about once a second.
_FLUSH_SECONDS = 0.5
#: Least seconds between two checkpoints, and how much longer than writing one they
#: shall last, so that a large model on a slow disk does not spend its time on them.
_CHECKPOINT_SECONDS = 10.0
_CHECKPOINT_PAUSE = 20.0
#: How often the end of a run is tried to be written, and seconds between two times.
_TRIES, _TRY_AGAIN = 6, 10.0
#: Least seconds between two looks at how far the blocks have moved.
_CHANGES_SECONDS = 3.0

T = TypeVar("T")


class StoreListener(callbacks.Listener):
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
        self._watch, self._changes_due = watched.Watch(run.id), 0.0
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
        try:
            try:
                self._store.metrics.add(self._run_id, rows, self._claim)
            except StorageError:
                with self._lock:
                    self._metrics = rows + self._metrics
                raise
            self._store.heartbeat(self._run_id, progress, self._claim)
        except RunError:  # the run is no longer this worker's
            self._stop.set()
        if self._store.stop_requested(self._run_id):
            self._stop.set()


def work(store: Store, run: Run) -> None:
    """Does the run and writes how it ended."""
    listener = StoreListener(store, run)
    result: dict[str, Any] | None = None
    try:
        result = _train(store, run, listener)
        stopped = listener.stop_requested()
        status = JobStatus.STOPPED if stopped else JobStatus.COMPLETED
        error = None
    except callbacks.StopRequested:
        status, result, error = JobStatus.STOPPED, None, None
    except Exception as caught:
        traceback.print_exc()
        status, result, error = JobStatus.FAILED, None, error_record(_named(caught))
    with suppress(TransferError):
        listener.close()
    _finish(store, run, status, result=result, error=error)
    if status is JobStatus.COMPLETED:
        files.checkpoint(run.id).unlink(missing_ok=True)
        if result and "temperature" in result:  # val was evaluated
            _tried(lambda: _ask_for_details(store, run))


def _ask_for_details(store: Store, run: Run) -> None:
    """Has spoilt pictures tried, and the map made, once there is nothing else to do.

    They take longer than all the rest of an evaluation, and nobody who waits for the
    run, or for the next one, needs them at once.
    """
    words = ["evaluate", run.id, "--split", "val"]
    queue.ask(store, "evaluate", f"{run.id}-val", words, GIVES_WAY)


def _finish(store: Store, run: Run, status: JobStatus, **came_of_it: Any) -> None:
    """Writes the end."""
    _patiently(
        run.id,
        lambda: store.finish(run.id, status, claim=run.started_at, **came_of_it),
    )


def _patiently(run_id: str, attempt: Callable[[], T]) -> T:
    """What the attempt gives; a locked store or full disk has a minute to mend.

    If it does not, the reason is left where the queue finds it: in a file.
    """
    for left in reversed(range(_TRIES)):
        try:
            return attempt()
        except StorageError as error:
            print(f"The record of this run cannot be written: {error}", flush=True)
            if not left:
                with suppress(TransferError):
                    jobs.leave_word(RUN, run_id, error)
                raise
            time.sleep(_TRY_AGAIN)
    raise AssertionError  # the last try ends in one of the two


def _resumed(store: Store, run: Run, listener: StoreListener) -> Snapshot | None:
    """Where the run goes on; what was measured after that is dropped."""
    try:
        snapshot = checkpoints.read(files.checkpoint(run.id))
    except StorageError as error:
        listener.log(f"{error} This run starts from the beginning.")
        snapshot = None
    if snapshot is None:
        store.metrics.drop(run.id)
        return None
    listener.log(
        f"Resumed in the {snapshot.phase} phase after epoch {snapshot.epoch}, step "
        f"{snapshot.step} of the next."
    )
    store.metrics.drop(run.id, snapshot.phase, snapshot.epoch, snapshot.step)
    return snapshot


def _event_writer(store: Store, run: Run) -> "EventWriter":
    """Goes on counting where the stored values end."""
    from transfer.worker.tensorboard import EventWriter  # noqa: PLC0415

    steps, epochs = store.metrics.count_done(run.id)
    return EventWriter(files.events(run.id), steps, epochs)


def _train(store: Store, run: Run, listener: StoreListener) -> dict[str, Any]:
    """What came of the training."""
    start = time.perf_counter()
    # First of all, so that no page takes in values that are measured once more.
    resume = _resumed(store, run, listener)
    listener.progress(phase="import")
    # Importing Keras takes seconds; the run must show that it lives before that.
    _import_keras()
    from transfer.training import train  # noqa: PLC0415

    imported = time.perf_counter() - start
    revision = library.load(run.config.dataset, run.config.revision)
    listener.events = _event_writer(store, run)
    model = continuing.model(store, run.config, revision)
    trained = train.train(run.config, revision, listener, resume, model)
    store.heartbeat(run.id, claim=run.started_at)  # only a run's own worker saves
    _save(run.id, trained.model)
    has_val = bool(revision.of_split("val"))
    judging = time.perf_counter()
    judged = None
    if has_val and not listener.stop_requested():  # a stop is to take no longer
        judged = _tried(lambda: _evaluate(run, trained.model, listener))
    seconds = {"import": imported, **trained.seconds}
    seconds["evaluate"] += time.perf_counter() - judging
    seconds["total"] = time.perf_counter() - start
    earlier = run.result if resume else {}  # what the run took before it was stopped
    for name, before in earlier.get("seconds", {}).items():
        seconds[name] = seconds.get(name, 0.0) + before
    memory = max(_peak_memory_bytes() / 1e6, earlier.get("peak_memory_mb", 0.0))
    best, in_val = trained.best, {k: v["val"] for k, v in revision.counts().items()}
    return {
        "val_accuracy": best.accuracy if has_val else None,
        "val_balanced_accuracy": best.balanced_accuracy if has_val else None,
        "val_loss": best.loss if has_val else None,
        "val_largest_class": outcome.largest_class(in_val),
        "best_phase": best.phase,
        "best_epoch": best.epoch,
        "ended_early": trained.ended_early,
        "batch_size": trained.batch_size,
        "halved_for": trained.halved_for,
        "trainable_parameters": trained.trainable_parameters,
        "frozen_parameters": trained.frozen_parameters,
        "class_names": list(revision.class_names),
        "grey": revision.grey,
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "peak_memory_mb": round(memory, 1),
        **(judged or {}),
    }


def _import_keras() -> None:
    """Imports all that a run needs and that takes seconds, and sets it apart.

    The garbage collector would look through it again and again: a fifth of the time of
    the import, and 0.2 s in each run.
    """
    if "keras" in sys.modules:
        return
    gc.disable()
    from transfer.evaluation import evaluator  # noqa: F401, PLC0415

    gc.freeze()
    gc.enable()


def _save(run_id: str, model: Any) -> None:
    """Puts the model in place, whole.

    What was found out about an earlier model of a resumed run does not hold any more.
    """
    folder = workspace.folder("runs", run_id)
    made = folder / "writing.keras"
    with workspace.writing(made):
        model.save(made)
    for path in files.model_findings(run_id):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    os.replace(made, files.model(run_id))


def _evaluate(run: Run, model: Any, listener: StoreListener) -> dict[str, Any]:
    """What the evaluation of val adds to the result; see `_ask_for_details`."""
    from transfer.evaluation import evaluator  # noqa: PLC0415

    found = evaluator.Evaluator(run, model, listener.log).evaluate("val")
    results.save(found)
    return {"temperature": found.temperature}


def _tried(attempt: Callable[[], T]) -> T | None:
    """What the attempt gives; its failure is logged and ends no run."""
    try:
        return attempt()
    except Exception:
        print("The evaluation failed; the page Evaluate can do it again.", flush=True)
        traceback.print_exc()
        return None


def _peak_memory_bytes() -> int:
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource  # noqa: PLC0415  Windows has no such module

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024


def _named(error: Exception) -> TransferError:
    """The error as one that a user can read; its trace is in the log."""
    if isinstance(error, TransferError):
        return error
    if workspace.says_full(error):
        return workspace.full(workspace.home())
    if isinstance(error, MemoryError) or "ResourceExhausted" in type(error).__name__:
        return RunError(
            "There was not enough memory.",
            "Try a smaller batch size or image size.",
        )
    return RunError(
        f"The training failed: {type(error).__name__}: {str(error)[:300]}",
        "The run's log has the details.",
    )


def main(run_id: str) -> None:
    """Does the run of this id, then lets the queue go on."""
    with suppress(OSError, AttributeError):
        # Pages and predictions go first. What a worker starts is as nice already.
        os.nice(max(0, 10 - os.nice(0)))
    if run_id == "--spare":
        run_id = _awaited()
    if not run_id:
        return
    store = _patiently(run_id, Store)
    try:
        try:
            _patiently(run_id, lambda: store.begin(run_id))
            work(store, store.get(run_id))
        finally:
            queue.dispatch(store)
    finally:
        store.close()


def _awaited() -> str:
    """The run that this spare worker is given; empty if whoever started it is gone.

    What takes long is done meanwhile; from then on all output goes to the log.
    """
    _import_keras()
    _build_ahead()
    if run_id := sys.stdin.readline().strip():
        workspace.folder("runs", run_id)
        log = os.open(files.log("run", run_id), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.close(log)
    return run_id


def _build_ahead() -> None:
    """Builds the backbone of the newest run: the next one often has the same.

    Only weights that stay what they are: a file may be replaced until then.
    """
    from transfer.training import network  # noqa: PLC0415

    with suppress(TransferError), closing(Store()) as store:
        for run in store.runs(limit=1):
            if run.config.weights in ("imagenet", "starter", "random"):
                network.build_ahead(run.config)


if __name__ == "__main__":
    main(sys.argv[1])
