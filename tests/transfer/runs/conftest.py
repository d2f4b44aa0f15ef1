"""A store in the test's own workspace."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from transfer.runs.store import Store


@pytest.fixture
def store(workspace: Path) -> Iterator[Store]:
    store = Store()
    yield store
    store.close()
