"""One row of the table of jobs within a transaction: made, kept for us, changed."""

import secrets
import time
from typing import Any

import sqlalchemy as sa

from transfer.errors import NotFoundError, RunError
from transfer.store.record import label
from transfer.store.status import JobStatus
from transfer.store.tables import jobs

#: On which PostgreSQL tells that a job was made or has another status.
CHANNEL = "transfer_jobs"
#: As they are stored: of thousands of jobs few have one of these.
ACTIVE = [status.value for status in JobStatus if status.is_active]
#: What decides whether a job may change; without its settings, which are large.
_ABOUT = (jobs.c.kind, jobs.c.status, jobs.c.started_at, jobs.c.error)


def insert(connection: sa.Connection, **values: Any) -> str:
    """The id of a new queued job with these values.

    Args:
        values: `kind`, `subject` and `settings`, and others of the table.
    """
    row = {
        "id": secrets.token_hex(4),
        "status": JobStatus.QUEUED.value,
        "created_at": now(connection),
        **{"progress": {}, "result": {}, "error": {}},
        # Columns that only runs fill.
        **{"name": "", "dataset": "", "revision": ""},
        **values,
    }
    # Short enough to be typed, so two may be the same.
    while connection.scalar(sa.select(jobs.c.id).filter_by(id=row["id"])):
        row["id"] = secrets.token_hex(4)
    connection.execute(sa.insert(jobs).values(row))
    _tell(connection)
    return str(row["id"])


def lock(
    connection: sa.Connection, job_id: str, claim: float | None = None
) -> sa.RowMapping:
    """Kind, status, time of its start and error of a job that nobody else changes now.

    Args:
        claim: As in `Jobs.heartbeat`.

    Raises:
        NotFoundError: There is no job of that id.
        RunError: Another process has it.
    """
    query = sa.select(*_ABOUT).where(jobs.c.id == job_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"There is no job {job_id!r}.", "It may have been deleted.")
    if claim is not None and row["started_at"] != claim:
        # It was silent for long, was taken for dead, and the job was begun again.
        called = label(row["kind"], job_id)
        raise RunError(f"{called} has been started anew by another process.")
    return row


def change(connection: sa.Connection, job_id: str, **values: Any) -> None:
    """Writes other columns of a job."""
    connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(**values))
    if "status" in values:
        _tell(connection)


def take(connection: sa.Connection, job_id: str, **values: Any) -> bool:
    """Whether a job that waited is taken now; another has it, or it waits no more."""
    # Somebody may be stopping or deleting it right now: that is not waited for.
    waits = (jobs.c.id == job_id) & (jobs.c.status == JobStatus.QUEUED.value)
    query = sa.select(jobs.c.id).where(waits).with_for_update(skip_locked=True)
    if connection.scalar(query) is None:
        return False
    status, started_at = JobStatus.RUNNING.value, now(connection)
    change(connection, job_id, status=status, started_at=started_at, **values)
    return True


def touch(
    connection: sa.Connection, job_id: str, claim: float | None = None, **values: Any
) -> JobStatus:
    """Notes that the process of a job lives, and others of its columns.

    Until the end of the transaction nobody else changes the job.

    Args:
        claim: As in `Jobs.heartbeat`.

    Raises:
        NotFoundError: There is no job of that id.
        RunError: It is not the process' any more.
    """
    own = (jobs.c.id == job_id) & jobs.c.status.in_(ACTIVE)
    if claim is not None:
        own &= jobs.c.started_at == claim
    # One statement, for each run makes it twice a second.
    told = sa.update(jobs).where(own).returning(jobs.c.status)
    told = told.values(heartbeat_at=now(connection), **values)
    if status := connection.scalar(told):
        return JobStatus(status)
    row = lock(connection, job_id, claim)
    called = label(row["kind"], job_id)
    raise RunError(f"{called} is {row['status']}: no process can have it now.")


def now(connection: sa.Connection) -> sa.ColumnElement[float]:
    """Seconds since 1970 by the clock of the database, which all machines share."""
    if connection.dialect.name == "postgresql":
        # As it is at the statement, not when the transaction began.
        clock = sa.extract("epoch", sa.func.clock_timestamp())
        return sa.cast(clock, sa.Float)
    return sa.literal(time.time())  # of the machine that has the file


def _tell(connection: sa.Connection) -> None:
    """Wakes who waits for jobs, on all machines, once the transaction is done."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_notify(CHANNEL, "")))
