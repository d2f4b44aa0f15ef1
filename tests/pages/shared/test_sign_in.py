"""The page in place of every other one until somebody has signed in."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared import session
from tests.pages.opened import opened, unopened
from transfer.people import codes, sessions
from transfer.store.runs import Store

PAGES = sorted(one.name for one in (Path(__file__).parents[3] / "pages").glob("*.py"))


@pytest.fixture
def store(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store of a workshop that nobody has joined."""
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    st.cache_resource.clear()
    opened = Store()
    yield opened
    opened.close()


@pytest.mark.parametrize("page", PAGES)
def test_show__is_all_that_a_stranger_sees(page: str, store: Store) -> None:
    at = opened(page, run="abcdef01", dataset="flowers")
    assert [one.value for one in at.title] == ["Transfer Studio"]
    assert [one.label for one in at.button] == ["Join"]
    assert not at.exception


def test_show__lets_in_with_code_and_name(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = opened("3_runs.py")
    access, name, _ = at.text_input
    access.set_value(codes.workshop().access)
    name.set_value("Anna *")
    at.button[0].click().run()
    assert "Anna \\*" in at.success[0].value
    assert [one.label for one in at.button] == ["I have written it down"]
    at.button[0].click().run()
    (anna,) = store.people.all()
    cookie = sessions.cookie_for(sessions.begin(store, anna))
    monkeypatch.setattr(session, "cookie", lambda: cookie)
    at = opened("3_runs.py")
    assert [one.value for one in at.title] == ["Runs"]
    (out,) = [one for one in at.button if one.label == "Sign out"]
    out.click().run()
    assert [one.value for one in at.title] == ["Transfer Studio"]


def test_show__says_what_is_wrong(store: Store) -> None:
    at = opened("1_data.py")
    at.text_input[0].set_value("AAAA-AAAA")
    at.button[0].click().run()
    assert "not the access code" in at.error[0].value


def test_show_who__is_nothing_where_nobody_signs_in(workspace: Path) -> None:
    at = opened("3_runs.py")
    assert "Sign out" not in [one.label for one in at.button]


def oidc(**claims: Any) -> AppTest:
    """The page Runs to whom a provider has signed in; to nobody without claims."""
    at = unopened()
    at.user = {"is_logged_in": bool(claims), **claims}
    return at.switch_page("../3_runs.py").run()


def test_show__a_provider_signs_people_in(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "oidc")
    assert [one.label for one in oidc().button] == ["Sign in"]
    now = int(time.time())
    said = {"iss": "https://id.example", "sub": "7", "name": "Ada", "iat": now}
    at = oidc(**said, exp=now + 60)
    assert not at.exception and not at.error
    assert [one.name for one in store.people.all()] == ["Ada"]
    at = oidc(**said, exp=now - 60)
    assert "too old" in at.error[0].value
    assert [one.label for one in at.button] == ["Sign in again"]
