"""The people of a workspace, and what they did that others may ask about."""

import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import sqlalchemy as sa

from transfer.errors import NotFoundError
from transfer.store import rows
from transfer.store.database import Database
from transfer.store.tables import (
    audit,
    hand_ins,
    handouts,
    lesson,
    people,
    presence,
    tokens,
)


class Role(StrEnum):
    """What somebody is here; each may do what those before it may."""

    PARTICIPANT = "participant"
    INSTRUCTOR = "instructor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who works here; times in seconds since 1970.

    Attributes:
        id: Eight hexadecimal digits; empty for the one owner where nobody signs in.
        subject: Who it is to whom signs in: the name in one form, or what a provider
            of identities says.
        code: Salted hash of the short code by which somebody comes back.
        ended: Sessions with a mark up to this one were signed out.
        expires_at: When this person is let in no more; `None` for never.
    """

    id: str
    name: str
    role: Role
    subject: str = ""
    code: str = ""
    ended: int = 0
    created_at: float = 0.0
    expires_at: float | None = None

    @property
    def is_let_in(self) -> bool:
        """Whether the time for which this person was let in goes on."""
        return self.expires_at is None or time.time() <= self.expires_at


#: Whoever asks where nobody signs in, or at the command line of the server.
OWNER = Person(id="", name="", role=Role.ADMINISTRATOR)


class Event(NamedTuple):
    """Something that somebody did; the time in seconds since 1970."""

    at: float
    person: str
    name: str
    action: str
    thing: str


class People:
    """The people of a workspace, reached as `store.people`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, **values: Any) -> Person | None:
        """A new person of these values; `None` if there is one of that subject."""
        row: dict[str, Any] = {"id": secrets.token_hex(4), **values}
        # Alone, for two who come at once would both find none.
        with self._database.writing(alone=True) as connection:
            same = sa.select(people.c.id).filter_by(subject=values["subject"])
            if connection.scalar(same):
                return None
            row = {"created_at": rows.now(connection), **row}
            connection.execute(sa.insert(people).values(row))
        return self.get(row["id"])

    def get(self, person_id: str) -> Person:
        """The person of this id.

        Raises:
            NotFoundError: There is none.
        """
        for found in self._select(people.c.id == person_id):
            return found
        raise NotFoundError(f"There is nobody of the id {person_id!r} here.")

    def those(self, person_ids: Collection[str]) -> dict[str, Person]:
        """Those of these ids that there are, by id."""
        return {one.id: one for one in self._select(people.c.id.in_(person_ids))}

    def find(self, subject: str) -> Person | None:
        """The person of this subject; `None` if there is none."""
        return next(iter(self._select(people.c.subject == subject)), None)

    def all(self) -> list[Person]:
        """Everybody, in the order in which they came."""
        return self._select(sa.true())

    def change(self, person_id: str, **values: Any) -> Person:
        """The person with other values.

        Raises:
            NotFoundError: There is none of that id.
        """
        changed = sa.update(people).where(people.c.id == person_id).values(**values)
        with self._database.writing() as connection:
            connection.execute(changed)
        return self.get(person_id)

    def end_sessions(self, person_id: str, mark: int) -> None:
        """Signs out all sessions with a mark up to this one."""
        older = (people.c.id == person_id) & (people.c.ended < mark)
        with self._database.writing() as connection:
            connection.execute(sa.update(people).where(older).values(ended=mark))

    def note(self, person: Person, action: str, thing: str = "") -> None:
        """Keeps what somebody did: `delete`, `share`, `sign in` and so on."""
        row = {"person": person.id, "name": person.name, "action": action}
        with self._database.writing() as connection:
            new = sa.insert(audit).values(**row, thing=thing, at=rows.now(connection))
            connection.execute(new)

    def events(self, limit: int = 1000) -> list[Event]:
        """What was noted last, newest first."""
        columns = [audit.c[name] for name in Event._fields]
        query = sa.select(*columns).order_by(sa.desc(audit.c.id)).limit(limit)
        with self._database.reading() as connection:
            return [Event(*row) for row in connection.execute(query)]

    def remove_all(self, but: str = "") -> None:
        """Removes everybody, and what is known of them beside their work and the log.

        Args:
            but: Id of somebody who stays.
        """
        with self._database.writing(alone=True) as connection:
            for table in (presence, lesson, hand_ins, tokens):
                connection.execute(sa.delete(table).where(table.c.person != but))
            connection.execute(sa.delete(handouts))
            connection.execute(sa.delete(people).where(people.c.id != but))

    def remove_events(self) -> None:
        """Removes all that was noted."""
        with self._database.writing(alone=True) as connection:
            connection.execute(sa.delete(audit))

    def _select(self, match: sa.ColumnElement[bool]) -> list[Person]:
        query = sa.select(people).where(match).order_by(people.c.created_at)
        with self._database.reading() as connection:
            return [
                Person(**{**row, "role": Role(row["role"])})
                for row in connection.execute(query).mappings()
            ]
