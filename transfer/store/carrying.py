"""All rows carried from one database to another, be they SQLite or PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from transfer.errors import ConfigError
from transfer.store import database
from transfer.store.tables import alembic_version, metadata

#: Rows that are held at a time.
_PIECE = 1000


def to_file(url: str | sa.URL, file: Path) -> None:
    """Writes what a database held at one moment as a SQLite file; nobody waits for it.

    Args:
        url: Its address.
        file: A new file.

    Raises:
        StorageError: The one cannot be read or the other cannot be written.
    """
    with _engine(url) as source, _writing(f"sqlite:///{file}") as target:
        _carry(source, target)


@contextmanager
def from_file(file: Path, url: str | sa.URL) -> Iterator[None]:
    """Fills an empty database with the rows of a SQLite file once the block ends well.

    Args:
        file: The SQLite file, of this version of the program or an earlier one.
        url: The address of the database.

    Raises:
        ConfigError: There are rows in the database.
        StorageError: The one cannot be read or the other cannot be written.
    """
    with _writing(url) as target:
        for table in _tables():
            if target.execute(sa.select(table).limit(1)).first():
                raise ConfigError(
                    "The database that TRANSFER_DATABASE_URL names is not empty: it "
                    f"has {table.name}. What is there is not overwritten.",
                    "Name a new one; or leave TRANSFER_DATABASE_URL out, which "
                    "restores to a file in the workspace.",
                )
        with _engine(f"sqlite:///{file}") as source:
            _carry(source, target)
        yield


def _tables() -> list[sa.Table]:
    """Those that others refer to first."""
    return [one for one in metadata.sorted_tables if one is not alembic_version]


@contextmanager
def _engine(url: str | sa.URL) -> Iterator[sa.Engine]:
    engine = database.open_database(url)
    try:
        yield engine
    except database.UNUSABLE as error:
        raise database.unreachable(error) from error
    finally:
        engine.dispose()


@contextmanager
def _writing(url: str | sa.URL) -> Iterator[sa.Connection]:
    with _engine(url) as engine:
        with engine.execution_options(writes=True).begin() as connection:
            yield connection


def _carry(source: sa.Engine, target: sa.Connection) -> None:
    # All tables as they were at one moment. SQLite has it so by itself.
    shared = source.dialect.name == "postgresql"
    options = {"isolation_level": "REPEATABLE READ"} if shared else {}
    with source.connect().execution_options(**options, yield_per=_PIECE) as reading:
        for table in _tables():
            for rows in reading.execute(sa.select(table)).mappings().partitions():
                target.execute(sa.insert(table), [dict(row) for row in rows])
    if target.dialect.name == "postgresql":
        _set_counters(target)


def _set_counters(connection: sa.Connection) -> None:
    """Goes on counting after the rows that came with their numbers."""
    for table in _tables():
        if (column := table.autoincrement_column) is not None:
            counter = sa.func.pg_get_serial_sequence(table.name, column.name)
            after = sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1)
            next_one = sa.func.setval(counter, after.scalar_subquery(), False)
            connection.execute(sa.select(next_one))
