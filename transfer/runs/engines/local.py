"""Worker processes: started for a run, or ahead of time."""

import contextlib
import json
import subprocess
import sys

from transfer import workspace
from transfer.errors import TransferError
from transfer.processes import environment
from transfer.store import files
from transfer.store.record import error_record


def leave_word(run_id: str, error: TransferError) -> None:
    """Notes why a worker ended, where it cannot write to the store.

    Raises:
        StorageError: The disk is full or the folder cannot be written.
    """
    content = json.dumps(error_record(error)).encode()
    workspace.write_atomically(files.last_word("run", run_id), content)


def take_word(run_id: str) -> dict[str, str]:
    """What `leave_word` noted, which is gone then; empty if there is nothing."""
    path = files.last_word("run", run_id)
    try:
        noted: dict[str, str] = json.loads(path.read_bytes())
        path.unlink()
        return noted
    except (OSError, ValueError):
        return {}


def start_worker(run_id: str) -> subprocess.Popen[bytes]:
    """The process of a worker that outlives this one, in a session of its own.

    Raises:
        OSError: The system cannot start another process.
        StorageError: The log cannot be written.
    """
    path = files.log("run", run_id)
    with workspace.writing(path):
        workspace.make_folder(path.parent)
        log = path.open("ab")
    with log:
        return _started([run_id], stdin=subprocess.DEVNULL, stdout=log)


class SpareWorker:
    """A worker that has imported Keras, which takes seconds, before a run needs it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Starts it if there is none; one that died is not replaced before a run.

        Raises:
            OSError: The system cannot start another process.
        """
        if self._process is None:
            self._process = _started(
                ["--spare"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
            )

    def start(self, run_id: str) -> subprocess.Popen[bytes]:
        """The process that does the run: the spare one, or a new one if there is none.

        Raises:
            OSError: The system cannot start another process.
            StorageError: The log cannot be written.
        """
        process, self._process = self._process, None
        if process and process.stdin and process.poll() is None:
            with contextlib.suppress(OSError), process.stdin as stdin:
                stdin.write(f"{run_id}\n".encode())
                return process
        return start_worker(run_id)

    def close(self) -> None:
        """Ends it; one that has a run goes on."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _started(arguments: list[str], **streams: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # noqa: S603
        [sys.executable, "-m", "transfer.worker", *arguments],
        stderr=subprocess.STDOUT,
        env=environment(),
        start_new_session=True,  # Ctrl-C at the server's terminal is not for it.
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        **streams,
    )
