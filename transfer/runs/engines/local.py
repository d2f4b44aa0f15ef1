"""Processes on this machine that do jobs: started for one, or ahead of time."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from transfer import workspace
from transfer.processes import environment
from transfer.store import files
from transfer.store.record import RUN, Job


def start(job: Job) -> subprocess.Popen[bytes]:
    """The process of a job, which outlives this one, in a session of its own.

    Raises:
        OSError: The system cannot start another process.
        StorageError: The log cannot be written.
    """
    return run(job.kind, job.id, command(job))


def run(kind: str, job_id: str, words: Sequence[str]) -> subprocess.Popen[bytes]:
    """The same of a job of which no more is known.

    Args:
        words: As `command` gives them.

    Raises:
        OSError, StorageError: As `start`.
    """
    with _log(kind, job_id) as log:
        return _start(words, stdin=subprocess.DEVNULL, stdout=log)


def command(job: Job) -> list[str]:
    """The words after `python` that do a job."""
    if job.kind == RUN:
        return ["-m", "transfer.worker", job.id]
    return ["-m", "transfer", *job.settings["words"], "--job", job.id]


def _log(kind: str, job_id: str) -> BinaryIO:
    path = files.log(kind, job_id)
    with workspace.writing(path):
        workspace.make_folder(path.parent)
        # At its end: what is resumed, or begun anew, keeps what it said before.
        return path.open("ab")


def wants_spare() -> bool:
    """Whether a worker is kept ready: unless `TRANSFER_SPARE_WORKER` is 0."""
    return os.environ.get("TRANSFER_SPARE_WORKER") != "0"


class SpareWorker:
    """A worker that has imported Keras, which takes seconds, before a job needs it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Starts it if there is none; one that died is not replaced before a job.

        Raises:
            OSError: The system cannot start another process.
        """
        if self._process is None:
            self._process = _start(
                ["-m", "transfer.worker", "--spare"],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
            )

    def start(self, job: Job) -> subprocess.Popen[bytes]:
        """The process that does a job: the spare one, if there is one.

        Raises:
            OSError: The system cannot start another process.
            StorageError: The log cannot be written.
        """
        return self.give(job.kind, job.id, command(job)) or start(job)

    def give(
        self,
        kind: str,
        job_id: str,
        words: Sequence[str],
        own: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes] | None:
        """The spare process, which does a job from now on; `None` if there is none.

        Args:
            kind: As of `run`.
            job_id: As of `run`.
            words: As of `run`.
            own: What is set in its environment besides.

        Raises:
            StorageError: The log cannot be written.
        """
        # Used up in any case: one that died would die again.
        process, self._process = self._process, None
        if process and process.stdin and process.poll() is None:
            with _log(kind, job_id) as log:
                told = json.dumps([log.name, own or {}, *words[1:]])
            with contextlib.suppress(OSError), process.stdin as stdin:
                stdin.write(f"{told}\n".encode())
                return process
        return None

    def close(self) -> None:
        """Ends it; one that has a job goes on."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()  # closes its pipe, and no zombie stays
            self._process = None


def _start(arguments: Sequence[str], **streams: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # noqa: S603
        [sys.executable, *arguments],
        stderr=subprocess.STDOUT,
        env=environment(),
        start_new_session=True,  # Ctrl-C at the server's terminal is not for it.
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        **streams,
    )
