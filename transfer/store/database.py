"""The database that has the tables of the store: opened, created, migrated, used."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock

from transfer import workspace
from transfer.errors import StorageError
from transfer.store import copies, drivers
from transfer.store.tables import alembic_version, metadata

MIGRATIONS = Path(__file__).parent / "migrations"

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

    @property
    def is_shared(self) -> bool:
        """Whether several machines can use it at once."""
        return self._engine.dialect.name == "postgresql"

    @contextmanager
    def listening(self) -> Iterator[sa.Connection]:
        """A connection in no transaction, which nobody else gets afterwards.

        Raises:
            StorageError: The database cannot be used.
        """
        alone = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        try:
            with alone.connect() as connection:
                connection.detach()
                yield connection
        # Who listens uses the driver itself.
        except (*UNUSABLE, alone.dialect.loaded_dbapi.Error) as error:
            raise unreachable(error) from error

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
    engine = drivers.make_engine(url)
    try:
        # Also around the look at the version: SQLite can be switched to WAL only while
        # nobody else has the file open.
        with _lock_of_file(engine):
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
            f"than {drivers.BUSY_TIMEOUT:.0f} seconds.",
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


@contextmanager
def _lock_of_file(engine: sa.Engine) -> Iterator[None]:
    """Holds a SQLite database for one process; PostgreSQL has locks of its own."""
    if engine.dialect.name != "sqlite":
        yield
        return
    lock = FileLock(workspace.folder() / "store.lock")
    with workspace.writing(Path(lock.lock_file)), lock:
        yield


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
        drivers.switch_to_wal(engine)
    with engine.connect().execution_options(writes=True) as connection:
        with connection.begin():
            if engine.dialect.name == "postgresql":
                # For all machines; it ends with the transaction.
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
