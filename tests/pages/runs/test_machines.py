"""The machines on the page Runs, where there are several."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared import session
from tests.transfer.runs.test_clustered import BIG, SMALL
from transfer.people import sessions
from transfer.runs import machines
from transfer.store.people import Role
from transfer.store.runs import Store


@pytest.fixture
def store(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store of a server that hands jobs to two nodes."""
    monkeypatch.setenv("TRANSFER_ENGINE", "ray")
    st.cache_resource.clear()  # the store of another test's workspace
    with closing(Store()) as opened:
        machines.announce(opened, [replace(SMALL, gpus=1.0), BIG])
        yield opened


def show() -> None:
    from pages.runs import machines  # noqa: PLC0415  AppTest runs the text of it

    machines.show()


def test_machines__each_with_what_it_has(store: Store) -> None:
    at = AppTest.from_function(show, default_timeout=60).run()
    assert not at.exception
    (table,) = at.dataframe
    assert list(table.value["Machine"]) == [SMALL.name, BIG.name]
    assert list(table.value["GPUs"]) == [1, 0]
    assert "done by one machine" in at.caption[0].value


def test_machines__are_for_those_who_see_to_the_queue(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    st.cache_resource.clear()
    who = store.people.add(subject="a", name="Anna", role=Role.PARTICIPANT)
    assert who
    cookie = sessions.cookie_for(sessions.begin(store, who))
    monkeypatch.setattr(session, "cookie", lambda: cookie)
    at = AppTest.from_function(show, default_timeout=60).run()
    assert not at.exception and not at.dataframe


def test_machines__one_alone_is_not_listed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRANSFER_ENGINE")
    at = AppTest.from_function(show, default_timeout=60).run()
    assert not at.exception and not at.dataframe
