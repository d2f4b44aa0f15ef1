"""How far somebody is in the first lesson, and what of theirs it asks about."""

from typing import NamedTuple

import sqlalchemy as sa

from transfer.store import rows
from transfer.store.database import Database
from transfer.store.line import NEWEST
from transfer.store.record import RUN
from transfer.store.tables import jobs, lesson

#: How a step of the first lesson came to be behind somebody.
DONE, SKIPPED = "done", "skipped"


class Trained(NamedTuple):
    """A run of somebody's, in what the first lesson asks about."""

    id: str
    dataset: str
    status: str
    method: str
    freeze: str
    weights: str


_result, _settings = jobs.c.result, jobs.c.settings
_TRAINED = (
    *(jobs.c[name] for name in Trained._fields[:3]),
    *(_settings[name].as_string().label(name) for name in Trained._fields[3:]),
)
#: Runs of somebody that are looked at, newest first.
_MOST = 200


class Lesson:
    """The first lesson of everybody, reached as `store.lesson`.

    Args:
        database: Where it is kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def steps(self, person: str) -> dict[str, str]:
        """Of each step of the first lesson that is behind somebody: `done`, `skipped`.

        Args:
            person: Their id; empty where nobody signs in.
        """
        query = sa.select(lesson.c.step, lesson.c.how).where(lesson.c.person == person)
        with self._database.reading() as connection:
            return {step: how for step, how in connection.execute(query)}

    def all_steps(self) -> dict[str, set[str]]:
        """Which steps of the first lesson each has done, by their ids."""
        query = sa.select(lesson.c.person, lesson.c.step).where(lesson.c.how == DONE)
        found: dict[str, set[str]] = {}
        with self._database.reading() as connection:
            for person, step in connection.execute(query):
                found.setdefault(person, set()).add(step)
        return found

    def runs_of(self, person: str) -> list[Trained]:
        """Somebody's runs, newest first; all where nobody signs in."""
        query = sa.select(*_TRAINED).where(jobs.c.kind == RUN, self._of(person))
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(*NEWEST).limit(_MOST))
            return [Trained(*row) for row in found]

    def samples(self) -> dict[str, str]:
        """Which datasets were made of which sample, by their names, of everybody."""
        source = _settings[("words", 1)].as_string()
        query = sa.select(jobs.c.subject, source).where(
            jobs.c.kind == "import", source.startswith("sample:")
        )
        with self._database.reading() as connection:
            found = connection.execute(query)
            return {name: words.removeprefix("sample:") for name, words in found}

    def found_shortcut(self, person: str) -> bool:
        """Whether somebody had the doctor look, and it found a shortcut."""
        query = sa.select(jobs.c.id).where(
            jobs.c.kind == "doctor",
            self._of(person),
            _result[("kinds", "shortcut")].as_integer() > 0,
        )
        with self._database.reading() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def note_step(self, person: str, step: str, how: str) -> None:
        """Keeps that a step is behind somebody; an empty `how` that it is not."""
        one = (lesson.c.person == person) & (lesson.c.step == step)
        values = {"person": person, "step": step, "how": how}
        # Alone: two tabs of one person may find the same step done.
        with self._database.writing(alone=True) as connection:
            connection.execute(sa.delete(lesson).where(one))
            if how:
                new = sa.insert(lesson).values(**values, at=rows.now(connection))
                connection.execute(new)

    @staticmethod
    def _of(person: str) -> sa.ColumnElement[bool]:
        is_there = jobs.c.trash == ""
        return is_there & (jobs.c.owner == person) if person else is_there
