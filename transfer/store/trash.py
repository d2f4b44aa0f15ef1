"""What was deleted and can be restored for some days: the rows of it.

The files lie with `upkeep.trash`, which is what others use.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from transfer.datasets import names
from transfer.errors import NotFoundError, RunError
from transfer.store import rows
from transfer.store.database import Database
from transfer.store.datasets import Owned
from transfer.store.people import People
from transfer.store.record import RUN, Job
from transfer.store.rows import ACTIVE
from transfer.store.scope import EVERYTHING, HIDDEN, Scope
from transfer.store.status import JobStatus
from transfer.store.tables import datasets, jobs, trash

DATASET, EXPORT = "dataset", "export"


@dataclass(frozen=True, kw_only=True)
class Trashed:
    """Something in the trash.

    Attributes:
        id: Eight hexadecimal digits of its own.
        kind: `dataset`, `run` or `export`.
        thing: Name of a dataset, id of a run, subject of an export.
        title: What people call it.
        owner: Id of whose it is; `None` is nobody.
        sharing: As it was, and is when it is restored.
        deleted_at: In seconds since 1970.
    """

    id: str
    kind: str
    thing: str
    title: str
    owner: str | None
    sharing: str
    deleted_at: float


class Trash:
    """The trash of a workspace, reached as `store.trash`."""

    def __init__(self, database: Database, scope: Scope = EVERYTHING) -> None:
        self._database, self._scope = database, scope

    def all(self) -> list[Trashed]:
        """What whoever sees this store may restore, the last first."""
        mine = self._scope.where("delete", trash)
        newest = sa.select(trash).where(mine).order_by(sa.desc(trash.c.deleted_at))
        with self._database.reading() as connection:
            return [Trashed(**row) for row in connection.execute(newest).mappings()]

    def get(self, trash_id: str) -> Trashed:
        """What has this id in the trash.

        Raises:
            NotFoundError: There is nothing, or it is somebody else's.
        """
        for one in self.all():
            if one.id == trash_id:
                return one
        raise NotFoundError(
            f"There is nothing of the id {trash_id!r} in the trash.",
            "It may have been restored, or its days may be over.",
        )

    def put_dataset(self, owned: Owned, title: str) -> Trashed:
        """Notes that a dataset is in the trash; its name is free from now on."""
        with self._database.writing(alone=True) as connection:
            one = _insert(connection, DATASET, owned.name, title, owned)
            gone = sa.delete(datasets).where(datasets.c.name == owned.name)
            connection.execute(gone)
        self._note("delete", one)
        return one

    def put_job(self, job: Job, thing: str, title: str) -> Trashed:
        """Notes that a run, or an export, is in the trash, with all that is about it.

        Raises:
            RunError: A process has it.
        """
        with self._database.writing(alone=True) as connection:
            status = JobStatus(rows.lock(connection, job.id)["status"])
            if status.is_active:
                raise RunError(
                    f"{job.label} is {status}, so it cannot be deleted.",
                    "Stop it first and wait until it has ended.",
                )
            one = _insert(connection, job.kind, thing, title, job)
            # What works right now finds that it is gone and ends by itself.
            is_there = (jobs.c.trash == "") & jobs.c.status.not_in(ACTIVE)
            hidden = sa.update(jobs).where(_about(job.kind, thing), is_there)
            connection.execute(hidden.values(trash=one.id))
        self._note("delete", one)
        return one

    def rename(self, one: Trashed, name: str, revisions: Collection[str]) -> None:
        """Gives a dataset in the trash another name, also where its runs name it.

        Args:
            revisions: Ids of its revisions: runs that name others mean another dataset
                of its old name.
        """
        named = sa.select(jobs.c.id, jobs.c.settings).where(
            jobs.c.kind == RUN,
            jobs.c.dataset == one.thing,
            jobs.c.revision.in_(revisions),
        )
        with self._database.writing(alone=True) as connection:
            for run_id, settings in connection.execute(named).all():
                now = {"dataset": name, "settings": {**settings, "dataset": name}}
                rows.change(connection, run_id, **now)
            changed = sa.update(trash).where(trash.c.id == one.id)
            connection.execute(changed.values(thing=name, title=names.title(name)))

    def restore(self, one: Trashed) -> None:
        """Notes that it is in the trash no more."""
        with self._database.writing(alone=True) as connection:
            if one.kind == DATASET:
                # There may be another hidden test set by now.
                sharing = "private" if one.sharing == HIDDEN else one.sharing
                owned = {"owner": one.owner, "sharing": sharing}
                connection.execute(sa.insert(datasets).values(name=one.thing, **owned))
            hidden = sa.update(jobs).where(jobs.c.trash == one.id)
            connection.execute(hidden.values(trash=""))
            connection.execute(sa.delete(trash).where(trash.c.id == one.id))
        self._note("restore", one)

    def remove(self, one: Trashed) -> None:
        """Removes its record for good, and of a run all that is about it."""
        with self._database.writing(alone=True) as connection:
            about, is_it = _about(one.kind, one.thing), trash.c.id == one.id
            if one.kind == RUN:
                passive = jobs.c.status.not_in(ACTIVE)
                connection.execute(sa.delete(jobs).where(about, passive))
                is_it |= trash.c.thing.startswith(f"{one.thing}-")
            connection.execute(sa.delete(jobs).where(jobs.c.trash == one.id))
            connection.execute(sa.delete(trash).where(is_it))
        self._note("remove", one)

    def _note(self, action: str, one: Trashed) -> None:
        told = f"{one.kind} {one.thing}"
        People(self._database).note(self._scope.actor, action, told)


def _insert(
    connection: sa.Connection, kind: str, thing: str, title: str, owned: Job | Owned
) -> Trashed:
    deleted_at = connection.scalar(sa.select(rows.now(connection)))
    row: dict[str, Any] = {"id": secrets.token_hex(4), "deleted_at": deleted_at}
    row |= {"kind": kind, "thing": thing, "title": title}
    row |= {"owner": owned.owner, "sharing": owned.sharing}
    connection.execute(sa.insert(trash).values(row))
    return Trashed(**row)


def _about(kind: str, thing: str) -> sa.ColumnElement[bool]:
    """The jobs that go with it: of a run itself and all that is done with it."""
    if kind == EXPORT:
        return (jobs.c.kind == EXPORT) & (jobs.c.subject == thing)
    # Subjects of such jobs are the id, or begin with it: `RUN-val`.
    is_about_it = (jobs.c.subject == thing) | jobs.c.subject.startswith(f"{thing}-")
    return (jobs.c.id == thing) | ((jobs.c.kind != RUN) & is_about_it)
