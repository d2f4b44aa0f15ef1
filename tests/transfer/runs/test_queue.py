import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from transfer import workspace as folders
from transfer.config import TrainConfig
from transfer.errors import ConfigError, NotFoundError, RunError, StorageError
from transfer.processes import Watch
from transfer.runs import queue
from transfer.runs.engines import local as launch
from transfer.runs.engines.local import SpareWorker
from transfer.store import files
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus

FLOWERS = TrainConfig(dataset="flowers")


class FakeProcess:
    """A process that does nothing but note what it was told."""

    def __init__(self, pid: int = 0) -> None:
        self.pid = pid or os.getpid()
        self.told: list[str] = []
        self.returncode: int | None = None

    def terminate(self) -> None:
        self.told.append("terminate")

    def kill(self) -> None:
        self.told.append("kill")

    def poll(self) -> int | None:
        return self.returncode


def refuse(_: str) -> FakeProcess:
    raise OSError(11, "Resource temporarily unavailable")


def gone(_: Run) -> None:
    return None


def taken(store: Store, pid: int | None = None) -> Run:
    """A run that this machine's queue has taken, done by that process if given."""
    store.create(FLOWERS)
    run = store.claim_next(socket.gethostname(), {("run",): 99})
    assert run
    return store.begin(run.id, pid) if pid else run


@pytest.fixture
def zombie() -> Iterator[int]:
    """The number of a process that has ended and that nobody has waited for."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    yield process.pid
    process.wait()


def test_max_running__one_unless_the_environment_says_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert queue.max_running() == 1
    monkeypatch.setenv("TRANSFER_MAX_RUNNING", "3")
    assert queue.max_running() == 3


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_max_running__what_is_no_number_of_runs(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TRANSFER_MAX_RUNNING", value)
    with pytest.raises(ConfigError, match=f"{value}.*whole number of at least 1"):
        queue.max_running()


def test_dispatch__starts_as_many_as_there_is_room_for(store: Store) -> None:
    first, second = store.create(FLOWERS), store.create(FLOWERS)
    assert queue.dispatch(store, lambda _: FakeProcess()) == [first.id]
    assert store.get(first.id).status == "running"
    assert store.get(first.id).pid == os.getpid()
    assert store.get(second.id).status == "queued"


def test_dispatch__a_worker_that_cannot_start_fails_its_run(store: Store) -> None:
    runs = [store.create(FLOWERS), store.create(FLOWERS)]
    assert queue.dispatch(store, refuse) == []
    for run in map(store.get, [run.id for run in runs]):
        assert run.status == "failed"
        assert "Resource temporarily unavailable" in run.error["message"]
        assert run.error["kind"] == "RunError" and run.error["hint"]


def test_dispatch__a_worker_that_has_ended_already_keeps_its_end(store: Store) -> None:
    def quick(run_id: str) -> FakeProcess:
        store.finish(run_id, JobStatus.FAILED, error={"kind": "DatasetError"})
        return FakeProcess()

    run = store.create(FLOWERS)
    assert queue.dispatch(store, quick) == [run.id]
    assert store.get(run.id).error == {"kind": "DatasetError"}


def test_start_worker__writes_its_output_to_the_log_from_any_folder(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "transfer").mkdir()
    (tmp_path / "transfer" / "__init__.py").write_text(
        "raise SystemExit('the wrong one')"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", _interpreter_that_tells(tmp_path))
    folders.folder("runs", "abcdef01")
    files.log("run", "abcdef01").write_text("before\n")
    assert launch.start_worker("abcdef01").wait(PATIENCE) == 0
    before, module, package = files.log("run", "abcdef01").read_text().splitlines()
    assert (before, module) == ("before", "-m transfer.worker abcdef01")
    assert Path(package) == Path(queue.__file__).parents[1] / "__init__.py"


def _interpreter_that_tells(folder: Path) -> str:
    """A program that tells its arguments and which `transfer` Python would import."""
    script = folder / "python"
    code = "import transfer; print(transfer.__file__)"
    script.write_text(f'#!/bin/sh\necho "$@"\nexec {sys.executable} -c "{code}"\n')
    script.chmod(0o755)
    return str(script)


def test_start_worker__a_log_that_cannot_be_written(workspace: Path) -> None:
    files.log("run", "abcdef01").mkdir(parents=True)
    with pytest.raises(StorageError, match="log.txt could not be written"):
        launch.start_worker("abcdef01")


def test_sweep__a_worker_that_is_gone_is_noticed_at_once(
    store: Store, zombie: int
) -> None:
    run = taken(store, zombie)
    assert queue.sweep(store) == [run.id]
    ended = store.get(run.id)
    assert ended.status == "interrupted" and ended.ended_at
    assert "worker vanished" in ended.error["message"]
    assert "checkpoint is kept" in ended.error["hint"]


def test_sweep__a_living_worker_is_left_alone_however_long_it_was_silent(
    store: Store,
) -> None:
    run = taken(store, os.getpid())
    assert queue.sweep(store, now=run.started_at + 1e5) == []
    assert store.get(run.id).status == "running"


def test_sweep__a_run_that_never_began(store: Store) -> None:
    run = taken(store)
    assert queue.sweep(store, now=run.started_at + queue.START_TIMEOUT - 1) == []
    assert queue.sweep(store, now=run.started_at + queue.START_TIMEOUT + 1) == [run.id]
    assert store.get(run.id).status == "interrupted"


def test_sweep__another_machine_that_fell_silent(store: Store) -> None:
    store.create(FLOWERS)
    run = store.claim_next("far-away", {("run",): 1})
    store.heartbeat(run.id)
    beat = store.get(run.id).heartbeat_at
    assert queue.sweep(store, beat + queue.HEARTBEAT_TIMEOUT - 1, gone) == []
    assert queue.sweep(store, beat + queue.HEARTBEAT_TIMEOUT + 1, gone) == [run.id]
    assert "far-away has been silent" in store.get(run.id).error["message"]


def test_sweep__a_worker_that_does_not_stop_is_ended_by_force(store: Store) -> None:
    run = store.request_stop(taken(store, os.getpid()).id)
    process, asked = FakeProcess(), run.stop_requested_at
    for seconds in (queue.STOP_GRACE - 1, queue.STOP_GRACE, queue.KILL_GRACE):
        assert queue.sweep(store, asked + seconds, lambda _: process) == []
    assert process.told == ["terminate", "kill"]
    assert queue.sweep(store, asked + queue.KILL_GRACE + 1, gone) == [run.id]
    ended = store.get(run.id)
    assert ended.status == "stopped"
    assert "did not stop by itself within 30 seconds" in ended.error["message"]


def test_sweep__a_stopping_worker_that_vanished_by_itself(store: Store) -> None:
    run = store.request_stop(taken(store, os.getpid()).id)
    assert queue.sweep(store, run.stop_requested_at + 1, gone) == [run.id]
    assert store.get(run.id).status == "interrupted"


def test_sweep__a_run_that_ended_while_it_was_looked_at(store: Store) -> None:
    run = taken(store, os.getpid())

    def ends(_: Run) -> None:
        store.finish(run.id, JobStatus.COMPLETED)

    assert queue.sweep(store, find=ends) == []
    assert store.get(run.id).status == "completed"


class Minutes(Watch):
    """A watch for which a minute passes between two looks."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def seconds(self, name: str, sign: object) -> float:
        self.looks += 1
        return 60.0 * (self.looks > 1)


