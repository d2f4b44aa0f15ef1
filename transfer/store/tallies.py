"""How much of what costs somebody has used lately, counted by all servers together."""

import threading

import sqlalchemy as sa

from transfer.store import rows
from transfer.store.database import Database
from transfer.store.tables import tallies

#: A server takes so many parts of what somebody may at a time, and counts from it in
#: its memory: what is small costs no write each.
_PORTIONS = 100
#: People and things of which a portion is kept in memory.
_KEPT = 1000
#: Times the most that somebody may have used at once, as far as it is remembered: a
#: clock that was set back holds nobody up for longer.
_REMEMBERED = 10


class Tallies:
    """What was used, reached as `store.tallies`; it drains away evenly."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._left: dict[tuple[str, str], int] = {}

    def spend(self, what: str, who: str, count: int, most: int, span: float) -> float:
        """Counts so much of something, if it is not too much.

        Args:
            what: Is used.
            who: Uses it.
            most: So much of it may be used in `span` seconds, all at once too. What is
                more is let through where nothing was used before.

        Returns:
            0, or the seconds after which it can be; then nothing was counted.
        """
        key = what, who
        with self._lock:
            if self._left.get(key, 0) >= count:
                self._left[key] -= count
                return 0.0
        if wait := self.wait(what, who, count, most, span):
            return wait
        # Alone, for two who come at once would both count on what was there before.
        with self._database.writing(alone=True) as connection:
            past = tallies.c.until < rows.now(connection)
            connection.execute(sa.delete(tallies).where(past))
            used = _use(connection, key, most, span)
            if wait := _wait(used, count, most, span):
                return wait
            taken = max(count, min(most // _PORTIONS, int(most - used)))
            _keep(connection, key, (used + taken) * span / most)
        with self._lock:
            if len(self._left) > _KEPT:
                self._left.clear()
            self._left[key] = self._left.get(key, 0) + taken - count
        return 0.0

    def wait(self, what: str, who: str, count: int, most: int, span: float) -> float:
        """Seconds after which so much could be used; see `spend`."""
        with self._database.reading() as connection:
            used = _use(connection, (what, who), most, span)
        return _wait(used, count, most, span)


def _use(
    connection: sa.Connection, key: tuple[str, str], most: int, span: float
) -> float:
    drains = tallies.c.until - rows.now(connection)
    left = connection.scalar(sa.select(drains).where(_of(key))) or 0.0
    return min(max(left, 0.0), _REMEMBERED * span) * most / span


def _wait(used: float, count: int, most: int, span: float) -> float:
    # Never so much that it could not be at all: what is large waits for all.
    if not used or used + count <= most:
        return 0.0
    return min(used, used + count - most) * span / most


def _keep(connection: sa.Connection, key: tuple[str, str], drains: float) -> None:
    connection.execute(sa.delete(tallies).where(_of(key)))
    (what, who), until = key, rows.now(connection) + drains
    connection.execute(sa.insert(tallies).values(what=what, who=who, until=until))


def _of(key: tuple[str, str]) -> sa.ColumnElement[bool]:
    return (tallies.c.what == key[0]) & (tallies.c.who == key[1])
