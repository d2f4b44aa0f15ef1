"""A workshop at whose pages somebody looks."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
import streamlit as st

from pages.shared import session
from transfer.people import sessions
from transfer.store.people import Person, Role
from transfer.store.runs import Store


@contextmanager
def looked_at(role: Role, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """The store of a workshop, while Tom looks at its pages."""
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    st.cache_resource.clear()
    with closing(session.whole_store()) as store:
        cookie = sessions.cookie_for(sessions.begin(store, join(store, "Tom", role)))
        monkeypatch.setattr(session, "cookie", lambda: cookie)
        # However slow the machine is: what is asked stands until the test ends.
        monkeypatch.setattr("transfer.people.looking._STANDS", 600.0)
        yield store
    st.cache_resource.clear()


def join(store: Store, name: str, role: Role = Role.PARTICIPANT) -> Person:
    """Somebody new of this name."""
    person = store.people.add(subject=f"name:{name}", name=name, role=role)
    assert person
    return person
