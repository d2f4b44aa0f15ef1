"""The page Programs: lines to paste, tokens to make and to revoke."""

from pathlib import Path

import pytest
import streamlit as st

from pages.shared import session
from tests.pages.opened import opened
from tests.pages.test_export import finished_run
from transfer.people import sessions, tokens
from transfer.store.people import Person
from transfer.store.runs import Store


@pytest.fixture(autouse=True)
def fresh(workspace: Path) -> None:
    """A store of this test's own workspace."""
    st.cache_resource.clear()


@pytest.fixture
def anna(monkeypatch: pytest.MonkeyPatch) -> Person:
    """Somebody who has signed in and looks at the page."""
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    person = Store().people.add(subject="name:anna", name="Anna", role="administrator")
    assert person
    cookie = sessions.cookie_for(sessions.begin(Store(), person))
    monkeypatch.setattr(session, "cookie", lambda: cookie)
    return person


def test_programs__has_lines_for_the_run_and_needs_no_token_here(
    tmp_path: Path,
) -> None:
    run = finished_run(tmp_path)
    at = opened("9_programs.py", run=run.id)
    told = [one.value for one in at.code]
    assert len(told) == 3
    assert all(f"/api/predict/{run.id}?" in one for one in told)
    assert not any("TOKEN" in one for one in told)
    assert any("None is needed" in one.value for one in at.caption)
    assert {"New token"}.isdisjoint(one.label for one in at.button)


def test_programs__says_what_is_missing_towards_a_model() -> None:
    at = opened("9_programs.py")
    assert "Once a run has ended" in at.info[0].value
    assert not at.exception


def test_tokens__one_is_made_shown_once_used_and_revoked(
    anna: Person, tmp_path: Path
) -> None:
    finished_run(tmp_path)
    at = opened("9_programs.py")
    at.text_input[0].set_value("notebook")
    at.checkbox[0].set_value(True)
    next(one for one in at.button if one.label == "Make it").click().run()
    made = next(one.value for one in at.code if one.value.startswith("transfer_"))
    assert tokens.find(Store(), made) == (anna, True)
    assert any(one.value == f"export TRANSFER_TOKEN='{made}'" for one in at.code)
    assert made not in [one.value for one in opened("9_programs.py").code]
    next(one for one in at.button if one.label == "Revoke it").click().run()
    assert not Store().tokens.of(anna.id)
    assert not any("transfer_" in one.value for one in at.code)


def test_tokens__an_administrator_sees_and_ends_those_of_others(anna: Person) -> None:
    bob = Store().people.add(subject="name:bob", name="Bob", role="participant")
    assert bob
    tokens.make(Store(), bob, "robot", 30)
    at = opened("9_programs.py")
    table = next(one.value for one in at.dataframe if "Who" in one.value)
    assert table[["Who", "Name"]].to_numpy().tolist() == [["Bob", "robot"]]
    next(one for one in at.button if one.label == "Revoke it").click().run()
    assert not Store().tokens.of(bob.id)
    assert any("Nobody else has one" in one.value for one in at.caption)
    Store().people.change(anna.id, role="instructor")
    headers = [one.value for one in opened("9_programs.py").header]
    assert "Tokens of others" not in headers


def test_tokens__a_name_is_asked_for(anna: Person) -> None:
    at = opened("9_programs.py")
    next(one for one in at.button if one.label == "Make it").click().run()
    assert "A name of 1 to 60" in at.error[0].value
