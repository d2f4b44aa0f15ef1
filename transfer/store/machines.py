"""The machines that share a database: one clock, to be woken, and who they are."""

from collections.abc import Iterator, Sequence
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

    def announce(self, those: Sequence[Machine], process: int) -> None:
        """Notes that these are there.

        Args:
            process: Number of the process that says so: a machine is there as long as
                one of its processes is.

        Raises:
            ConfigError: Another one is called the same and is there, too: each would
                take the other's processes for its own.
        """
        with self._database.writing(alone=True) as connection:
            now = connection.execute(sa.select(rows.now(connection))).scalar_one()
            old = machines.c.seen_at < now - SILENT
            connection.execute(sa.delete(machines).where(old))
            for one in those:
                own = _of(one, process)
                connection.execute(sa.delete(machines).where(own))
                new = sa.insert(machines).values(**asdict(one))
                connection.execute(new.values(process=process, seen_at=now))
                same = sa.select(machines.c.identity).filter_by(name=one.name)
                if set(connection.scalars(same)) != {one.identity}:
                    raise _name_taken_error(one.name)  # which takes all back

    def leave(self, those: Sequence[Machine], process: int) -> None:
        """Notes that these are there no more, as far as this process is concerned.

        Args:
            process: As in `announce`.
        """
        with self._database.writing() as connection:
            for one in those:
                connection.execute(sa.delete(machines).where(_of(one, process)))

    def all(self) -> list[Machine]:
        """Those that were there a moment ago, by name."""
        columns = [machines.c[name] for name in Machine.__dataclass_fields__]
        with self._database.reading() as connection:
            since = rows.now(connection) - SILENT
            query = sa.select(*columns).where(machines.c.seen_at > since)
            query = query.order_by(machines.c.name, machines.c.seen_at)
            found = [Machine(**one) for one in connection.execute(query).mappings()]
        return [*{one.name: one for one in found}.values()]

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


def _of(one: Machine, process: int) -> sa.ColumnElement[bool]:
    is_one = (machines.c.name == one.name) & (machines.c.identity == one.identity)
    return is_one & (machines.c.process == process)


def _name_taken_error(name: str) -> ConfigError:
    return ConfigError(
        f'Another machine of this store is called "{name}", too.',
        "Give each a name of its own: set TRANSFER_MACHINE, or the host name. One that "
        f"is gone is forgotten after {SILENT:.0f} seconds.",
    )
