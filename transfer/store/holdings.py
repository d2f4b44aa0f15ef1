"""What is whose, and how much of the queue somebody takes."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from transfer.store import rows
from transfer.store.database import Database
from transfer.store.record import RUN
from transfer.store.rows import ACTIVE
from transfer.store.status import JobStatus
from transfer.store.tables import datasets, jobs, trash


class Work(NamedTuple):
    """Jobs of somebody: how many wait, how many are at work, seconds of work."""

    queued: int
    running: int
    seconds: float


class Holdings:
    """What people have, reached as `store.holdings`; an empty id asks of everybody."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def datasets(self, owner: str) -> list[str]:
        """The names of somebody's datasets."""
        query = sa.select(datasets.c.name).where(_is_of(datasets, owner))
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    def runs(self, owner: str) -> dict[str, bool]:
        """The ids of somebody's runs, and whether each is in the trash."""
        query = sa.select(jobs.c.id, jobs.c.trash).where(
            _is_of(jobs, owner), jobs.c.kind == RUN
        )
        with self._database.reading() as connection:
            return {one: bool(trash) for one, trash in connection.execute(query)}

    def trash(self, owner: str) -> list[str]:
        """The folders below `trash` of what somebody has deleted."""
        query = sa.select(trash.c.kind, trash.c.id).where(_is_of(trash, owner))
        with self._database.reading() as connection:
            return [f"{kind}/{id_}" for kind, id_ in connection.execute(query)]

    def work(self, owners: Collection[str], lately: float) -> dict[str, Work]:
        """What each has in the queue, and the work of the last so many seconds."""
        names = "owner", "status", "started_at", "ended_at", "trash"
        of = defaultdict[str, list[Any]](list)
        with self._database.reading() as connection:
            # By the clock of the times that it is compared with.
            now = rows.now(connection)
            lasts = sa.or_(jobs.c.ended_at.is_(None), jobs.c.ended_at > now - lately)
            query = sa.select(*(jobs.c[name] for name in names), now.label("now"))
            query = query.where(jobs.c.owner.in_(owners), lasts)
            for one in connection.execute(query):
                of[one.owner].append(one)
        return {owner: self._work(of[owner], lately) for owner in owners}

    @staticmethod
    def _work(found: Sequence[Any], lately: float) -> Work:
        # A clock that was set back makes nobody's work less than none.
        seconds = sum(
            max((one.ended_at or one.now) - max(one.started_at, one.now - lately), 0.0)
            for one in found
            if one.started_at and one.status != JobStatus.QUEUED
        )
        return Work(
            # What was deleted waits no more; the hours of what was done stay.
            queued=sum(
                one.status == JobStatus.QUEUED and not one.trash for one in found
            ),
            running=sum(one.status in ACTIVE for one in found),
            seconds=seconds,
        )


def _is_of(table: sa.Table, owner: str) -> sa.ColumnElement[bool]:
    return table.c.owner == owner if owner else sa.true()
