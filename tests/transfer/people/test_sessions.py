"""Who asks: the cookie of a session, from its ticket to its end."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from transfer import processes
from transfer.errors import NotAllowedError, UploadError
from transfer.people import links, sessions
from transfer.store.people import OWNER, Person, Role
from transfer.store.runs import Store


def somebody(store: Store, name: str = "Anna", **values: object) -> Person:
    told = {"subject": f"name:{name}", "name": name, "role": Role.PARTICIPANT}
    person = store.people.add(**{**told, **values})
    assert person
    return person


def sign_in(store: Store, person: Person) -> str:
    return sessions.cookie_for(sessions.begin(store, person))


def test_who__is_the_owner_where_nobody_signs_in(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "open")
    assert sessions.who(store, "") == OWNER
    assert OWNER.role is Role.ADMINISTRATOR


def test_who__is_whose_cookie_it_is(store: Store) -> None:
    anna, bob = somebody(store), somebody(store, "Bob")
    assert sessions.who(store, sign_in(store, anna)) == anna
    assert sessions.who(store, sign_in(store, bob)) == bob
    assert sessions.who(store, sign_in(store, anna)) == anna  # in another browser


@pytest.mark.parametrize("cookie", ["", "x", "0123abcd-1.9999999999." + 64 * "0"])
def test_who__is_nobody_without_a_cookie_of_ours(store: Store, cookie: str) -> None:
    with pytest.raises(NotAllowedError, match="not signed in"):
        sessions.who(store, cookie)


def test_find__no_link_and_no_ticket_is_a_session(store: Store) -> None:
    anna = somebody(store)
    assert sessions.find(store, sessions.begin(store, anna)) is None
    assert sessions.find(store, links.sign("live", f"{anna.id}-9")) is None


def test_find__ends_with_the_cookie_and_with_the_person(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = sign_in(store, somebody(store))
    soon = sign_in(store, somebody(store, "Bob", expires_at=time.time() + 60))
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 120)
    assert sessions.find(store, cookie)
    assert sessions.find(store, soon) is None
    monkeypatch.setattr("time.time", lambda: now + 15 * links.DAY)
    assert sessions.find(store, cookie) is None


def test_find__lasts_no_longer_than_the_server_says(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie, now = sign_in(store, somebody(store)), time.time()
    monkeypatch.setenv("TRANSFER_SESSION_HOURS", "0.5")
    monkeypatch.setattr("time.time", lambda: now + 1700)
    assert sessions.find(store, cookie)
    monkeypatch.setattr("time.time", lambda: now + 1900)
    assert sessions.find(store, cookie) is None


def test_find__is_of_the_mode_that_it_was_begun_in(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = sign_in(store, somebody(store))
    monkeypatch.setenv("TRANSFER_AUTH", "oidc")
    assert sessions.find(store, cookie) is None


def test_find__survives_a_restart(store: Store) -> None:
    anna = somebody(store)
    cookie = sign_in(store, anna)
    again = Store()
    assert sessions.find(again, cookie) == anna
    again.close()


def test_end__holds_for_who_kept_the_cookie(store: Store) -> None:
    anna = somebody(store)
    cookie = sign_in(store, anna)
    sessions.end(store, cookie)
    assert sessions.find(store, cookie) is None
    # The next one begins, though no second has passed or the clock was set back.
    later = sign_in(store, store.people.get(anna.id))
    assert sessions.find(store, later)
    assert sessions.find(store, cookie) is None


def test_cookie_for__takes_a_ticket_once_and_soon(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = somebody(store)
    ticket, late = sessions.begin(store, anna), sessions.begin(store, anna, 7)
    sessions.cookie_for(ticket)
    with pytest.raises(UploadError, match="used already"):
        sessions.cookie_for(ticket)
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 121)
    with pytest.raises(UploadError, match="expired"):
        sessions.cookie_for(late)


def test_cookie_for__another_server_of_the_workspace_takes_it_no_more(
    store: Store,
) -> None:
    ticket = sessions.begin(store, somebody(store))
    code = "import sys; from transfer.people.sessions import cookie_for as take;"
    command = [sys.executable, "-c", f"{code} take(sys.argv[1])", ticket]
    subprocess.run(command, check=True, env=processes.environment())
    with pytest.raises(UploadError, match="used already"):
        sessions.cookie_for(ticket)


def test_cookie_for__forgets_tickets_that_nobody_could_use(
    store: Store, workspace: Path
) -> None:
    sessions.cookie_for(sessions.begin(store, somebody(store)))
    (old,) = (workspace / "tickets").iterdir()
    os.utime(old, (0, 0))
    sessions.cookie_for(sessions.begin(store, somebody(store, "Bob")))
    (left,) = (workspace / "tickets").iterdir()
    assert left != old


def test_begin__and_end_are_noted(store: Store, workspace: Path) -> None:
    cookie = sign_in(store, somebody(store))
    sessions.end(store, cookie)
    events = store.people.events()
    assert [(one.name, one.action) for one in events] == [
        ("Anna", "sign out"),
        ("Anna", "sign in"),
    ]
