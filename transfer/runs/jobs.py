"""Jobs: a command in a process of its own, with progress that a page can read.

A job is a folder `jobs/NAME` of the workspace: `status.json` is what the job says of
itself, `process.json` which process it is, `log.txt` all its output. The name tells
what the job is about, so that a page finds it again after a reload, and what came of
it after a restart.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

from transfer import processes, workspace
from transfer.errors import RunError, StorageError, TransferError
from transfer.processes import Watch
from transfer.store.record import error_record

#: Progress is written no more often than this, in seconds.
_PAUSE = 0.2
#: Seconds for a cancelled process to end before it is killed.
_GRACE = 1.0

#: Seconds between two signs of life.
_BEAT = 1.0

_starting = threading.Lock()
_watch = Watch()

State = Literal["running", "done", "failed", "cancelled"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is known of a job.

    Attributes:
        state: How it stands.
        progress: Where it is now, in the job's own words.
        result: What came of it; empty unless it is done.
        error: `kind`, `message` and `hint` of what ended it; empty if nothing did.
    """

    state: State
    progress: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    error: dict[str, str] = field(default_factory=dict)


def start(name: str, command: Sequence[str]) -> None:
    """Starts `python -m transfer COMMAND --job NAME`; it outlives this process.

    Nothing happens if the job is running.

    Args:
        name: Of the job: letters, digits, `.`, `_` and `-`.
        command: Words of our command line.

    Raises:
        RunError: The system cannot start another process.
        StorageError: The workspace cannot be written.
    """
    with _starting:  # two visitors may ask for the same at once
        if not is_running(name):
            _start(name, command)


def _start(name: str, command: Sequence[str]) -> None:
    folder = workspace.folder("jobs", name)
    _write(name, Job(state="running"))
    with workspace.writing(folder):
        log = (folder / "log.txt").open("wb")
    words = [sys.executable, "-m", "transfer", *command, "--job", name]
    with log:
        try:
            process = subprocess.Popen(  # noqa: S603  our own module
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=processes.environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise RunError(f"No process could be started: {error}.") from error
    _note_process(name, process.pid)


def status(name: str) -> Job | None:
    """How the job stands; `None` if there never was one of that name.

    A job whose process is gone without a word has failed. One that stands still is
    ended, as it is asked for again and again.
    """
    try:
        job = Job(**json.loads((_folder(name) / "status.json").read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    if job.state != "running":
        return job
    if process := _process(name):
        if not _stands_still(name):
            return job
        return _give_up(name, job, process)
    # It may have written its last words and ended since they were read.
    again = Job(**json.loads((_folder(name) / "status.json").read_bytes()))
    if again.state != "running":
        return again
    record = error_record(_gone(name))
    return Job(state="failed", progress=job.progress, error=record)


def _gone(name: str) -> TransferError:
    if workspace.is_full():
        return workspace.full(_folder(name))
    log = _folder(name) / "log.txt"
    return RunError("It ended before it was done.", f"{log} has the details.")


def _stands_still(name: str) -> bool:
    """Whether a living job has given no sign for too long."""
    try:
        sign = _sign_path(name).stat().st_mtime_ns
    except OSError:  # it still imports what it needs
        return False
    return _watch.seconds(name, sign) >= processes.LIMIT


def _give_up(name: str, job: Job, process: psutil.Process) -> Job:
    """Ends a job that stands still; how it stands then."""
    _watch.forget(name)
    with suppress(psutil.NoSuchProcess):
        _end([process, *process.children(recursive=True)])
    stuck = RunError(
        f"It stood still for {processes.LIMIT:.0f} seconds, so its process was ended.",
        "Start it again.",
    )
    ended = Job(state="failed", progress=job.progress, error=error_record(stuck))
    _write(name, ended)
    return ended


def is_running(name: str) -> bool:
    """Whether the job runs now."""
    job = status(name)
    return job is not None and job.state == "running"


def cancel(name: str) -> None:
    """Ends a running job, with all processes that it started; what it kept stays.

    Raises:
        StorageError: The workspace cannot be written.
    """
    job = status(name)
    if not job or job.state != "running":
        return
    if process := _process(name):
        with suppress(psutil.NoSuchProcess):
            _end([process, *process.children(recursive=True)])
    _write(name, Job(state="cancelled", progress=job.progress))


def forget(name: str) -> None:
    """Removes a job that is not running, and what came of it."""
    job = status(name)
    if job and job.state != "running":
        shutil.rmtree(_folder(name), ignore_errors=True)


class Reporter:
    """What a job tells of itself.

    Args:
        name: Of the job; without one nothing is written.
    """

    def __init__(self, name: str = "") -> None:
        self._name, self._last = name, 0.0
        self._progress: dict[str, Any] = {}
        if name:
            with suppress(OSError, AttributeError):
                os.nice(10)  # pages and predictions go first
            _note_process(name, os.getpid())
            threading.Thread(target=_show_life, args=[name], daemon=True).start()

    def progress(self, **values: Any) -> None:
        """Where the job is now; values that are not given stay.

        Written at most five times a second.
        """
        self._progress |= values
        if self._name and time.monotonic() - self._last > _PAUSE:
            self._last = time.monotonic()
            _write(self._name, Job(state="running", progress=self._progress))

    def done(self, result: dict[str, Any]) -> None:
        """The job's last words: what came of it."""
        if self._name:
            _write(
                self._name, Job(state="done", progress=self._progress, result=result)
            )

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Tells what ended the block, if it did not end by itself."""
        try:
            yield
        except TransferError as error:
            self._failed(error)
            raise
        except Exception as error:
            kind = type(error).__name__
            told: TransferError = RunError(f"It failed: {kind}: {str(error)[:300]}")
            if workspace.says_full(error):
                told = workspace.full(workspace.home())
            self._failed(told)
            raise

    def _failed(self, error: TransferError) -> None:
        if self._name:
            job = Job(
                state="failed", progress=self._progress, error=error_record(error)
            )
            with suppress(StorageError):  # a full disk: what ended the job comes first
                _write(self._name, job)


def _end(processes: list[psutil.Process]) -> None:
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            one.terminate()
    _, left = psutil.wait_procs(processes, _GRACE)
    for one in left:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(left, _GRACE)


def _show_life(name: str) -> None:
    path = _sign_path(name)
    with suppress(OSError):  # its folder is gone, or the disk is full
        path.touch()
        while True:
            time.sleep(_BEAT)
            os.utime(path)


def _folder(name: str) -> Path:
    return workspace.home() / "jobs" / name


def _sign_path(name: str) -> Path:
    return _folder(name) / "alive"


def _write(name: str, job: Job) -> None:
    content = json.dumps(asdict(job)).encode()
    workspace.write_atomically(_folder(name) / "status.json", content)


def _note_process(name: str, pid: int) -> None:
    with suppress(psutil.NoSuchProcess):
        record = {"pid": pid, "started_at": psutil.Process(pid).create_time()}
        content = json.dumps(record).encode()
        workspace.write_atomically(_folder(name) / "process.json", content)


def _process(name: str) -> psutil.Process | None:
    """The job's living process; a zombie is gone, and so is one of the same number."""
    try:
        record = json.loads((_folder(name) / "process.json").read_bytes())
        process = psutil.Process(record["pid"])
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        same = abs(process.create_time() - record["started_at"]) < 1.0
        return process if same else None
    except (OSError, ValueError, KeyError, psutil.Error):
        return None
