"""Which ways to sign in there are, and where a server may listen."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from transfer.errors import ConfigError, NotAllowedError
from transfer.people import auth
from transfer.store.people import Role
from transfer.store.runs import Store


def claims(**other: Any) -> dict[str, Any]:
    now = int(time.time())
    said = {"iss": "https://id.example", "sub": "7", "iat": now, "exp": now + 60}
    address = {"email": "Ada@example.com", "email_verified": True}
    return {**said, **address, "name": "Ada", **other}


def test_mode__is_open_where_nothing_is_said(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRANSFER_AUTH", raising=False)
    assert auth.mode() is auth.Mode.OPEN


def test_setting__of_the_server_for_whoever_was_told_nothing(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker on another machine, and the command line in another shell."""
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    monkeypatch.setenv("TRANSFER_LIMITS", "running=1")
    auth.tell_settings()
    monkeypatch.delenv("TRANSFER_LIMITS")
    assert auth.setting("TRANSFER_LIMITS") == "running=1"
    monkeypatch.setenv("TRANSFER_AUTH", "oidc")
    assert auth.mode() is auth.Mode.OIDC, "what is said here goes before"
    monkeypatch.delenv("TRANSFER_AUTH")
    assert auth.mode() is auth.Mode.WORKSHOP
    auth.tell_settings()  # by a server that is started anew, for its owner alone
    assert auth.mode() is auth.Mode.OPEN and not auth.setting("TRANSFER_LIMITS")
    assert os.environ["TRANSFER_AUTH"] == "open", "whatever another server tells"


def test_check_address__a_server_that_was_told_nothing_is_open_whatever_others_are(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    auth.tell_settings()
    monkeypatch.delenv("TRANSFER_AUTH")
    with pytest.raises(ConfigError, match="TRANSFER_AUTH is open"):
        auth.check_address("0.0.0.0")  # noqa: S104


def test_mode__refuses_what_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "Workshop")
    with pytest.raises(ConfigError, match="open, workshop, oidc"):
        auth.mode()


def test_longest_session__is_what_the_server_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "oidc")
    assert auth.longest_session() == 12 * 3600
    monkeypatch.setenv("TRANSFER_SESSION_HOURS", "1.5")
    assert auth.longest_session() == 5400
    for named in ("a day", "0", "nan", "inf"):
        monkeypatch.setenv("TRANSFER_SESSION_HOURS", named)
        with pytest.raises(ConfigError, match="number of hours"):
            auth.longest_session()


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1"])
def test_check_address__this_machine_alone_needs_no_word(address: str) -> None:
    auth.check_address(address)


@pytest.mark.parametrize("address", ["", "0.0.0.0", "::", "192.168.1.5"])  # noqa: S104
def test_check_address__others_need_a_sign_in_or_a_second_word(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigError, match="TRANSFER_AUTH=workshop.*OPEN_TO_ALL=yes"):
        auth.check_address(address)
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    auth.check_address(address)
    monkeypatch.setenv("TRANSFER_AUTH", "open")
    monkeypatch.setenv("TRANSFER_OPEN_TO_ALL", "yes")
    auth.check_address(address)


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ({}, Role.ADMINISTRATOR),
        ({"email_verified": False}, Role.PARTICIPANT),
        ({"email_verified": None}, Role.PARTICIPANT),
        ({"email": "eve@example.com"}, Role.PARTICIPANT),
        ({"email": "eve@example.com", "groups": ["staff"]}, Role.ADMINISTRATOR),
        ({"email": "tom@example.com", "groups": ["Staff"]}, Role.INSTRUCTOR),
        ({"email": "group:staff"}, Role.PARTICIPANT),
        ({"email": "", "groups": "staff"}, Role.PARTICIPANT),
    ],
)
def test_role_of__by_address_or_group(
    said: Mapping[str, Any], role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_ADMINISTRATORS", "ada@example.com, group:staff,")
    monkeypatch.setenv("TRANSFER_INSTRUCTORS", "Tom@example.com")
    assert auth.role_of(claims(**said)) is role


def test_recognise__one_person_by_what_the_provider_calls_them(store: Store) -> None:
    first = auth.recognise(store, claims())
    again = auth.recognise(store, claims(name="Ada L."))
    other = auth.recognise(store, claims(iss="https://other.example"))
    assert again.id == first.id != other.id
    assert again.name == "Ada L."


def test_recognise__a_role_ends_with_the_setting(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_ADMINISTRATORS", "ada@example.com")
    assert auth.recognise(store, claims()).role is Role.ADMINISTRATOR
    monkeypatch.delenv("TRANSFER_ADMINISTRATORS")
    assert auth.recognise(store, claims()).role is Role.PARTICIPANT


def test_recognise__refuses_what_is_too_old_or_was_signed_out(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "oidc")
    said = claims()
    with pytest.raises(NotAllowedError, match="too old"):
        auth.recognise(store, {**said, "exp": time.time() - 1})
    with pytest.raises(NotAllowedError, match="too old"):
        auth.recognise(store, {**said, "iat": said["iat"] - 13 * 3600})
    person = auth.recognise(store, said)
    store.people.end_sessions(person.id, said["iat"])
    with pytest.raises(NotAllowedError, match="signed out"):
        auth.recognise(store, said)
    assert auth.recognise(store, {**said, "iat": said["iat"] + 1}).id == person.id
