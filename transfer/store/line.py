"""The jobs of the store as a line: who waits, who works, who is next, who was last."""

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from transfer.errors import NotFoundError
from transfer.store import rows
from transfer.store.database import Database
from transfer.store.record import RUN, Job, read_job
from transfer.store.rows import ACTIVE
from transfer.store.scope import EVERYTHING, Scope, readable
from transfer.store.status import JobStatus
from transfer.store.tables import jobs

#: As they are stored: of thousands of jobs few have one of these.
UNFINISHED = [JobStatus.QUEUED.value, *ACTIVE]
#: In which order those that wait are taken.
_TURN = sa.desc(jobs.c.priority), jobs.c.created_at, jobs.c.id
NEWEST = sa.desc(jobs.c.created_at), jobs.c.id
#: Jobs that are removed at a time, for others want to write meanwhile.
_BATCH = 500
#: What waits in the trash is not begun.
_IS_THERE = jobs.c.trash == ""


class Line:
    """The jobs of a workspace; usable from any thread and process.

    Args:
        database: Where they are.
        scope: How much of it is seen.
    """

    def __init__(self, database: Database, scope: Scope = EVERYTHING) -> None:
        self._database, self._scope = database, scope

    def close(self) -> None:
        """Closes the connections; the store cannot be used afterwards."""
        self._database.close()

    def add(
        self,
        kind: str,
        subject: str,
        settings: dict[str, Any],
        priority: int = 0,
        **about: str,
    ) -> Job:
        """A new queued job, or the one of the same kind and subject that goes on.

        That one gets the higher priority of both, and the new settings if it still
        waits; but not if it is somebody else's.

        Args:
            about: `dataset` or `run` that it is about.
        """
        goes_on = _of(kind, subject) & jobs.c.status.in_(UNFINISHED) & self._sees
        query = sa.select(jobs).where(goes_on).order_by(*NEWEST).limit(1)
        # Alone, for two who ask at once would both find none.
        with self._database.writing(alone=True) as connection:
            row = connection.execute(query).mappings().one_or_none()
            if row is None:
                job_id = rows.insert(
                    connection,
                    kind=kind,
                    subject=subject,
                    settings=settings,
                    priority=priority,
                    owner=self.owner,
                    **about,
                )
            elif self._scope.may("change", read_job(row)):
                job_id = row["id"]
                # Its process, if it has one, has read its settings already.
                waits = row["status"] == JobStatus.QUEUED
                priority = max(priority, row["priority"])
                settings = settings if waits else row["settings"]
                rows.change(connection, job_id, priority=priority, settings=settings)
            else:
                job_id = row["id"]
        return self.get_job(job_id)

    def get_job(self, job_id: str) -> Job:
        """The job of this id; a `Run` where it is one.

        Raises:
            NotFoundError: There is none.
        """
        if found := self._select(jobs.c.id == job_id, limit=1):
            return found[0]
        raise NotFoundError(f"There is no job {job_id!r}.", "It may have been deleted.")

    def find(self, kind: str, subject: str) -> Job | None:
        """The newest job of this kind and subject; `None` if there never was one."""
        found = self._select(_of(kind, subject), limit=1)
        return found[0] if found else None

    def last_ended(self, kind: str, limit: int) -> list[Job]:
        """The newest jobs of this kind that did all that they were to do."""
        completed = jobs.c.status == JobStatus.COMPLETED.value
        return self._select(sa.and_(jobs.c.kind == kind, completed), limit)

    def active(self) -> list[Job]:
        """The jobs that a process has: running or stopping, newest first."""
        return self._select(jobs.c.status.in_(ACTIVE))

    def waiting(self, limit: int | None = None) -> list[Job]:
        """The jobs that wait, the next one first; at most `limit`."""
        queued = jobs.c.status == JobStatus.QUEUED.value
        return self._select(queued, limit, _TURN)

    def last_queued(self) -> tuple[int, float | None]:
        """How many jobs wait, and when the last of them was queued."""
        query = sa.select(sa.func.count(), sa.func.max(jobs.c.created_at))
        query = query.where(jobs.c.status == JobStatus.QUEUED.value)
        with self._database.reading() as connection:
            count, at = connection.execute(query).one()
            return count, at

    def counts(self) -> dict[tuple[str, str], int]:
        """How many jobs there are of each kind and status that any has."""
        by = jobs.c.kind, jobs.c.status
        query = sa.select(*by, sa.func.count()).where(_IS_THERE).group_by(*by)
        with self._database.reading() as connection:
            return {(kind, is_): n for kind, is_, n in connection.execute(query)}

    def prune(self, before: float, newest_before: float) -> list[str]:
        """Removes old jobs that are no runs; their ids, at most some hundred at a time.

        Args:
            before: Seconds since 1970; what ended earlier goes if there is a newer job
                of its kind and subject.
            newest_before: What ended earlier goes even if it is the newest.
        """
        # What a page finds by kind and subject is always the newest.
        newer = jobs.alias()
        is_replaced = sa.exists().where(
            newer.c.kind == jobs.c.kind,
            newer.c.subject == jobs.c.subject,
            newer.c.created_at > jobs.c.created_at,
        )
        too_old = jobs.c.ended_at < newest_before
        old = sa.or_(too_old, (jobs.c.ended_at < before) & is_replaced)
        query = sa.select(jobs.c.id).where(
            jobs.c.kind != RUN, jobs.c.status.not_in(UNFINISHED), _IS_THERE, old
        )
        with self._database.writing() as connection:
            found = list(connection.scalars(query.limit(_BATCH)))
            connection.execute(sa.delete(jobs).where(jobs.c.id.in_(found)))
        return found

    def which_exist(self, job_ids: Collection[str]) -> set[str]:
        """Those of the ids that there is a job of."""
        query = sa.select(jobs.c.id).where(jobs.c.id.in_(job_ids))
        with self._database.reading() as connection:
            return set(connection.scalars(query))

    @cached_property
    def _sees(self) -> sa.ColumnElement[bool]:
        # Not before it is asked for: a page makes many views, and uses few of them.
        return readable(self._scope)

    @property
    def owner(self) -> str | None:
        """Whose is what is made."""
        return self._scope.actor.id or None

    def check(self, action: str, job_id: str) -> None:
        """Returns quietly where the action may be on the job.

        Raises:
            NotFoundError: There is none, or it may not be seen.
            NotAllowedError: It may be seen, and no more.
        """
        if self._scope is not EVERYTHING:
            job = self.get_job(job_id)
            self._scope.check(action, job, job.label)

    def _select(
        self,
        match: sa.ColumnElement[bool],
        limit: int | None = None,
        order: Sequence[sa.ColumnElement[Any]] = NEWEST,
    ) -> list[Job]:
        # Rows are made values only here, so that no other room sees SQL.
        query = sa.select(jobs).where(match, self._sees)
        query = query.order_by(*order).limit(limit)
        with self._database.reading() as connection:
            return [read_job(row) for row in connection.execute(query).mappings()]


def _of(kind: str, subject: str) -> sa.ColumnElement[bool]:
    return (jobs.c.kind == kind) & (jobs.c.subject == subject)
