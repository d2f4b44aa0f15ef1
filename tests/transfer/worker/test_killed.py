"""A run whose worker is killed in its midst goes on, with real processes."""

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.patience import wait_for
from tests.pictures import make_pictures
from transfer import processes
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.evaluation import results
from transfer.runs import queue, vanished
from transfer.runs.supervisor import Supervisor
from transfer.store import files
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus


def wait_for_epoch(store: Store, run_id: str, phase: str, epoch: int) -> Run:
    """The run once it is in this epoch."""

    def is_there() -> bool:
        run = store.get(run_id)
        assert not run.status.is_final, run.error
        now = run.progress
        return now.get("phase") == phase and now.get("epoch", 0) >= epoch

    wait_for(is_there)
    return store.get(run_id)


def ended(store: Store, run_id: str) -> Run:
    """The run once it has ended."""
    queue.dispatch(store)
    wait_for(lambda: vanished.sweep(store) or store.get(run_id).status.is_final)
    return store.get(run_id)


def settings(folder: Path) -> TrainConfig:
    """Those of a run that takes its time, on pictures made in this folder."""
    make_pictures(folder / "pets", {"cat": 10, "dog": 10})
    revision = importer.import_path(folder / "pets", "pets", val=0.4)
    return TrainConfig(
        dataset="pets",
        revision=revision.id,
        backbone="mobilenet_v2_035",
        weights="random",
        image_size=32,
        freeze="last:1",
        head_epochs=3,
        fine_tune_epochs=400,
        batch_size=4,
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGSTOP")
def test_supervisor__a_worker_that_stops_dead_and_what_follows_its_run(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run goes on by itself, and gets its details once nothing else waits."""
    monkeypatch.setattr(processes, "LIMIT", 5.0)
    run = store.create(settings(tmp_path), "stops dead")
    supervisor = Supervisor()
    supervisor.start()
    first = wait_for_epoch(store, run.id, "fine_tune", 40)
    os.kill(first.pid or 0, signal.SIGSTOP)
    wait_for(lambda: "stood still" in store.get(run.id).error.get("message", ""))
    wait_for(lambda: store.get(run.id).status.is_final)
    assert store.get(run.id).status is JobStatus.COMPLETED, store.get(run.id).error
    assert "Resumed in the" in files.log("run", run.id).read_text()

    def has_details() -> bool:
        found = results.load(run.id, "val")
        return bool(found and found.robustness and results.load(run.id, "all"))

    wait_for(has_details)
    supervisor.stop()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_resume__after_the_worker_was_killed(store: Store, tmp_path: Path) -> None:
    config = settings(tmp_path)
    whole = ended(store, store.create(config, "whole").id)
    assert whole.status is JobStatus.COMPLETED, whole.error

    run = store.create(config, "killed")
    queue.dispatch(store)
    os.kill(wait_for_epoch(store, run.id, "fine_tune", 40).pid or 0, signal.SIGKILL)
    assert ended(store, run.id).status is JobStatus.INTERRUPTED
    folder = Path(os.environ["TRANSFER_HOME"]) / "runs" / run.id
    assert (folder / "checkpoint.npz").exists()

    queue.resume(store, run.id)
    again = ended(store, run.id)
    assert again.status is JobStatus.COMPLETED, again.error
    assert "Resumed in the" in (folder / "log.txt").read_text()
    accuracy = again.result["val_accuracy"]
    assert accuracy == pytest.approx(whole.result["val_accuracy"], abs=0.01)
    losses = [
        {
            (m.phase, m.epoch): m.value
            for m in store.metrics.of_epochs(one.id)
            if m.name == "loss"
        }
        for one in (whole, again)
    ]
    assert losses[0] == losses[1]
    assert not (folder / "checkpoint.npz").exists()
    assert list((folder / "tensorboard").glob("events.out.tfevents.*"))
