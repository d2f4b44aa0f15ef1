"""A store in the test's own workspace, and a backbone that is built in a blink."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import tiny as backbone
from transfer.store.runs import Store


@pytest.fixture
def store(workspace: Path) -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


@pytest.fixture(scope="module")
def tiny() -> Iterator[None]:
    """The catalogue has the backbone `tiny`; not in processes that a test starts."""
    with backbone.offered():
        yield
