"""Jobs whose process vanished, stands still or does not stop: nobody else ends them."""

import contextlib
from collections.abc import Callable
from typing import Protocol

import psutil

from transfer import processes, workspace
from transfer.errors import NotFoundError, RunError, StorageError, TransferError
from transfer.processes import Tree, Watch
from transfer.runs import jobs
from transfer.runs.kinds import GIVES_WAY, KINDS
from transfer.store import files
from transfer.store.record import RUN, Job, error_record
from transfer.store.runs import Store
from transfer.store.status import JobStatus

#: Seconds that a job which was taken may stay without a process: more than a worker
#: waits for a store that is locked.
START_TIMEOUT = 300.0
#: Seconds without a sign of life after which a process on another machine is given up.
HEARTBEAT_TIMEOUT = 60.0
#: Seconds for which none is seen besides, where the clock of the database says so: it
#: may have been set, or all machines slept.
SEEN_SILENT = 5.0


class JobProcess(Protocol):
    """A process that can be ended with all that it started, or a fake in tests."""

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


def find_process(job: Job) -> JobProcess | None:
    """The living process of a job of this machine; `None` if it is gone."""
    process = processes.find(job.pid, job.pid_started_at, job.id)
    return Tree(process) if process else None


def is_here(job: Job) -> bool:
    """Whether a job is of this machine, whose processes can be asked for."""
    return job.host == processes.this_machine()


Find = Callable[[Job], JobProcess | None]


def sweep(
    store: Store,
    find: Find = find_process,
    watch: Watch | None = None,
    can_find: Callable[[Job], bool] = is_here,
    is_lost: Callable[[Job], bool] = lambda _: False,
) -> None:
    """Ends the jobs whose process vanished or does not stop.

    On this machine the process itself is asked, so a computer that slept for an hour
    loses no run; of other machines only the heartbeat is seen. What lives and stands
    still is ended too. A run of such, and whatever can be done anew that was on a
    machine which vanished, waits once more for a worker, once.

    Args:
        watch: Of whoever sweeps again and again: only so is it known how long
            something lasts. No time of another process is compared with ours.
        can_find: Whether `find` knows of the process of a job.
        is_lost: Whether the machine of a job is known to be gone.
    """
    watch, active = watch or Watch(), store.active()
    ids = [job.id for job in active]
    watch.forget_all_but({*ids, *map(_stop_of, ids)})
    now = store.machines.now() if active else 0.0
    for job in active:
        # Whoever has it may have ended it, or somebody deleted it, since it was read.
        with contextlib.suppress(RunError, NotFoundError, psutil.NoSuchProcess):
            if can_find(job):
                _look_at(store, job, find, watch)
            elif _is_silent(job, watch, now, SEEN_SILENT if is_lost(job) else None):
                _give_up(store, job)


def give_way(store: Store, find: Find = find_process, host: str = "") -> None:
    """Puts back into the queue what gives way, once anything else waits or works.

    Args:
        host: The machine; empty is this one. What happens on another one takes nothing
            away there.
    """
    host = host or processes.this_machine()
    here = [one for one in store.active() if one.host == host]
    yielding = [job for job in here if job.priority <= GIVES_WAY]
    if not yielding or len(yielding) == len(here) and not _waits(store):
        return
    for job in yielding:
        with contextlib.suppress(RunError, NotFoundError, psutil.NoSuchProcess):
            # Found before, for the record forgets which process it was.
            process = find(job)
            store.give_way(job.id, job.started_at)
            if process:
                process.kill()


def _stop_of(job_id: str) -> str:
    """The name by which it is watched how long a job takes to stop."""
    return f"{job_id} stops"


def _waits(store: Store) -> bool:
    return any(job.priority > GIVES_WAY for job in store.waiting(limit=1))


def _is_silent(job: Job, watch: Watch, now: float, most: float | None = None) -> bool:
    """Whether nothing is heard of a job on another machine.

    Args:
        now: By the clock that its times are of, which is the database's.
        most: Seconds after which it counts as silent, where less will do.
    """
    seen = watch.seconds(job.id, (job.started_at, job.heartbeat_at))
    said = now - max(job.heartbeat_at or 0.0, job.started_at or 0.0)
    if most is not None:
        return seen > most
    # By its clock whoever has just begun to look knows; without it, if it was set back,
    # whoever has looked for long enough.
    return seen > HEARTBEAT_TIMEOUT or min(seen, said - HEARTBEAT_TIMEOUT) > SEEN_SILENT


