"""What the process of a job tells of itself: its life, its progress, its end."""

import _thread
import json
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from transfer import processes, workspace
from transfer.errors import NotFoundError, RunError, StorageError, TransferError
from transfer.runs.kinds import KINDS
from transfer.store import files
from transfer.store.record import Job, error_record
from transfer.store.runs import Store
from transfer.store.status import JobStatus

#: Seconds between two signs of life, and the least between two that tell progress.
_BEAT, _PAUSE = 1.0, 0.2
#: How nice the processes of jobs are: pages and predictions go first.
_NICE, _NICE_LIGHT = 10, 15


def leave_word(kind: str, job_id: str, error: TransferError) -> None:
    """Notes why a process ended, where it cannot write to the store.

    Raises:
        StorageError: The disk is full or the folder cannot be written.
    """
    content = json.dumps(error_record(error)).encode()
    workspace.write_atomically(files.last_word(kind, job_id), content)


def take_word(kind: str, job_id: str) -> dict[str, str]:
    """What `leave_word` noted, which is gone then; empty if there is nothing."""
    path = files.last_word(kind, job_id)
    try:
        noted: dict[str, str] = json.loads(path.read_bytes())
        path.unlink()
        return noted
    except (OSError, ValueError):
        return {}


class Reporter:
    """What a command tells of itself where it is a job.

    A thread shows that the process lives, writes its progress and hears of a request
    to stop, upon which it interrupts the main thread as Ctrl-C would.

    Args:
        job_id: The job that this process does; without one nothing is written.

    Raises:
        RunError: The job is not one that a queue has just taken.
        StorageError: The store cannot be opened.
    """

    def __init__(self, job_id: str = "") -> None:
        self._job: Job | None = None
        self._progress: dict[str, Any] = {}
        self._is_new, self._told_at = False, 0.0
        self._further_at = time.monotonic()
        self._closing = threading.Event()
        if job_id:
            self._store = Store()
            self._job = self._store.begin(job_id)
            self._kind = KINDS[self._job.kind]
            processes.give_way(_NICE_LIGHT if self._kind.is_light else _NICE)
            processes.limit_memory(self._kind.memory)
            with suppress(ValueError):  # not the main thread, as in a test
                # Where the server was started in the background it is ignored.
                signal.signal(signal.SIGINT, signal.default_int_handler)
            self._thread = threading.Thread(target=self._show_life, daemon=True)
            self._thread.start()

    @property
    def owner(self) -> str | None:
        """Whose is what comes of it: of who asked for the job."""
        return self._job.owner if self._job else None

    def progress(self, **values: Any) -> None:
        """Where the job is now; values that are not given stay."""
        self._progress = self._progress | values
        self._is_new, self._further_at = True, time.monotonic()

    def finish(self, result: dict[str, Any]) -> None:
        """The job's last words: what came of it."""
        self._finish(JobStatus.COMPLETED, result)

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Tells what ended the block, if it did not end by itself."""
        try:
            yield
        except KeyboardInterrupt:
            if self._job is None:
                raise
            # They would outlive this process, and nobody would know of them.
            processes.end_children()
            self._finish(JobStatus.STOPPED)
            raise SystemExit(130) from None
        except TransferError as error:
            self._fail(error)
            raise
        except Exception as error:
            kind = type(error).__name__
            reason: TransferError = RunError(f"It failed: {kind}: {str(error)[:300]}")
            if isinstance(error, MemoryError):
                reason = RunError("It needed more memory than it may take.")
            if workspace.says_full(error):
                reason = workspace.full(workspace.home())
            self._fail(reason)
            raise
        finally:
            self._close()

    def _fail(self, error: TransferError) -> None:
        # The job may not be this process' any more, or the disk may be full: what ended
        # the block comes first.
        with suppress(TransferError):
            self._finish(JobStatus.FAILED, error=error_record(error))

    def _finish(
        self,
        status: JobStatus,
        result: dict[str, Any] | None = None,
        error: dict[str, str] | None = None,
    ) -> None:
        if self._job is None:
            return
        # Before the end, or a last sign of life could come after it.
        self._stop_thread()
        claim = self._job.started_at
        try:
            self._store.heartbeat(self._job.id, self._progress, claim)
            self._store.finish(self._job.id, status, result, error, claim)
        except StorageError as reason:
            with suppress(StorageError):
                leave_word(self._job.kind, self._job.id, reason)
            raise

    def _close(self) -> None:
        if self._job is not None:
            self._stop_thread()
            self._store.close()

    def _stop_thread(self) -> None:
        self._closing.set()
        self._thread.join()

    def _show_life(self) -> None:
        while not self._closing.wait(_PAUSE):
            if self._stands_still():
                continue  # whoever looks after the jobs ends what shows no life
            if self._is_new or time.monotonic() - self._told_at >= _BEAT:
                self._beat()

    def _stands_still(self) -> bool:
        """Whether it has not come further for longer than work of its kind may take."""
        limit = self._kind.must_tell
        return limit is not None and time.monotonic() - self._further_at > limit

    def _beat(self) -> None:
        if self._job is None:
            return
        self._is_new, self._told_at = False, time.monotonic()
        try:
            status = self._store.heartbeat(
                self._job.id, self._progress, self._job.started_at
            )
        except (RunError, NotFoundError):  # the job is not this process' any more
            status = JobStatus.STOPPING
        except TransferError:  # a locked or full disk: told again soon
            self._is_new = True
            return
        if status is JobStatus.STOPPING and not self._closing.is_set():
            self._closing.set()
            _interrupt_main_thread()


def _interrupt_main_thread() -> None:
    """Has the main thread meet a KeyboardInterrupt, also while it waits or sleeps."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)
    else:
        _thread.interrupt_main()
