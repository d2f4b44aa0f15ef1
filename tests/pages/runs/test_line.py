"""The line of all long work on the page Runs."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared import job_progress, session
from tests.transfer.runs.processes_made import FLOWERS
from transfer.people import sessions
from transfer.runs import places
from transfer.store.people import Role
from transfer.store.runs import Store


@pytest.fixture
def store(workspace: Path) -> Iterator[Store]:
    """The store that the page opens as well."""
    with closing(Store()) as opened:
        yield opened


def show() -> None:
    from pages.runs import line  # noqa: PLC0415  AppTest runs the text of it

    line._show_line()


def look(store: Store, monkeypatch: pytest.MonkeyPatch, role: Role) -> AppTest:
    """The line as somebody sees it who is no owner of what waits."""
    who = store.people.add(subject=role, name=role, role=role)
    assert who
    cookie = sessions.cookie_for(sessions.begin(store, who))
    monkeypatch.setattr(session, "cookie", lambda: cookie)
    at = AppTest.from_function(show, default_timeout=60).run()
    assert not at.exception
    return at


@pytest.fixture
def waiting(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of two runs of Anna that wait."""
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    st.cache_resource.clear()
    anna = store.people.add(subject="a", name="Anna", role=Role.PARTICIPANT)
    assert anna
    return [store.create(FLOWERS, name, anna.id).id for name in ("first", "second")]


def test_line__of_others_no_more_than_that_they_wait(
    store: Store, waiting: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = look(store, monkeypatch, Role.PARTICIPANT)
    said = [one.value for one in (*at.markdown, *at.caption)]
    assert said.count("**Run of somebody else**") == len(waiting)
    assert any("People take turns" in one for one in said)
    assert not any(word in " ".join(said) for word in ("first", "Anna"))
    assert not at.button


def test_line__instructors_stop_and_administrators_move(
    store: Store, waiting: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at = look(store, monkeypatch, Role.INSTRUCTOR)
    assert {one.label for one in at.button} == {"Stop"}
    at = look(store, monkeypatch, Role.ADMINISTRATOR)
    assert {one.label for one in at.button} == {"Stop", "Front", "Up", "Down"}
    at.button(f"front-{waiting[1]}").click().run()
    assert [*places.places(store)] == waiting[::-1]
    at.button(f"line-stop-{waiting[1]}").click().run()
    assert store.get(waiting[1]).status == "stopped"


def test_line__is_read_once_for_all_who_look_and_anew_once_it_was_moved(
    store: Store, waiting: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_progress, "_OF_LINE", 600.0)
    read, asked = places.places, list[int]()

    def counted(whole: Store) -> dict[str, places.Place]:
        asked.append(1)
        return read(whole)

    monkeypatch.setattr(job_progress.places, "places", counted)
    look(store, monkeypatch, Role.PARTICIPANT)
    at = look(store, monkeypatch, Role.ADMINISTRATOR)
    assert len(asked) == 1
    at.button(f"front-{waiting[1]}").click().run()
    order = [one.key for one in at.button if (one.key or "").startswith("front-")]
    assert order == [f"front-{one}" for one in waiting[::-1]]
