"""SQLite and PostgreSQL as they are spoken to: who waits for whom, and for how long."""

import time
from functools import partial
from typing import Any

import sqlalchemy as sa
from pydantic_core import to_json

from transfer.errors import StorageError

#: Seconds that a statement waits for another process' write before it gives up.
BUSY_TIMEOUT = 30.0
#: Milliseconds without a word in the midst of something after which a side is gone.
_VANISHED = 20_000
#: Seconds without use after which it is looked whether a connection still stands.
IDLE = 5.0


def make_engine(url: str | sa.URL) -> sa.Engine:
    """An engine for this address, which connects to nothing yet.

    Raises:
        StorageError: The address is none, or there is no driver for it.
    """
    try:
        address = sa.make_url(url)
        sqlite = address.get_backend_name() == "sqlite"
        arguments = {"timeout": BUSY_TIMEOUT} if sqlite else _patience()
        engine = sa.create_engine(
            address, connect_args=arguments, json_serializer=_to_json
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
    else:
        sa.event.listen(engine, "checkin", _note_use)
        sa.event.listen(engine, "checkout", partial(_look_at_idle, engine))
    return engine


def _to_json(value: Any) -> str:
    # JSON has no NaN: PostgreSQL refuses the row, and SQLite every list with it.
    return to_json(value, inf_nan_mode="null").decode()


def _note_use(_: Any, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


def _look_at_idle(engine: sa.Engine, connection: Any, record: Any, _: Any) -> None:
    """Has a connection replaced that was closed while nobody used it.

    Not one that was used just now: a question before each write would take as long as
    the write.
    """
    if time.monotonic() - record.info.get("used_at", time.monotonic()) < IDLE:
        return
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error as error:
        raise sa.exc.InvalidatePoolError from error


def _patience() -> dict[str, Any]:
    """For how long PostgreSQL waits for a lock, and either side for the other.

    A machine that vanishes says no goodbye: what it has locked shall be free again
    before others give up, and a lost server be noticed.
    """
    limits = {
        "lock_timeout": int(BUSY_TIMEOUT * 1000),
        "idle_in_transaction_session_timeout": _VANISHED,
    }
    return {
        "options": " ".join(f"-c {name}={limit}" for name, limit in limits.items()),
        "connect_timeout": 10,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": _VANISHED,
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


def switch_to_wal(engine: sa.Engine) -> None:
    """Lets readers of a SQLite database read while another process writes."""
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
