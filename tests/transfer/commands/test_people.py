"""`workshop`, `people` and `audit`."""

import json
from pathlib import Path
from typing import Any

import pytest

from transfer.__main__ import main
from transfer.people import codes, joining, sessions, tokens
from transfer.store.runs import Store


def said(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main([*words, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_workshop__tells_its_codes_until_there_are_new_ones(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = said(capsys, "workshop")
    assert first == said(capsys, "workshop")
    assert first["access_code"] == codes.workshop().access
    new = said(capsys, "workshop", "--new", "--days", "2")
    assert {*new.values()}.isdisjoint(first.values())
    assert said(capsys, "audit")["events"][0]["action"] == "new codes"


def test_people__are_listed_and_changed(
    workspace: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    store = Store()
    access = codes.workshop().access
    anna = joining.join(store, access, "Anna", "", "").person
    cookie = sessions.cookie_for(sessions.begin(store, anna))
    (listed,) = said(capsys, "people")["people"]
    assert (listed["person"], listed["role"]) == (anna.id, "participant")
    changed = said(capsys, "people", "anna", "--role", "administrator", "--new-code")
    assert changed["role"] == "administrator"
    assert joining.join(store, access, "Anna", changed["own_code"], "").person
    tokens.make(store, anna, "notebook", 30)
    (token,) = said(capsys, "people", "Anna")["tokens"]
    assert (token["name"], token["may"]) == ("notebook", "read")
    assert not said(capsys, "people", "Anna", "--revoke", token["token"])["tokens"]
    said(capsys, "people", anna.id, "--sign-out")
    assert sessions.find(store, cookie) is None
    assert main(["people", "nobody"]) == 2
    store.close()
