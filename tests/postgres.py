"""A PostgreSQL of the tests' own: one for all of them, empty for each.

It listens to a socket in its folder and to no port, and writes nothing for good.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from tests.patience import wait_for
from transfer.store import database
from transfer.store.tables import alembic_version, metadata

#: Debian keeps the programs of the server out of the PATH.
_PROGRAMS = Path("/usr/lib/postgresql")
#: It refuses to be run by root, as CI may be.
_USER = "postgres" if hasattr(os, "getuid") and os.getuid() == 0 else None
_QUICK = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")


class Postgres:
    """A server that runs, with one database that each test finds empty.

    Args:
        folder: Where its socket is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = f"postgresql+psycopg://transfer@/transfer?host={folder}"

    def empty(self) -> None:
        """Removes all rows: a new database takes a hundred times as long."""
        self.end_others()
        tables = reversed(metadata.sorted_tables)
        emptied = [sa.delete(one) for one in tables if one is not alembic_version]
        self.tell("; ".join(map(str, emptied)))

    def begin_anew(self, with_tables: bool = True) -> None:
        """Removes what there is; the tables of this version come back if wanted."""
        self.end_others()
        self.tell("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        if with_tables:
            database.Database(self.url).close()

    def tell(self, statements: str, name: str = "transfer") -> None:
        """Has one of its databases carry out statements."""
        with psycopg.connect(
            host=str(self._folder), user="transfer", dbname=name, autocommit=True
        ) as connection:
            connection.execute(statements)

    def end_others(self) -> None:
        """Ends all connections, as a server that is started anew does."""
        # A test before, or a process that it has left, may still hold a lock.
        self.tell(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@contextmanager
def running(quick: bool = True) -> Iterator[Postgres]:
    """A server that ends with the block.

    Args:
        quick: Whether it need not write anything for good.
    """
    initdb = _program("initdb")
    # Not below pytest's folder: a socket's path has 107 bytes at most, and the user of
    # the server may not get there.
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        if _USER:
            shutil.chown(folder, _USER, _USER)
        data = str(folder / "data")
        made = [initdb, "-D", data, "-U", "transfer", "-A", "trust", "--no-sync"]
        made += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
        subprocess.run(made, check=True, user=_USER, cwd=folder, capture_output=True)
        words = [str(Path(initdb).with_name("postgres")), "-D", data]
        words += ["-k", str(folder), "-c", "listen_addresses=", "-c", "timezone=UTC"]
        words += ["-c", "max_connections=300"]
        for setting in _QUICK if quick else ():
            words += ["-c", f"{setting}=off"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                words, user=_USER, cwd=folder, stdout=log, stderr=log
            )
        try:
            yield _ready(Postgres(folder), server)
        finally:
            # At once, without a last look at who is connected.
            server.send_signal(signal.SIGQUIT)
            server.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ready(server: Postgres, process: subprocess.Popen[bytes]) -> Postgres:
    def answers() -> bool:
        assert process.poll() is None, (server._folder / "log").read_text()
        try:
            server.tell("SELECT 1", "postgres")
        except psycopg.OperationalError:
            return False
        return True

    wait_for(answers)
    server.tell("CREATE DATABASE transfer", "postgres")
    server.begin_anew()
    return server


def _program(name: str) -> str:
    """Where a program lies; without it the test is passed over, but not in CI."""
    newest = sorted(_PROGRAMS.glob(f"*/bin/{name}"), key=lambda one: one.parts)[-1:]
    if found := str(newest[0]) if newest else shutil.which(name):
        return found
    message = "This test needs PostgreSQL: sudo apt install postgresql"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
