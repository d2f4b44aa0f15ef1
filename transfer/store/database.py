"""The database that has the tables of the store: opened, created, migrated, used."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from filelock import FileLock

from transfer import workspace
from transfer.errors import StorageError
from transfer.store import copies
from transfer.store.tables import alembic_version, metadata

MIGRATIONS = Path(__file__).parent / "migrations"

#: Seconds that a statement waits for another process' write before it gives up.
BUSY_TIMEOUT = 30.0

#: Names the lock that PostgreSQL keeps for us; any number would do.
_LOCK = 7268

#: What is raised where the database cannot be used. What is done to a new connection
#: before SQLAlchemy has it raises SQLite's own errors.
UNUSABLE = (sa.exc.DBAPIError, sa.exc.TimeoutError, sqlite3.Error)


class Database:
    """A database that is open, for any thread; who uses it hears of no SQL error.

    Args:
        url: Its address; `None` takes `TRANSFER_DATABASE_URL`, else the file
            `store.sqlite` in the workspace.

    Raises:
        StorageError: As `open_database`.
    """

    def __init__(self, url: str | None = None) -> None:
        self._engine = open_database(url or default_url())
        self._writer = self._engine.execution_options(writes=True)

    def close(self) -> None:
        """Closes the connections; the database cannot be used afterwards."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection to look something up with.

        Raises:
            StorageError: The database cannot be used.
        """
        try:
            with self._engine.connect() as connection:
                yield connection
        except UNUSABLE as error:
            raise unreachable(error) from error

    @contextmanager
    def writing(self, alone: bool = False) -> Iterator[sa.Connection]:
        """A connection in a transaction, which the end of the block commits.

        Args:
            alone: Wait for others who write so, and let none in until the end: for
                what is decided by several rows. On SQLite every writer is alone.

        Raises:
            StorageError: The database cannot be used.
        """
        try:
            with self._writer.begin() as connection:
                if alone and connection.dialect.name == "postgresql":
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
                yield connection
        except UNUSABLE as error:
            raise unreachable(error) from error


def default_url() -> str | sa.URL:
    """`TRANSFER_DATABASE_URL`, else a SQLite file in the workspace."""
    file = workspace.folder() / "store.sqlite"
    named = os.environ.get("TRANSFER_DATABASE_URL")
    return named or sa.URL.create("sqlite", database=str(file))


def file_of(url: str | sa.URL) -> Path | None:
    """The file of a SQLite database; `None` of any other."""
    address = sa.make_url(url)
    is_file = address.get_backend_name() == "sqlite" and address.database
    return Path(address.database or "") if is_file else None


def open_database(url: str | sa.URL) -> sa.Engine:
    """An engine on a database whose tables are those of this version.

    A new or an up-to-date database is opened in milliseconds: Alembic (0.3 s to import)
    is loaded only where there is something to migrate.

    Raises:
        StorageError: The address is none, there is no driver for it, the database
            cannot be reached or it was written by a newer version of the program.
    """
    engine = _engine(url)
    lock = FileLock(workspace.folder() / "store.lock")
    try:
        # Also around the look at the version: SQLite can be switched to WAL only while
        # nobody else has the file open.
        with workspace.writing(Path(lock.lock_file)), lock:
            version = _version(engine)
            if version != newest_version():
                _refuse_newer(version)
                # Before its tables are changed: whoever goes back to the earlier
                # program, or whose machine stops in the midst of it, has it then.
                if version and (kept := file_of(engine.url)):
                    copies.keep(kept, version)
                _bring_up_to_date(engine)
    except UNUSABLE as error:
        engine.dispose()
        raise unreachable(error) from error
    except BaseException:
        engine.dispose()
        raise
    return engine


def newest_version() -> str:
    """The version of the schema that this program writes."""
    return max(_known_versions())


def unreachable(error: Exception) -> StorageError:
    """One of `UNUSABLE` in words for the user."""
    reason = str(getattr(error, "orig", None) or error).strip(" .")
    if "disk is full" in reason:
        return StorageError(
            "The disk is full: the record of the runs could not be written.",
            "Free some space or set TRANSFER_HOME to a larger disk, then try again.",
        )
    if "database is locked" in reason or "lock timeout" in reason:
        return StorageError(
            "The database of the runs is locked: another program has kept it for more "
            f"than {BUSY_TIMEOUT:.0f} seconds.",
            "Close what has it open, a backup or a viewer for example, then try again.",
        )
    if isinstance(error, sa.exc.TimeoutError):
        return StorageError(
            "All connections to the database of the runs are in use.",
            "Wait a little, then try again.",
        )
    return StorageError(
        f"The database of the runs cannot be used: {reason}.",
        "Check that the workspace (TRANSFER_HOME) can be written or that "
        "TRANSFER_DATABASE_URL names a database that is running.",
    )


def _engine(url: str | sa.URL) -> sa.Engine:
    try:
        address = sa.make_url(url)
        sqlite = address.get_backend_name() == "sqlite"
        arguments = {"timeout": BUSY_TIMEOUT} if sqlite else _patience()
        engine = sa.create_engine(
            address, connect_args=arguments, pool_pre_ping=not sqlite
        )
    except (sa.exc.ArgumentError, ModuleNotFoundError) as error:
        raise StorageError(
            f"TRANSFER_DATABASE_URL cannot be used: {error}.",
            "Write it as postgresql+DRIVER://USER:PASSWORD@HOST/DATABASE, with a "
            "driver that is installed, or leave it out to use a file in the workspace.",
        ) from error
    if sqlite:
        sa.event.listen(engine, "connect", _set_up_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _patience() -> dict[str, Any]:
    """For how long PostgreSQL waits for a lock, and either side for the other.

    A machine that vanishes says no goodbye: what it has locked shall be free again
    before others give up, and a lost server be noticed.
    """
    wait = int(BUSY_TIMEOUT * 1000)
    limits = ("lock_timeout", "idle_in_transaction_session_timeout")
    return {
        "options": " ".join(f"-c {name}={wait}" for name in limits),
        "connect_timeout": 10,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": wait,
    }


def _set_up_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # Python shall not begin transactions by itself.
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin_sqlite(connection: sa.Connection) -> None:
    # A writer takes its lock at once: one that begins as a reader and writes later is
    # refused without waiting when another has written in between.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _known_versions() -> set[str]:
    return {file.stem[1:5] for file in (MIGRATIONS / "versions").glob("v*.py")}


def _version(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table(alembic_version.name):
            return None
        return connection.scalar(sa.select(alembic_version.c.version_num))


def _refuse_newer(version: str | None) -> None:
    if version is None or version in _known_versions():
        return
    raise StorageError(
        f"The database of the runs has version {version}; this program knows only "
        f"versions up to {newest_version()}.",
        "It was written by a newer Transfer Studio: start that one, or set "
        "TRANSFER_HOME to another folder.",
    )


def _bring_up_to_date(engine: sa.Engine) -> None:
    if engine.dialect.name == "sqlite":
        _switch_to_wal(engine)
    with engine.connect().execution_options(writes=True) as connection:
        with connection.begin():
            if engine.dialect.name == "postgresql":
                # The file lock holds only on this machine; this one ends with the
                # transaction.
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            if sa.inspect(connection).get_table_names():
                _migrate(connection)
            else:
                _create(connection)


def _create(connection: sa.Connection) -> None:
    """The tables as they are now; a test holds that migrations lead to the same."""
    metadata.create_all(connection)
    connection.execute(sa.insert(alembic_version).values(version_num=newest_version()))


def _migrate(connection: sa.Connection) -> None:
    # Both cost 0.3 s, and almost no process has anything to migrate.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _switch_to_wal(engine: sa.Engine) -> None:
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
