"""A run from its checkpoint to its evaluation, and the model that it leaves."""

import os
import platform
import shutil
import sys
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import psutil

from transfer import workspace
from transfer.datasets import library
from transfer.datasets.revision import Revision
from transfer.errors import StorageError
from transfer.evaluation import results
from transfer.runs import continuing
from transfer.store import files, outcome
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.training import snapshot as checkpoints
from transfer.training.snapshot import Snapshot
from transfer.worker import spare
from transfer.worker.listener import StoreListener

if TYPE_CHECKING:  # they import TensorFlow
    from transfer.training.train import Trained
    from transfer.worker.tensorboard import EventWriter

T = TypeVar("T")


def train(store: Store, run: Run, listener: StoreListener) -> dict[str, Any]:
    """What came of the training, as the run's record keeps it.

    Args:
        store: Where the run is.
        run: The run, taken by this process.
        listener: Hears of the training.

    Raises:
        StopRequested: The stop was requested before the training proper began.
        TransferError: Settings, weights or images do not fit, or the training failed.
    """
    start = time.perf_counter()
    # First of all, so that no page takes in values that are measured once more.
    resume = _resume_point(store, run, listener)
    listener.progress(phase="import")
    # Importing Keras takes seconds; the run must show that it lives before that.
    spare.import_keras()
    from transfer.training import train as training  # noqa: PLC0415

    imported = time.perf_counter() - start
    revision = library.load(run.config.dataset, run.config.revision)
    revision.check_learnable()
    run.config.check_kind(revision.kind)
    listener.events = _event_writer(store, run)
    model = continuing.model(store, run.config, revision)
    trained = training.train(run.config, revision, listener, resume, model)
    store.heartbeat(run.id, claim=run.started_at)  # only a run's own worker saves
    _save(run.id, trained.model)
    judging, judged = time.perf_counter(), None
    # A stop is to take no longer.
    if not listener.stop_requested():
        if revision.of_split("val"):
            judged = try_or_log(lambda: _evaluate(run, trained.model, listener))
        try_or_log(lambda: _convert(run, trained.model, revision, listener))
    seconds = {"import": imported, **trained.seconds}
    seconds["evaluate"] += time.perf_counter() - judging
    seconds["total"] = time.perf_counter() - start
    earlier = run.result if resume else {}  # what the run took before it was stopped
    cost = _cost_record(seconds, earlier)
    # Nothing where it went on from the end of that phase.
    done = listener.fine_tuned or earlier.get("epochs_fine_tuned", 0)
    record = {**_model_record(trained, revision), "epochs_fine_tuned": done}
    return {**record, **cost, **(judged or {})}


def _model_record(trained: "Trained", revision: Revision) -> dict[str, Any]:
    """What the record says of the model."""
    best, has_val = trained.best, bool(revision.of_split("val"))
    in_val = {name: count["val"] for name, count in revision.counts().items()}
    return {
        "val_accuracy": best.accuracy if has_val else None,
        "val_balanced_accuracy": best.balanced_accuracy if has_val else None,
        "val_loss": best.loss if has_val else None,
        "val_images": sum(in_val.values()),
        "train_images": len(revision.of_split("train")),
        "leave_one_out_accuracy": trained.leave_one_out_accuracy,
        "val_largest_class": outcome.largest_class(in_val),
        "best_phase": best.phase,
        "best_epoch": best.epoch,
        "best_blend": best.blend,
        "ended_early": trained.ended_early,
        "batch_size": trained.batch_size,
        "halved_for": trained.halved_for,
        "trainable_parameters": trained.trainable_parameters,
        "frozen_parameters": trained.frozen_parameters,
        "class_names": list(revision.class_names),
        "grey": revision.grey,
        "sound": revision.sound,
    }


def _cost_record(seconds: dict[str, float], earlier: dict[str, Any]) -> dict[str, Any]:
    """What the record says of time and memory.

    Args:
        seconds: By phase.
        earlier: The record of the same run's part before it was resumed.
    """
    before = earlier.get("seconds", {})
    sums = {
        name: round(seconds.get(name, 0.0) + before.get(name, 0.0), 3)
        for name in {**seconds, **before}
    }
    memory = max(_peak_memory_bytes() / 1e6, earlier.get("peak_memory_mb", 0.0))
    return {"seconds": sums, "peak_memory_mb": round(memory, 1)}


def _resume_point(store: Store, run: Run, listener: StoreListener) -> Snapshot | None:
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
    # Last, so that nothing is ever found beside a model that it was not made with.
    os.replace(made, files.model(run_id))


def _evaluate(run: Run, model: Any, listener: StoreListener) -> dict[str, Any]:
    """What the evaluation of val adds to the result; its rest is asked for later."""
    from transfer.evaluation import evaluator  # noqa: PLC0415

    found = evaluator.Evaluator(run, model, listener.log).evaluate("val")
    results.save(found)
    return {"temperature": found.temperature}


def _convert(run: Run, model: Any, revision: Revision, listener: StoreListener) -> None:
    """Has the model ready for its first prediction, which then needs no Keras."""
    from transfer.classifier import converting  # noqa: PLC0415

    record, config = files.runner(run.id), run.config
    reading = revision.rendering, config.resizing
    converting.make(model, config.backbone, record, listener.log, *reading)


def try_or_log(attempt: Callable[[], T]) -> T | None:
    """What the attempt gives; its failure is logged and ends no run."""
    try:
        return attempt()
    except Exception:
        print("This failed; the page that needs it does it again.", flush=True)
        traceback.print_exc()
        return None


def _peak_memory_bytes() -> int:
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource  # noqa: PLC0415  Windows has no such module

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024
