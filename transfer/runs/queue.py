"""The queue: starts workers for queued runs, and notices those that vanished."""

import contextlib
import logging
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Protocol

import psutil

from transfer import processes, workspace
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.errors import (
    ConfigError,
    NotFoundError,
    RunError,
    StorageError,
    TransferError,
)
from transfer.processes import Watch
from transfer.runs import details
from transfer.runs.engines import local as launch
from transfer.runs.engines.local import SpareWorker, start_worker
from transfer.store import files
from transfer.store.record import Run, error_record
from transfer.store.runs import Store
from transfer.store.status import JobStatus

#: Seconds that a run which was taken may stay without a process: more than a worker
#: waits for a store that is locked.
START_TIMEOUT = 300.0
#: Seconds without a sign of life after which a worker on another machine is given up.
HEARTBEAT_TIMEOUT = 60.0
#: Seconds after the request to stop when the worker gets SIGTERM, then SIGKILL.
STOP_GRACE = 30.0
KILL_GRACE = 60.0

#: Set when a run is queued by this process, so that its supervisor takes it at once.
_queued = threading.Event()

_logger = logging.getLogger(__name__)


class WorkerProcess(Protocol):
    """A process that can be ended: a `psutil.Process`, or a fake in tests."""

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


def max_running() -> int:
    """Runs that this machine does at once: `TRANSFER_MAX_RUNNING`, else 1.

    Raises:
        ConfigError: The variable is not a whole number of at least 1.
    """
    named = os.environ.get("TRANSFER_MAX_RUNNING") or "1"
    if named.isdecimal() and int(named) >= 1:
        return int(named)
    raise ConfigError(
        f"TRANSFER_MAX_RUNNING is {named!r}, but a whole number of at least 1 was "
        "expected."
    )


def wants_spare() -> bool:
    """Whether a worker is kept ready: unless `TRANSFER_SPARE_WORKER` is 0."""
    return os.environ.get("TRANSFER_SPARE_WORKER") != "0"


def dispatch(
    store: Store, launch: Callable[[str], subprocess.Popen[bytes]] = start_worker
) -> list[str]:
    """Starts workers while runs wait and this machine has room; the ids started.

    A run whose worker cannot be started ends as failed, and the next one is tried.
    """
    started = []
    while run := store.claim_next(socket.gethostname(), {("run",): max_running()}):
        try:
            process = launch(run.id)
        except (OSError, TransferError) as error:
            _logger.exception("The worker of run %s could not be started", run.id)
            store.finish(
                run.id, JobStatus.FAILED, error=error_record(_unstarted(error))
            )
            continue
        # Noted here and not only by the worker, so that one that dies while it still
        # imports is noticed. A worker that has ended already keeps its own end.
        with contextlib.suppress(RunError, NotFoundError):
            store.begin(run.id, process.pid)
        started.append(run.id)
    return started


def find_worker(run: Run) -> WorkerProcess | None:
    """The living process of a run of this machine; `None` if it is gone.

    A zombie is gone, and so is a process that only got the same number later.
    """
    return processes.find(run.pid, run.pid_started_at, run.id)


def sweep(
    store: Store,
    now: float | None = None,
    find: Callable[[Run], WorkerProcess | None] = find_worker,
    watch: Watch | None = None,
) -> list[str]:
    """Ends the runs whose worker vanished or does not stop; the ids that ended.

    On this machine the process itself is asked, so a computer that slept for an hour
    loses no run; of other machines only the heartbeat is seen. A worker that lives and
    stands still is ended too, and its run waits once more for a worker, once.

    Args:
        now: Seconds since 1970; `None` is the present.
        watch: Of whoever sweeps again and again: tells who stands still.
    """
    now = time.time() if now is None else now
    ended = []
    for run in [one for one in store.active() if isinstance(one, Run)]:
        if _ended(store, run, now, find) or watch and _stuck(store, run, find, watch):
            ended.append(run.id)
    return ended


def submit(store: Store, config: TrainConfig, name: str = "") -> Run:
    """A new queued run of these settings; a supervisor in this process hears of it.

    Args:
        name: What the user calls it; empty takes its backbone and what trains.
    """
    run = store.create(config, name)
    _queued.set()
    return run


def stop(store: Store, run: str) -> Run:
    """The run, by id or name, after the request to stop it.

    Raises:
        NotFoundError: There is no such run.
        RunError: It has ended or is stopping already.
    """
    sweep(store)
    found = store.get(run)
    store.request_stop(found.id)
    return store.get(found.id)


def resume(store: Store, run: str) -> Run:
    """The run, by id or name, queued again to go on from its last checkpoint.

    Raises:
        NotFoundError: There is no such run.
        RunError: It is completed, or has not ended.
    """
    sweep(store)
    found = store.get(run)
    store.resume(found.id)
    _queued.set()
    return store.get(found.id)


def delete(store: Store, run: str) -> Run:
    """The run, by id or name, as it was before its record and files were removed.

    Raises:
        NotFoundError: There is no such run.
        RunError: A worker has it.
    """
    sweep(store)
    found = store.get(run)
    kept_images = files.kept_images(found.id).exists()
    store.delete(found.id)
    folder = files.of_run(found.id)
    with workspace.writing(folder):
        if folder.exists():
            shutil.rmtree(folder)
    if kept_images:
        library.remove_unused_images()
    return found


