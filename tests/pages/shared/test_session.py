"""Who looks at a page, and what others are called there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pages.shared import session
from tests.pages.workshop_made import join, looked_at
from tests.statements import statements
from transfer.store.people import Role
from transfer.store.runs import Store


@pytest.fixture
def store(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store of a workshop, at whose pages an instructor looks."""
    with looked_at(Role.INSTRUCTOR, monkeypatch) as opened:
        yield opened


def test_name_of__everybody_is_asked_for_once(store: Store) -> None:
    people = [join(store, f"Pupil {number}") for number in range(12)]
    session.actor()
    with statements(store) as asked:
        assert [session.name_of(one.id) for one in people] == [
            one.name for one in people
        ]
    assert len([one for one in asked if "FROM people" in one]) == 1


def test_name_of__who_joins_meanwhile_has_a_name_at_once(store: Store) -> None:
    assert session.name_of(join(store, "Anna").id) == "Anna"
    assert session.name_of(join(store, "Bob").id) == "Bob"


def test_name_of__who_is_gone(store: Store) -> None:
    assert session.name_of("00000000") == "somebody who is gone"
    assert session.name_of(None) == "nobody here"
