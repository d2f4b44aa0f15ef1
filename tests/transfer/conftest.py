"""A backbone that is built in a blink, for tests that ask for it."""

from collections.abc import Iterator

import pytest

from tests import tiny as backbone


@pytest.fixture(scope="module")
def tiny() -> Iterator[None]:
    """The catalogue has the backbone `tiny`; not in processes that a test starts."""
    with backbone.offered():
        yield