class Supervisor:
    """Sweeps and dispatches three times a second in a thread of the server.

    The workers are on their own: they outlive the supervisor.

    Args:
        open_store: Opens the store, at the first round that succeeds in it.
        interval: Seconds between two rounds.
        launch: Starts the worker of a run; by default a spare one that has imported
            Keras while nothing ran.
    """

    def __init__(
        self,
        open_store: Callable[[], Store] = Store,
        interval: float = 0.3,
        launch: Callable[[str], subprocess.Popen[bytes]] | None = None,
    ) -> None:
        self._open_store = open_store
        self._store: Store | None = None
        self._interval = interval
        self._spare = SpareWorker()
        self._launch = launch or self._spare.start
        self._keeps_spare = launch is None and wants_spare()
        self._children: list[subprocess.Popen[bytes]] = []
        self._watch = Watch()
        self._closing = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="run-supervisor", daemon=True
        )
        self._problem = ""

    def start(self) -> None:
        """Begins; to be called once."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and leaves the workers running."""
        self._closing.set()
        _queued.set()
        self._thread.join()
        self._spare.close()
        if self._store:
            self._store.close()

    def tick(self) -> None:
        """One round. It never raises: a full disk now may have room a second later."""
        try:
            self._children = [one for one in self._children if one.poll() is None]
            self._store = self._store or self._open_store()
            sweep(self._store, watch=self._watch)
            dispatch(self._store, self._launch_child)
            if self._keeps_spare and not self._children:
                self._spare.prepare()
            details.tend(self._store)
            self._problem = ""
        except Exception as error:
            if str(error) != self._problem:  # Once, not each second.
                _logger.exception("The supervisor of the runs met a problem")
            self._problem = str(error)

    def _run(self) -> None:
        while not self._closing.is_set():
            self.tick()
            _queued.wait(self._interval)
            _queued.clear()

    def _launch_child(self, run_id: str) -> subprocess.Popen[bytes]:
        process = self._launch(run_id)
        self._children.append(process)  # Polled later, so that no zombie stays.
        return process


def _unstarted(error: Exception) -> TransferError:
    if isinstance(error, TransferError):
        return error
    return RunError(
        f"The worker could not be started: {error}.",
        "Close other programs to free memory and processes, then start it again.",
    )


def _ended(
    store: Store,
    run: Run,
    now: float,
    find: Callable[[Run], WorkerProcess | None],
) -> bool:
    """Whether the run was ended now, because nobody else would."""
    if run.host != socket.gethostname():
        last = run.heartbeat_at or run.started_at or run.created_at
        return now - last > HEARTBEAT_TIMEOUT and _finish(store, run, _silent(run))
    if run.pid is None:
        began = run.started_at or run.created_at
        return now - began > START_TIMEOUT and _finish(store, run, _vanished(run))
    asked = now - (run.stop_requested_at or now)
    process = find(run)
    if process is None:
        overdue = asked >= STOP_GRACE
        return _finish(
            store, run, _ended_by_force() if overdue else _vanished(run), overdue
        )
    with contextlib.suppress(psutil.NoSuchProcess):
        if asked >= KILL_GRACE:
            process.kill()
        elif asked >= STOP_GRACE:
            process.terminate()
    return False


def _stuck(
    store: Store,
    run: Run,
    find: Callable[[Run], WorkerProcess | None],
    watch: Watch,
) -> bool:
    """Whether the worker of this machine was ended now, because it stood still."""
    if run.host != socket.gethostname() or run.pid is None or run.stop_requested_at:
        return False
    if watch.seconds(run.id, (run.started_at, run.heartbeat_at)) < processes.LIMIT:
        return False
    # Whether it comes true or not, what was seen is used up: a store that could not be
    # written may be the reason for the silence.
    watch.forget(run.id)
    process = find(run)
    with contextlib.suppress(RunError, NotFoundError):
        # First, for this fails where the store is locked or the disk is full.
        store.begin_again(run.id, run.started_at, error_record(_stood_still(run)))
        if process:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        return True
    return False


def _finish(
    store: Store, run: Run, error: TransferError, stopped: bool = False
) -> bool:
    status = JobStatus.STOPPED if stopped else JobStatus.INTERRUPTED
    # The worker may have ended the run, or somebody deleted it, since it was read.
    with contextlib.suppress(RunError, NotFoundError):
        store.finish(run.id, status, error=error_record(error))
        return True
    return False


def _vanished(run: Run) -> TransferError:
    if word := launch.take_word(run.id):
        return StorageError(f"The worker ended: {word['message']}", word["hint"])
    if workspace.is_full():
        return workspace.full(workspace.home())
    return RunError(
        "The worker vanished: it was killed, perhaps because memory ran out.",
        "The last checkpoint is kept. Start the run again, with a smaller batch size "
        "if memory was short.",
    )


def _stood_still(run: Run) -> RunError:
    message = (
        f"The worker stood still: it lived, but gave no sign for "
        f"{processes.LIMIT:.0f} seconds, so its process was ended."
    )
    if run.error:
        return RunError(
            f"{message} It was the second time.",
            "The last checkpoint is kept; the end of the run's log says where it "
            "stood. Start the run again.",
        )
    return RunError(message, "The run goes on from its last checkpoint.")


def _silent(run: Run) -> RunError:
    return RunError(
        f"The worker on {run.host} has been silent for more than "
        f"{HEARTBEAT_TIMEOUT:.0f} seconds.",
        "Check that machine and its network, then start the run again. The last "
        "checkpoint is kept.",
    )


def _ended_by_force() -> RunError:
    return RunError(
        f"The worker did not stop by itself within {STOP_GRACE:.0f} seconds, so its "
        "process was ended.",
        "Its last checkpoint is kept.",
    )
