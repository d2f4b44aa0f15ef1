"""One row of the table of jobs within a transaction: made, kept for us, changed."""

import secrets
import time
from typing import Any

import sqlalchemy as sa

from transfer.errors import NotFoundError, RunError
from transfer.store.record import label
from transfer.store.status import JobStatus
from transfer.store.tables import jobs

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
        "created_at": time.time(),
        **{"progress": {}, "result": {}, "error": {}},
        # Columns that only runs fill.
        **{"name": "", "dataset": "", "revision": ""},
        **values,
    }
    # Short enough to be typed, so two may be the same.
    while connection.scalar(sa.select(jobs.c.id).filter_by(id=row["id"])):
        row["id"] = secrets.token_hex(4)
    connection.execute(sa.insert(jobs).values(row))
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