@pytest.fixture
def stopped_dead() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives and does nothing any more."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        os.kill(process.pid, signal.SIGSTOP)
        yield process
        process.kill()


def test_sweep__a_worker_that_stops_dead_is_ended_and_its_run_goes_on_once(
    store: Store, stopped_dead: subprocess.Popen[bytes]
) -> None:
    run, watch = taken(store, stopped_dead.pid), Minutes()
    assert queue.sweep(store, watch=watch) == []
    assert queue.sweep(store, watch=watch) == [run.id]
    assert stopped_dead.wait(60) == -signal.SIGKILL
    again = store.get(run.id)
    assert (again.status, again.pid) == ("queued", None)
    assert "stood still" in again.error["message"]
    assert "goes on from its last checkpoint" in again.error["hint"]

    assert queue.dispatch(store, lambda _: FakeProcess()) == [run.id]
    process = FakeProcess()
    assert queue.sweep(store, find=lambda _: process, watch=watch) == [run.id]
    assert process.told == ["kill"]
    ended = store.get(run.id)
    assert ended.status == "interrupted" and ended.ended_at
    assert "second time" in ended.error["message"]
    assert store.resume(run.id).error == {}, "a user may try as often as they like"


def test_sweep__a_worker_that_shows_signs_of_life(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, process, clock = taken(store, os.getpid()), FakeProcess(), iter(range(1000))
    watch = Watch(lambda: float(next(clock)))
    monkeypatch.setattr(queue.processes, "LIMIT", 15.0)
    for _ in range(20):
        store.heartbeat(run.id)
        assert queue.sweep(store, find=lambda _: process, watch=watch) == []
    assert process.told == [] and store.get(run.id).status == "running"


def test_sweep__a_store_that_cannot_be_written_ends_no_worker(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise StorageError("The database of the runs is locked.")

    taken(store, os.getpid())
    process, clock = FakeProcess(), iter(range(1000))
    watch = Watch(lambda: float(next(clock)))
    monkeypatch.setattr(store, "begin_again", locked)
    monkeypatch.setattr(queue.processes, "LIMIT", 5.0)
    for _ in range(5):
        assert queue.sweep(store, find=lambda _: process, watch=watch) == []
    with pytest.raises(StorageError):
        queue.sweep(store, find=lambda _: process, watch=watch)
    assert queue.sweep(store, find=lambda _: process, watch=watch) == [], "counts anew"
    assert process.told == []


def test_sweep__a_worker_that_could_not_write_its_end_left_a_word(
    store: Store, zombie: int
) -> None:
    run = taken(store, zombie)
    launch.leave_word(run.id, StorageError("The database is locked.", "Close it."))
    assert queue.sweep(store) == [run.id]
    error = store.get(run.id).error
    assert error["kind"] == "StorageError"
    assert error["message"] == "The worker ended: The database is locked."
    assert launch.take_word(run.id) == {}


def test_sweep__a_worker_that_ended_on_a_full_disk(
    store: Store, zombie: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = taken(store, zombie)
    monkeypatch.setattr(queue.workspace, "is_full", lambda: True)
    assert queue.sweep(store) == [run.id]
    assert "The disk is full" in store.get(run.id).error["message"]


def test_stop__by_name(store: Store) -> None:
    store.create(FLOWERS, "mine")
    assert queue.stop(store, "mine").status == "stopped"


def test_stop__of_a_vanished_worker_says_so(store: Store, zombie: int) -> None:
    run = taken(store, zombie)
    with pytest.raises(RunError, match="is interrupted"):
        queue.stop(store, run.id)


def test_delete__of_a_vanished_worker(store: Store, zombie: int) -> None:
    run = taken(store, zombie)
    folder = folders.folder("runs", run.id)
    assert queue.delete(store, run.id[:6]).id == run.id
    assert not folder.exists()
    with pytest.raises(NotFoundError):
        store.get(run.id)


@pytest.mark.parametrize(("said", "prepared"), [("", 1), ("0", 0)])
def test_supervisor__keeps_a_spare_worker_unless_told_not_to(
    store: Store, monkeypatch: pytest.MonkeyPatch, said: str, prepared: int
) -> None:
    called: list[SpareWorker] = []
    monkeypatch.setattr(SpareWorker, "prepare", lambda self: called.append(self))
    monkeypatch.setenv("TRANSFER_SPARE_WORKER", said)
    queue.Supervisor().tick()
    assert len(called) == prepared


def test_supervisor__starts_the_next_run_when_one_has_ended(
    store: Store, zombie: int
) -> None:
    started: list[str] = []

    def launch(run_id: str) -> FakeProcess:
        started.append(run_id)
        return FakeProcess(zombie)

    runs = [store.create(FLOWERS).id, store.create(FLOWERS).id]
    supervisor = queue.Supervisor(launch=launch)
    supervisor.tick()
    assert started == runs[:1]
    supervisor.tick()
    assert started == runs
    assert store.get(runs[0]).status == "interrupted"


def test_supervisor__reaps_the_children_that_ended(store: Store) -> None:
    process = FakeProcess()
    store.create(FLOWERS)
    supervisor = queue.Supervisor(launch=lambda _: process)
    supervisor.tick()
    assert supervisor._children == [process]
    process.returncode = 0
    supervisor.tick()
    assert supervisor._children == []


def test_supervisor__survives_a_problem_and_logs_it_once(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    stores = iter([StorageError("no room"), StorageError("no room"), store])

    def open_store() -> Store:
        found = next(stores)
        if isinstance(found, StorageError):
            raise found
        return found

    store.create(FLOWERS)
    supervisor = queue.Supervisor(open_store, launch=lambda _: FakeProcess())
    with caplog.at_level(logging.ERROR):
        supervisor.tick()
        supervisor.tick()
    assert len(caplog.records) == 1
    supervisor.tick()
    assert store.runs()[0].status == "running"


def test_submit__wakes_the_supervisor(store: Store) -> None:
    launched = threading.Event()

    def launch(_: str) -> FakeProcess:
        launched.set()
        return FakeProcess()

    supervisor = queue.Supervisor(interval=600.0, launch=launch)
    supervisor.start()
    run = queue.submit(store, FLOWERS, "mine")
    assert launched.wait(PATIENCE)
    supervisor.stop()
    assert (store.get(run.id).name, store.get(run.id).status) == ("mine", "running")


def test_supervisor__its_thread_works_until_it_is_stopped(store: Store) -> None:
    launched = threading.Event()
    process = FakeProcess()

    def launch(_: str) -> FakeProcess:
        launched.set()
        return process

    store.create(FLOWERS)
    supervisor = queue.Supervisor(interval=0.01, launch=launch)
    supervisor.start()
    assert launched.wait(PATIENCE)
    supervisor.stop()
    assert not supervisor._thread.is_alive()
    assert process.told == [], "the worker goes on"
