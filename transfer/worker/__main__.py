"""The process that does one run: `python -m transfer.worker RUN_ID`.

With `--spare` for a run, it waits for any job, which it is told on standard input.
"""

import runpy
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from transfer import processes, workspace
from transfer.errors import RunError, StorageError, TransferError
from transfer.runs import jobs, queue, requests
from transfer.runs.kinds import GIVES_WAY
from transfer.store import files
from transfer.store.record import RUN, Run, error_record
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.training.listener import StopRequested
from transfer.worker import spare, train
from transfer.worker.listener import StoreListener

#: How often the end of a run is tried to be written, and seconds between two times.
_TRIES, _TRY_AGAIN = 6, 10.0

T = TypeVar("T")


def main(run_id: str) -> None:
    """Does the run of this id, or as a spare worker the job that it is given."""
    processes.give_way()
    processes.limit_memory()
    if run_id == "--spare":
        do_any(spare.wait_for_job())
    else:
        do_run(run_id)


def do_any(command: list[str]) -> None:
    """Does what a spare worker was told, as `python -m` would."""
    match command:
        case ["transfer.worker", run_id]:
            do_run(run_id)
        case [module, *words]:
            sys.argv[1:] = words
            # By its name: the command line stands above the worker.
            runpy.run_module(module, run_name="__main__", alter_sys=True)


def do_run(run_id: str) -> None:
    """Does the run of this id, then lets the queue go on."""
    store = _patiently(run_id, Store)
    try:
        try:
            _patiently(run_id, lambda: store.begin(run_id))
            work(store, store.get(run_id))
        finally:
            # Without a server nobody else starts the next run. Light work is asked for
            # on pages, so there is a server, which knows what still leaves.
            queue.dispatch(store, light=False)
    finally:
        store.close()


def work(store: Store, run: Run) -> None:
    """Does the run and writes how it ended."""
    listener = StoreListener(store, run)
    result: dict[str, Any] | None = None
    try:
        result = train.train(store, run, listener)
        stopped = listener.stop_requested()
        status = JobStatus.STOPPED if stopped else JobStatus.COMPLETED
        error = None
    except StopRequested:
        status, result, error = JobStatus.STOPPED, None, None
    except Exception as caught:
        traceback.print_exc()
        status, result, error = JobStatus.FAILED, None, error_record(_in_words(caught))
    with suppress(TransferError):
        listener.close()
    _finish(store, run, status, result=result, error=error)
    if status is JobStatus.COMPLETED:
        files.checkpoint(run.id).unlink(missing_ok=True)
        if result and "temperature" in result:  # val was evaluated
            train.try_or_log(lambda: _ask_for_details(store, run))


def _ask_for_details(store: Store, run: Run) -> None:
    """Has spoilt pictures tried, and the map made, once there is nothing else to do.

    They take longer than all the rest of an evaluation, and nobody who waits for the
    run, or for the next one, needs them at once.
    """
    queue.ask(store, requests.evaluate(run.id, "val"), GIVES_WAY)


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


def _in_words(error: Exception) -> TransferError:
    """The error as one that a user can read; its trace is in the log."""
    if isinstance(error, TransferError):
        return error
    if workspace.says_full(error):
        return workspace.full(workspace.home())
    if isinstance(error, MemoryError) or "ResourceExhausted" in type(error).__name__:
        return RunError(
            "There was not enough memory.",
            "Try a smaller batch size or input size.",
        )
    return RunError(
        f"The training failed: {type(error).__name__}: {str(error)[:300]}",
        "The run's log has the details.",
    )


if __name__ == "__main__":
    main(sys.argv[1])
