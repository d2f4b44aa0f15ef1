"""Copies of the database's file, whole though others write to it meanwhile."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from transfer import workspace

#: Copies made before a migration that are kept, the newest ones.
KEPT = 3


def copy(file: Path, to: Path) -> None:
    """Writes what a SQLite database held at one moment; writers need not wait.

    Raises:
        sqlite3.Error: The one cannot be read or the other cannot be written.
        StorageError: The folder cannot be written.
    """
    made = to.with_name(f".writing-{to.name}")
    with workspace.writing(to):
        made.unlink(missing_ok=True)
        made.touch(mode=0o600)
        try:
            with closing(sqlite3.connect(file)) as one, closing(_new(made)) as other:
                one.backup(other)
            made.replace(to)
        finally:
            made.unlink(missing_ok=True)


def keep(file: Path, version: str) -> Path:
    """A copy of a database as an earlier version of the program left it, beside it.

    Of all such copies the newest few stay.

    Raises:
        sqlite3.Error, StorageError: As `copy`.
    """
    made = file.with_name(f"{file.stem}-{version}-{time.time_ns()}{file.suffix}")
    copy(file, made)
    found = file.parent.glob(f"{file.stem}-*-*{file.suffix}")
    for old in sorted(found, key=lambda one: one.stat().st_mtime_ns)[:-KEPT]:
        old.unlink(missing_ok=True)
    return made


def _new(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file)
    # No log beside it that would have to be moved too.
    connection.execute("PRAGMA journal_mode = OFF")
    return connection