def _give_up(store: Store, job: Job) -> None:
    """Ends a job whose machine vanished, or lets another machine do it."""
    error = _silent_error(job)
    if KINDS[job.kind].can_repeat and job.status is JobStatus.RUNNING:
        store.begin_again(job.id, job.started_at, error_record(error))
    else:
        _finish(store, job, error)


def _look_at(store: Store, job: Job, find: Find, watch: Watch) -> None:
    # Only whether these change is asked, never how long ago they are: the clock may
    # have been set since.
    sign = job.started_at, job.heartbeat_at
    if job.pid is None:
        if watch.seconds(job.id, sign) > START_TIMEOUT:
            _finish(store, job, _vanished_error(job))
    elif job.status is JobStatus.STOPPING:
        _help_to_stop(store, job, find(job), watch)
    elif (process := find(job)) is None:
        _finish(store, job, _vanished_error(job))
    elif watch.seconds(job.id, sign) >= processes.LIMIT:
        _end_what_stands_still(store, job, process, watch)


def _help_to_stop(
    store: Store, job: Job, process: JobProcess | None, watch: Watch
) -> None:
    kind = KINDS[job.kind]
    asked = watch.seconds(_stop_of(job.id), job.stop_requested_at)
    if process is None:
        # A run that is asked to stop says so itself at its end; of other jobs nothing
        # is left to be said.
        overdue = asked >= kind.stop_grace
        is_stopped = overdue or job.kind != RUN
        error = _force_error(job) if overdue else _vanished_error(job)
        status = JobStatus.STOPPED if is_stopped else JobStatus.INTERRUPTED
        of_run = error_record(error) if job.kind == RUN else {}
        store.finish(job.id, status, error=of_run, claim=job.started_at)
    elif asked >= kind.kill_grace:
        process.kill()
    elif asked >= kind.stop_grace:
        process.terminate()


def _end_what_stands_still(
    store: Store, job: Job, process: JobProcess, watch: Watch
) -> None:
    # Whether it comes true or not, what was seen is used up: a store that could not be
    # written may be the reason for the silence.
    watch.forget(job.id)
    error = error_record(_still_error(job))
    # The record first, for this fails where the store is locked or the disk is full.
    if KINDS[job.kind].is_resumable:
        store.begin_again(job.id, job.started_at, error)
    else:
        store.finish(job.id, JobStatus.FAILED, error=error, claim=job.started_at)
    process.kill()


def _finish(store: Store, job: Job, error: TransferError) -> None:
    # Where it was begun anew since it was read, it is not the one that vanished.
    why, claim = error_record(error), job.started_at
    store.finish(job.id, JobStatus.INTERRUPTED, error=why, claim=claim)


def _vanished_error(job: Job) -> TransferError:
    if word := jobs.take_word(job.kind, job.id):
        return StorageError(f"The worker ended: {word['message']}", word["hint"])
    if workspace.is_full():
        return workspace.full(workspace.home())
    if job.kind != RUN:
        return RunError(
            "It ended before it was done: its process was killed, perhaps because "
            "memory ran out.",
            f"Try again; {files.log(job.kind, job.id)} has the details.",
        )
    return RunError(
        "The worker vanished: it was killed, perhaps because memory ran out.",
        "The last checkpoint is kept. Start the run again, with a smaller batch size "
        "if memory was short.",
    )


def _still_error(job: Job) -> RunError:
    message = (
        f"The worker stood still: it lived, but gave no sign for "
        f"{processes.LIMIT:.0f} seconds, so its process was ended."
    )
    if not KINDS[job.kind].is_resumable:
        return RunError(message, "Try again.")
    if job.error:
        return RunError(
            f"{message} It was the second time.",
            "The last checkpoint is kept; the end of the run's log says where it "
            "stood. Start the run again.",
        )
    return RunError(message, "The run goes on from its last checkpoint.")


def _silent_error(job: Job) -> RunError:
    message = (
        f"The worker on {job.host} has been silent: that machine, its network or the "
        "process is lost."
    )
    kept = " The last checkpoint is kept." if job.kind == RUN else ""
    if job.error:
        message = f"{message} It was the second time."
    elif KINDS[job.kind].can_repeat and job.status is JobStatus.RUNNING:
        goes_on = (
            "from its last checkpoint" if job.kind == RUN else "from its beginning"
        )
        return RunError(message, f"It goes on {goes_on}.")
    return RunError(
        message, f"Check that machine and its network, then start it again.{kept}"
    )


def _force_error(job: Job) -> RunError:
    return RunError(
        f"The worker did not stop by itself within "
        f"{KINDS[job.kind].stop_grace:.0f} seconds, so its process was ended.",
        "Its last checkpoint is kept.",
    )
