"""The order of those who wait, changed by hand: what is moved goes before all turns."""

from typing import Literal

from transfer.errors import RunError
from transfer.runs import kinds, places
from transfer.store.record import Job
from transfer.store.runs import Store
from transfer.store.status import JobStatus

To = Literal["front", "up", "down"]


def move(store: Store, job_id: str, to: To) -> Job:
    """The job after it was moved among those that wait for the same room.

    Its place, and those before it, are kept then; behind them people take turns.

    Raises:
        NotFoundError: There is no such job.
        NotAllowedError: The queue is for administrators.
        RunError: It does not wait.
    """
    job = store.get_job(job_id)
    store.scope.check_server("queue")
    if job.status is not JobStatus.QUEUED:
        raise RunError(f"{job.label} is {job.status}: only what waits can be moved.")
    line = in_line(store, job)
    # What gives way stands behind all others.
    at = line.index(job.id) if job.id in line else len(line)
    others = [one for one in line if one != job.id]
    new = {"front": 0, "up": max(at - 1, 0), "down": min(at + 1, len(others))}[to]
    line = [*others[:new], job.id, *others[new:]]
    before = {one.id for one in store.whole().waiting() if one.priority > 0}
    moved = [at for at, one in enumerate(line) if one in before]
    store.put_first(line[: max([new, *moved]) + 1])
    store.people.note(store.scope.actor, "move", f"{job.label.lower()}: {to}")
    return store.get_job(job_id)


def in_line(store: Store, job: Job) -> list[str]:
    """The ids of those that wait for the same room as a job, in their order."""
    waiting = {one.id: one for one in store.whole().waiting()}
    room = next(one for one in kinds.room() if job.kind in one)
    return [
        one
        for one in places.places(store)
        if one in waiting
        and waiting[one].kind in room
        and waiting[one].priority > kinds.GIVES_WAY
    ]
