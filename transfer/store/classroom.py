"""A class: who was seen where, what was handed out, and handed in."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from transfer.errors import NotAllowedError
from transfer.store import rows
from transfer.store.database import Database
from transfer.store.line import UNFINISHED
from transfer.store.tables import hand_ins, handouts, jobs, presence

#: The kind of a job that judges a run by the hidden test set.
HAND_IN = "hand-in"


class Seen(NamedTuple):
    """Where somebody was last, and when, in seconds since 1970."""

    page: str
    at: float


class Handout(NamedTuple):
    """What an instructor has handed out to all.

    Attributes:
        at: When, in seconds since 1970.
        by: Id of the instructor.
        settings: Of a run, by name: those that are not the defaults.
        says: What it is for, in the instructor's words.
    """

    id: int
    at: float
    by: str
    dataset: str
    settings: dict[str, Any]
    says: str


class HandIn(NamedTuple):
    """A run that was handed in, to be judged by the hidden test set.

    Attributes:
        at: When, in seconds since 1970.
        person: Id of whose it is.
        called: What the run was called.
        revision: Of the hidden test set.
        accuracy: A share; `None` until it was judged.
        low: Where the 95 % interval of the accuracy begins.
        high: Where it ends.
    """

    id: int
    at: float
    person: str
    run: str
    called: str
    revision: str
    accuracy: float | None
    low: float | None
    high: float | None

    @property
    def subject(self) -> str:
        """Of the job that judges it."""
        # Begins with the run, as those of all jobs that go when it is deleted.
        return f"{self.run}-hidden-{self.id}"


class Work(NamedTuple):
    """What is told of a job to see how somebody gets on; see `record.Job`."""

    owner: str
    id: str
    kind: str
    name: str
    dataset: str
    status: str
    created_at: float
    ended_at: float | None
    error: dict[str, str]
    accuracy: float | None
    images: int | None


_result = jobs.c.result
_WORK = (
    *(jobs.c[name] for name in Work._fields[:-2]),
    # Of the result two numbers: the whole is long.
    _result["val_accuracy"].as_float().label("accuracy"),
    _result["val_images"].as_integer().label("images"),
)


class Classroom:
    """What is known of a class, reached as `store.classroom`; whoever asks decides who
    may see it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def see(self, person: str, page: str) -> None:
        """Notes that somebody is at a page now."""
        here = presence.c.person == person
        with self._database.writing() as connection:
            row = {"page": page, "at": rows.now(connection)}
            changed = connection.execute(sa.update(presence).where(here).values(**row))
            if not changed.rowcount:
                new = sa.insert(presence).values(person=person, **row)
                connection.execute(new)

    def last_seen(self) -> dict[str, Seen]:
        """Where everybody was last, by their ids."""
        with self._database.reading() as connection:
            found = connection.execute(sa.select(presence))
            return {row.person: Seen(row.page, row.at) for row in found}

    def work(self) -> list[Work]:
        """The jobs of everybody who has signed in, oldest first."""
        is_there = jobs.c.owner.is_not(None) & (jobs.c.trash == "")
        query = sa.select(*_WORK).where(is_there)
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(jobs.c.created_at))
            return [Work(*row) for row in found]

    def hand_out(
        self, by: str, dataset: str, settings: Mapping[str, Any], says: str
    ) -> None:
        """Keeps what is handed out to all; see `Handout`."""
        values = {"by": by, "dataset": dataset, "settings": dict(settings)}
        with self._database.writing() as connection:
            new = sa.insert(handouts).values(says=says, **values)
            connection.execute(new.values(at=rows.now(connection)))

    def handouts(self) -> list[Handout]:
        """What was handed out, newest first."""
        query = sa.select(*(handouts.c[name] for name in Handout._fields))
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(sa.desc(handouts.c.id)))
            return [Handout(*row) for row in found]

    def take_back(self, handout: int) -> None:
        """Forgets that it was handed out."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(handouts).where(handouts.c.id == handout))

    def hand_in(
        self, person: str, run: str, called: str, revision: str, owner: str, most: int
    ) -> HandIn:
        """A run that is handed in, with the job that judges it; or as it was before.

        Args:
            person: Whose it is.
            run: Its id.
            called: What it is called.
            revision: Of the hidden test set.
            owner: Whose the job is.
            most: Tries that a person has with this test set.

        Raises:
            NotAllowedError: There were as many before.
        """
        # Alone, for two tries at once would both count those before them.
        with self._database.writing(alone=True) as connection:
            tries = self._tries(connection, revision, person)
            for one in tries:
                if one.run == run:
                    return one
            if len(tries) >= most:
                raise NotAllowedError(
                    f"You have handed in {len(tries)} runs, and {most} is the most.",
                    "Each try tells a little of the labels; so many cannot be learnt "
                    "from. Judge further runs on val.",
                )
            about = {"person": person, "run": run, "called": called}
            values = {"at": rows.now(connection), "revision": revision, **about}
            made = connection.execute(sa.insert(hand_ins).values(values))
            number = (made.inserted_primary_key or [0])[0]
            entry = self._entries(connection, hand_ins.c.id == number)[0]
            words = [HAND_IN, run, f"--entry={entry.id}"]
            rows.insert(
                connection,
                kind=HAND_IN,
                subject=entry.subject,
                settings={"words": words},
                owner=owner or None,
                run=run,
            )
        return entry

    def judge(self, entry: int, accuracy: float, low: float, high: float) -> None:
        """Keeps how a run that was handed in did."""
        one = sa.update(hand_ins).where(hand_ins.c.id == entry)
        with self._database.writing() as connection:
            connection.execute(one.values(accuracy=accuracy, low=low, high=high))

    def entry(self, entry: int) -> HandIn | None:
        """What was handed in, by its number."""
        with self._database.reading() as connection:
            return next(iter(self._entries(connection, hand_ins.c.id == entry)), None)

    def newest(self, run: str, revision: str) -> HandIn | None:
        """How a run was handed in last to be judged by a test set."""
        match = (hand_ins.c.run == run) & (hand_ins.c.revision == revision)
        with self._database.reading() as connection:
            return next(reversed(self._entries(connection, match)), None)

    def tries(self, revision: str, person: str = "") -> list[HandIn]:
        """What was handed in to be judged by a test set, oldest first; not what could
        not be judged.

        Args:
            person: Whose; of everybody if empty.
        """
        with self._database.reading() as connection:
            return self._tries(connection, revision, person)

    def _tries(
        self, connection: sa.Connection, revision: str, person: str
    ) -> list[HandIn]:
        match = hand_ins.c.revision == revision
        if person:
            match &= hand_ins.c.person == person
        going_on = sa.select(jobs.c.subject).where(
            jobs.c.kind == HAND_IN, jobs.c.status.in_(UNFINISHED), jobs.c.trash == ""
        )
        subjects = set(connection.scalars(going_on))
        return [
            one
            for one in self._entries(connection, match)
            if one.accuracy is not None or one.subject in subjects
        ]

    @staticmethod
    def _entries(
        connection: sa.Connection, match: sa.ColumnElement[bool]
    ) -> list[HandIn]:
        columns = [hand_ins.c[name] for name in HandIn._fields]
        query = sa.select(*columns).where(match).order_by(hand_ins.c.id)
        return [HandIn(*row) for row in connection.execute(query)]
