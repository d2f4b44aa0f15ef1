"""What machines that share a database need of it: one clock, and to be woken."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from transfer.store import rows
from transfer.store.database import Database


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
