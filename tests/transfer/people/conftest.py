"""A workshop with its store, on both databases."""

from collections.abc import Iterator

import pytest

from tests.both_databases import database
from transfer.store.runs import Store

__all__ = ["database", "store"]


@pytest.fixture
def store(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store of a workshop; nobody was wrong yet."""
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    opened = Store()
    yield opened
    opened.close()
