"""The tokens with which programs of people ask the server; of each only its hash."""

import secrets
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from transfer.store import rows
from transfer.store.database import Database
from transfer.store.tables import tokens

#: Seconds for which the time of the last use stands: a row need not be written at each
#: request.
_USE_STANDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Token:
    """What is known of a token; times in seconds since 1970.

    Attributes:
        person: Id of whose it is.
        name: What its person calls it.
        may_change: Whether it starts and stops too, or only reads.
        used_at: About when it was used last; `None` where it never was.
    """

    id: str
    person: str
    name: str
    may_change: bool
    created_at: float
    used_at: float | None
    expires_at: float


_COLUMNS = [column for column in tokens.c if column.name != "hash"]


class Tokens:
    """The tokens of a workspace, reached as `store.tokens`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, **values: Any) -> None:
        """Keeps a token of these values: all columns but `id` and the times of use."""
        with self._database.writing() as connection:
            row = {"id": secrets.token_hex(4), "created_at": rows.now(connection)}
            connection.execute(sa.insert(tokens).values({**row, **values}))

    def find(self, hashed: str) -> Token | None:
        """The token of this hash, used now; `None` if there is none."""
        with self._database.reading() as connection:
            now = rows.now(connection).label("now")
            query = sa.select(*_COLUMNS, now).where(tokens.c.hash == hashed)
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            return None
        token = Token(**{column.name: row[column.name] for column in _COLUMNS})
        if abs(row["now"] - (token.used_at or 0)) > _USE_STANDS:
            used = sa.update(tokens).where(tokens.c.id == token.id)
            with self._database.writing() as connection:
                connection.execute(used.values(used_at=rows.now(connection)))
        return token

    def of(self, person: str) -> list[Token]:
        """The tokens of a person, the oldest first."""
        return self._select(tokens.c.person == person)

    def all(self) -> list[Token]:
        """Everybody's tokens, the oldest first: for who may see them."""
        return self._select(sa.true())

    def remove(self, person: str, token: str | None = None) -> None:
        """Forgets a token of a person, or all of them."""
        doomed = tokens.c.person == person
        if token is not None:
            doomed &= tokens.c.id == token
        with self._database.writing() as connection:
            connection.execute(sa.delete(tokens).where(doomed))

    def _select(self, match: sa.ColumnElement[bool]) -> list[Token]:
        query = sa.select(*_COLUMNS).where(match).order_by(tokens.c.created_at)
        with self._database.reading() as connection:
            return [Token(**row) for row in connection.execute(query).mappings()]
