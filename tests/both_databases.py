"""The fixture of folders whose tests hold for SQLite and for PostgreSQL alike."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Which database is used: each of the two in turn, without a row."""
    name: str = request.param
    if name == "sqlite":
        yield name
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    postgres.empty()
    monkeypatch.setenv("TRANSFER_DATABASE_URL", postgres.url)
    yield name


#: For what only a database of several machines can do.
on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
