"""Who looks at a page, asked once for all of it."""

import pytest

from transfer.errors import NotAllowedError
from transfer.people import looking, sessions
from transfer.store.people import Role
from transfer.store.runs import Store


def test_look__once_for_a_page_and_anew_for_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    clock = [100.0]
    monkeypatch.setattr("transfer.people.looking.time.monotonic", lambda: clock[0])
    anna = store.people.add(subject="a", name="Anna", role=Role.PARTICIPANT)
    assert anna
    cookie = sessions.cookie_for(sessions.begin(store, anna))
    first = looking.look(store, cookie)
    assert first.actor == anna and first.store.owner == anna.id
    assert looking.look(store, cookie) is first
    sessions.end(store, cookie)
    clock[0] += 1.0
    with pytest.raises(NotAllowedError):
        looking.look(store, cookie)


def test_look__another_cookie_is_somebody_else(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    made = [
        store.people.add(subject=one, name=one, role=Role.PARTICIPANT) for one in "ab"
    ]
    for person in made:
        assert person
        cookie = sessions.cookie_for(sessions.begin(store, person))
        assert looking.look(store, cookie).actor == person
    with pytest.raises(NotAllowedError):
        looking.look(store, "")
