import time

import pytest
import sqlalchemy as sa

from transfer.errors import ConfigError, NotAllowedError
from transfer.people import tokens
from transfer.store import rows
from transfer.store.people import OWNER, Person
from transfer.store.runs import Store


@pytest.fixture
def anna(store: Store, monkeypatch: pytest.MonkeyPatch) -> Person:
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    person = store.people.add(subject="name:anna", name="Anna", role="participant")
    assert person
    return person


def at(monkeypatch: pytest.MonkeyPatch, days: float) -> None:
    """Lets so many days pass."""
    now = time.time() + days * 24 * 3600
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setattr(rows, "now", lambda _: sa.literal(now))  # of the database too


def test_find__is_the_person_and_reads_only(store: Store, anna: Person) -> None:
    made = tokens.make(store, anna, "notebook", 30)
    assert tokens.find(store, made) == (anna, False)
    changes = tokens.make(store, anna, "robot", 30, may_change=True)
    assert tokens.find(store, changes) == (anna, True)


def test_make__keeps_a_hash_alone_and_tells_the_last_use(
    store: Store, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tokens.make(store, anna, "notebook", 30)
    (kept,) = store.tokens.of(anna.id)
    assert made not in str(kept) and kept.used_at is None
    with store._database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM tokens").all()
    assert made.removeprefix("transfer_") not in str(rows)
    at(monkeypatch, 1)
    tokens.find(store, made)
    assert store.tokens.of(anna.id)[0].used_at == time.time()


@pytest.mark.parametrize("made", ["", "transfer_x", "x" * 10_000, "ü"])
def test_find__refuses_what_is_no_token(made: str, store: Store, anna: Person) -> None:
    tokens.make(store, anna, "notebook", 30)
    with pytest.raises(NotAllowedError, match="Authorization: Bearer"):
        tokens.find(store, made)


def test_revoke__of_others_is_for_administrators_and_is_told(
    store: Store, anna: Person
) -> None:
    made, own = tokens.make(store, anna, "notebook", 30), store.tokens.of(anna.id)
    tom = store.people.add(subject="name:tom", name="Tom", role="instructor")
    ada = store.people.add(subject="name:ada", name="Ada", role="administrator")
    assert tom and ada
    assert tokens.of_others(store, tom) == []
    tokens.revoke(store, tom, own[0].id)
    assert tokens.find(store, made)
    ((person, token),) = tokens.of_others(store, ada)
    assert (person, token.id) == (anna, own[0].id)
    tokens.revoke(store, ada, own[0].id)
    with pytest.raises(NotAllowedError):
        tokens.find(store, made)
    said = store.people.events(1)[0]
    assert (said.name, said.action) == ("Ada", "revoke token")
    assert said.thing == "notebook of Anna"


def test_find__refuses_a_token_that_was_revoked_or_is_too_old(
    store: Store, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, made = (tokens.make(store, anna, name, 1) for name in ("a", "b"))
    tokens.revoke(store, anna, store.tokens.of(anna.id)[1].id)
    tokens.find(store, old)
    with pytest.raises(NotAllowedError, match="not any more"):
        tokens.find(store, made)
    at(monkeypatch, 1.01)
    with pytest.raises(NotAllowedError, match="not any more"):
        tokens.find(store, old)


def test_revoke__leaves_tokens_of_others_alone(store: Store, anna: Person) -> None:
    bob = store.people.add(subject="name:bob", name="Bob", role="participant")
    assert bob
    made = tokens.make(store, anna, "notebook", 30)
    tokens.revoke(store, bob, store.tokens.of(anna.id)[0].id)
    assert tokens.find(store, made).person == anna


def test_find__refuses_a_person_who_is_let_in_no_more(
    store: Store, anna: Person
) -> None:
    made = tokens.make(store, anna, "notebook", 30)
    store.people.change(anna.id, expires_at=time.time() - 1)
    with pytest.raises(NotAllowedError):
        tokens.find(store, made)


def test_find__refuses_a_token_of_another_way_to_sign_in(
    store: Store, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tokens.make(store, anna, "notebook", 30)
    monkeypatch.setenv("TRANSFER_AUTH", "oidc")
    with pytest.raises(NotAllowedError):
        tokens.find(store, made)


def test_find__needs_none_where_nobody_signs_in(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRANSFER_AUTH", raising=False)
    assert tokens.find(store, "") == (OWNER, True)


@pytest.mark.parametrize(
    ("name", "days"), [("", 30), ("x" * 61, 30), ("a\0", 30), ("a", 365), ("a", 0)]
)
def test_make__refuses_a_name_or_time_that_cannot_be(
    name: str, days: int, store: Store, anna: Person
) -> None:
    with pytest.raises(ConfigError, match="expected|none of"):
        tokens.make(store, anna, name, days)


def test_make__has_a_limit(
    store: Store, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MOST", 1)
    tokens.make(store, anna, "a", 30)
    with pytest.raises(ConfigError, match="Revoke one"):
        tokens.make(store, anna, "b", 30)


def test_tokens__are_told_in_the_audit_log(store: Store, anna: Person) -> None:
    tokens.make(store, anna, "notebook", 30)
    tokens.revoke(store, anna, store.tokens.of(anna.id)[0].id)
    told = [(one.name, one.action, one.thing) for one in store.people.events()]
    assert told == [
        ("Anna", "revoke token", "notebook"),
        ("Anna", "new token", "notebook"),
    ]
