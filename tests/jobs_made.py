"""Jobs as they stand while they wait, while they work and once they have ended."""

import io
import time
from collections.abc import Iterable
from contextlib import redirect_stdout
from typing import Any

import sqlalchemy as sa

from transfer import processes
from transfer.__main__ import main
from transfer.runs.kinds import GIVES_WAY
from transfer.runs.requests import Request
from transfer.store import metrics, tables
from transfer.store.record import Job, Metric
from transfer.store.runs import Store
from transfer.store.status import JobStatus


def measure(store: Store, run_id: str, values: Iterable[Metric]) -> None:
    """Has values stored of a run as if it had been at work when they were measured."""
    rows = [metrics._to_row(run_id, one) for one in values]
    with store._database.writing() as connection:
        connection.execute(sa.insert(tables.metrics), rows)


def waiting(request: Request, priority: int = 0) -> Job:
    """The job once it was asked for."""
    store = Store()
    words = {"words": list(request.words)}
    job = store.add(request.kind, request.subject, words, priority)
    store.close()
    return job


def working(request: Request, **progress: Any) -> Job:
    """The job while this process does it, which has told so much of it."""
    # So low that no server which the test has started takes it first.
    job = waiting(request, priority=GIVES_WAY - 1)
    store = Store()
    if job.status is JobStatus.QUEUED:
        taken = {"host": processes.this_machine(), "started_at": time.time()}
        store.transition(job.id, JobStatus.RUNNING, priority=0, **taken)
    store.begin(job.id)
    store.heartbeat(job.id, progress)
    store.close()
    return job


def ended(
    request: Request,
    status: JobStatus = JobStatus.COMPLETED,
    result: dict[str, Any] | None = None,
    error: dict[str, str] | None = None,
    **progress: Any,
) -> Job:
    """The job after its end."""
    job = working(request, **progress)
    store = Store()
    job = store.finish(job.id, status, result or {}, error)
    store.close()
    return job


def asked_for(kind: str, subject: str) -> list[str]:
    """The words of the newest job of this kind and subject; none if there is none."""
    store = Store()
    job = store.find(kind, subject)
    store.close()
    return list(job.settings["words"]) if job else []


def carry_out(kind: str, subject: str) -> int:
    """Does what was asked for, in this process; the exit status of the command."""
    store = Store()
    job = store.find(kind, subject)
    store.close()
    assert job is not None
    working(Request(kind, subject, tuple(job.settings["words"])))
    with redirect_stdout(io.StringIO()):
        return main([*job.settings["words"], "--job", job.id])
