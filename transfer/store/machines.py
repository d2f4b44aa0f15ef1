"""The machines that share a database: one clock, to be woken, and who they are."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from transfer.errors import ConfigError
from transfer.store import rows
from transfer.store.database import Database
from transfer.store.tables import machines

#: Seconds without a word after which a machine is not there any more.
SILENT = 60.0


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine, or a node of a cluster, that does jobs of this store.

    Attributes:
        name: What it is called in the record of a job.
        identity: Tells it from another one that is called the same.
        kind: `machine`, or `node` of a cluster.
        cores: That jobs may have.
        memory: Bytes that they may have.
        gpus: That they may have.
        slots: Heavy jobs that it does at once.
    """

    name: str
    identity: str
    kind: str
    cores: int
    memory: float
    gpus: float
    slots: int


class Machines:
    """The machines that work at one store, reached as `store.machines`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def are_many(self) -> bool:
        """Whether there may be others: SQLite's file is for one alone."""
        return self._database.is_shared

    def now(self) -> float:
        """Seconds since 1970 by the clock of the database, which all share."""
        with self._database.reading() as connection:
            return connection.execute(sa.select(rows.now(connection))).scalar_one()

    def announce(self, those: Sequence[Machine]) -> None:
        """Notes that these are there.

        Raises:
            ConfigError: Another one is called the same and is there, too: each would
                take the other's processes for its own.
        """
        with self._database.writing(alone=True) as connection:
            now = connection.execute(sa.select(rows.now(connection))).scalar_one()
            known = {one.name: one for one in connection.execute(sa.select(machines))}
            for one in those:
                if (other := known.get(one.name)) is None:
                    connection.execute(
                        sa.insert(machines).values(**asdict(one), seen_at=now)
                    )
                    continue
                is_there = now - other.seen_at < SILENT
                if other.identity != one.identity and is_there and self.are_many:
                    raise _name_taken_error(one.name)
                same = machines.c.name == one.name
                changed = sa.update(machines).where(same)
                connection.execute(changed.values(**asdict(one), seen_at=now))
            old = machines.c.seen_at < now - 2 * SILENT
            connection.execute(sa.delete(machines).where(old))

    def leave(self, names: Collection[str]) -> None:
        """Notes that these are not there any more."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(machines).where(machines.c.name.in_(names)))

    def all(self) -> list[Machine]:
        """Those that were there a moment ago, by name."""
        columns = [machines.c[name] for name in Machine.__dataclass_fields__]
        with self._database.reading() as connection:
            since = rows.now(connection) - SILENT
            query = sa.select(*columns).where(machines.c.seen_at > since)
            found = connection.execute(query.order_by(machines.c.name)).mappings()
            return [Machine(**one) for one in found]

    def news(self, seconds: float) -> Iterator[bool]:
        """Whether a job was queued, taken, stopped or has ended, on any machine.

        Only where there may be many. The first answer comes at once.

        Args:
            seconds: Within which there is an answer, if only that there is no news.

        Raises:
            StorageError: The database cannot be used, or any more.
        """
        with self._database.listening() as connection:
            connection.exec_driver_sql(f"LISTEN {rows.CHANNEL}")
            driver: Any = connection.connection.dbapi_connection  # psycopg's
            yield True  # what was told before is not told again
            while True:
                yield bool(list(driver.notifies(timeout=seconds, stop_after=1)))


def _name_taken_error(name: str) -> ConfigError:
    return ConfigError(
        f'Another machine of this store is called "{name}", too.',
        "Give each a name of its own: set TRANSFER_MACHINE, or the host name. One that "
        f"is gone is forgotten after {SILENT:.0f} seconds.",
    )
