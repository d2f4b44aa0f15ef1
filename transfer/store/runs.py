"""The store: what is known of all runs and other jobs, shared by all processes."""

from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa

from transfer.config import TrainConfig
from transfer.errors import NotFoundError
from transfer.store import rows, summaries
from transfer.store.classroom import Classroom
from transfer.store.database import Database
from transfer.store.datasets import Datasets
from transfer.store.holdings import Holdings
from transfer.store.jobs import Jobs
from transfer.store.lesson import Lesson
from transfer.store.line import NEWEST, UNFINISHED
from transfer.store.machines import Machines
from transfer.store.metrics import Metrics
from transfer.store.people import People
from transfer.store.record import RUN, Run, default_name
from transfer.store.scope import EVERYTHING, WITH_TRASH, Scope
from transfer.store.summaries import Summary
from transfer.store.tables import jobs
from transfer.store.tallies import Tallies
from transfer.store.tokens import Tokens
from transfer.store.trash import Trash

_IS_RUN = jobs.c.kind == RUN


class Store(Jobs):
    """The jobs, runs and metrics of a workspace; usable from any thread and process.

    Args:
        url: Address of the database; `None` takes `TRANSFER_DATABASE_URL`, else the
            file `store.sqlite` in the workspace.

    Raises:
        StorageError: The database cannot be reached, or is of a newer version.
    """

    def __init__(self, url: str | None = None) -> None:
        database = Database(url)
        # One for all views: what it has taken to count from is in memory.
        self.tallies = Tallies(database)
        self._see(database, EVERYTHING)

    def _see(self, database: Database, scope: Scope) -> None:
        super().__init__(database, scope)
        self.scope = scope
        self.metrics, self.people = Metrics(database), People(database)
        self.machines = Machines(database)
        self.classroom, self.lesson = Classroom(database), Lesson(database)
        self.datasets, self.tokens = Datasets(database, scope), Tokens(database)
        self.trash = Trash(database, scope)
        self.holdings = Holdings(database)

    def view_for(self, scope: Scope) -> "Store":
        """The same store, of which no more is seen and changed than the scope says."""
        store = Store.__new__(Store)
        store.tallies = self.tallies
        store._see(self._database, scope)
        return store

    def whole(self) -> "Store":
        """The same store, of which all is seen: for what concerns all, as the queue."""
        return self.view_for(EVERYTHING)

    def with_trash(self) -> "Store":
        """The same, and what is in the trash: for what may not be taken from it."""
        return self.view_for(WITH_TRASH)

    def create(
        self, config: TrainConfig, name: str = "", owner: str | None = None
    ) -> Run:
        """A new queued run of these settings.

        Args:
            name: What the user calls it; empty takes its backbone and what trains.
            owner: Whose it is, if not of whoever sees this store.
        """
        with self._database.writing() as connection:
            run_id = rows.insert(
                connection,
                kind=RUN,
                subject=config.dataset,
                settings=config.model_dump(mode="json"),
                name=name.strip() or default_name(config),
                dataset=config.dataset,
                revision=config.revision,
                owner=owner or self.owner,
            )
        return self.get(run_id)

    def get(self, run: str) -> Run:
        """The run of this id, name (the newest of that name) or beginning of an id.

        Raises:
            NotFoundError: There is none, or several ids begin so.
        """
        # An id first: somebody may call a run by the id of another.
        for match in (jobs.c.id == run.lower(), jobs.c.name == run):
            if found := self._runs(match, limit=1):
                return found[0]
        starts = jobs.c.id.startswith(run.lower(), autoescape=True)
        found = self._runs(starts, limit=9) if run else []
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(one.id for one in found)
            raise NotFoundError(
                f"Several runs begin with {run!r}: {ids}.", "Give more of the id."
            )
        raise NotFoundError(
            f"There is no run {run!r}.",
            "The list of runs has them with their ids and names.",
        )

    def runs(self, limit: int | None = None) -> list[Run]:
        """The runs with all that is known of them, newest first; at most `limit`."""
        return self._runs(sa.true(), limit)

    def going_on(self) -> list[Run]:
        """The runs that wait or are worked at, newest first."""
        # Not by kind as well: the database would read all runs in their order then.
        found = self._select(jobs.c.status.in_(UNFINISHED))
        return [one for one in found if isinstance(one, Run)]

    def summaries(
        self,
        limit: int | None = None,
        with_model: bool = False,
        ids: Collection[str] | None = None,
    ) -> list[Summary]:
        """What lists show of the runs, newest first; at most `limit`.

        Args:
            with_model: Only those that left a model.
            ids: Only the runs of these; `None` are all.
        """
        which = _IS_RUN if ids is None else jobs.c.id.in_(ids)
        query = sa.select(*summaries.COLUMNS).where(which, self._sees)
        if with_model:
            query = query.where(summaries.HAS_MODEL)
        newest = query.order_by(*NEWEST).limit(limit)
        with self._database.reading() as connection:
            return [summaries.read(row) for row in connection.execute(newest)]

    def revisions(self, dataset: str) -> dict[str, list[str]]:
        """Names of a dataset's runs by the revision that they name, oldest first."""
        query = sa.select(jobs.c.revision, jobs.c.name).where(
            _IS_RUN, jobs.c.dataset == dataset, self._sees
        )
        found: dict[str, list[str]] = {}
        with self._database.reading() as connection:
            for revision, name in connection.execute(query.order_by(jobs.c.created_at)):
                found.setdefault(revision, []).append(name)
        return found

    def amend(self, run_id: str, **values: Any) -> Run:
        """The run with values added to its result, for what is found out later.

        Raises:
            NotFoundError: There is no run of that id.
        """
        with self._database.writing() as connection:
            # Kept locked until the end, or another amendment in between would be lost.
            rows.lock(connection, run_id)
            had = connection.scalar(sa.select(jobs.c.result).filter_by(id=run_id))
            rows.change(connection, run_id, result={**(had or {}), **values})
        return self.get(run_id)

    def describe(
        self,
        run_id: str,
        name: str | None = None,
        note: str | None = None,
        tags: Iterable[str] | None = None,
    ) -> Run:
        """The run with what the user calls it and says of it; `None` leaves as it is.

        Args:
            name: An empty one is not taken.
            tags: In any order; empty ones and repeated ones are left out.

        Raises:
            NotFoundError: There is no run of that id.
            NotAllowedError: It is somebody else's.
        """
        self.check("change", run_id)
        changes: dict[str, Any] = {}
        if name is not None and name.strip():
            changes["name"] = name.strip()
        if note is not None:
            changes["note"] = note.strip()
        if tags is not None:
            changes["tags"] = sorted({tag.strip() for tag in tags if tag.strip()})
        with self._database.writing() as connection:
            rows.lock(connection, run_id)
            if changes:
                rows.change(connection, run_id, **changes)
        return self.get(run_id)

    def _runs(
        self, match: sa.ColumnElement[bool], limit: int | None = None
    ) -> list[Run]:
        found = self._select(_IS_RUN & match, limit)
        return [one for one in found if isinstance(one, Run)]
