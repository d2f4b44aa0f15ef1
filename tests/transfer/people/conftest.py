"""A workshop with its store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from transfer.people import joining
from transfer.people.tries import Tries
from transfer.store.runs import Store


@pytest.fixture
def store(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store of a workshop; nobody was wrong yet."""
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    monkeypatch.setattr(joining, "tries", Tries())
    opened = Store()
    yield opened
    opened.close()
