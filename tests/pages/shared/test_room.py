"""What somebody has of what they may, on pages and where files come."""

from contextlib import closing
from pathlib import Path

import pytest
import streamlit as st
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from pages.shared import room, session
from pages.shared.visits import Visit
from tests.patience import PATIENCE
from transfer.config import TrainConfig
from transfer.datasets.ingest import uploads
from transfer.errors import LimitError
from transfer.people import sessions
from transfer.store.people import Role
from transfer.store.runs import Store


def brings(size: int) -> Request:
    """A request with a body of so many bytes."""
    headers = [(b"content-length", str(size).encode())]
    return Request({"type": "http", "headers": headers})


def test_check_upload__refuses_what_is_more_than_the_disk_that_one_may_have(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    monkeypatch.setenv("TRANSFER_LIMITS", "disk=0.001")
    st.cache_resource.clear()
    store = Store()
    anna = store.people.add(subject="a", name="Anna", role=Role.PARTICIPANT)
    assert anna
    uploads.start(anna.id)
    visit = Visit("signed", anna.id)
    room.check_upload(visit, brings(500_000))
    with pytest.raises(LimitError, match="0.0 of 0.001 GB, and 2 MB more"):
        room.check_upload(visit, brings(2_000_000))
    monkeypatch.setenv("TRANSFER_AUTH", "open")
    room.check_upload(visit, brings(2_000_000))
    store.close()


def show() -> None:
    from pages.shared import room  # noqa: PLC0415  AppTest runs the text of it

    room.show("queued", "hours", "disk")


def test_show__figures_before_they_hurt_and_louder_near_the_limit(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    monkeypatch.setenv("TRANSFER_LIMITS", "queued=10 hours=8 disk=none")
    monkeypatch.setattr(room, "_FRESH", 0.0)
    st.cache_resource.clear()
    with closing(Store()) as store:
        anna = store.people.add(subject="a", name="Anna", role=Role.PARTICIPANT)
        assert anna
        cookie = sessions.cookie_for(sessions.begin(store, anna))
        monkeypatch.setattr(session, "cookie", lambda: cookie)
        at = AppTest.from_function(show, default_timeout=PATIENCE).run()
        (said,) = at.caption
        assert "You use 0 of 10 jobs queued, 0\\.0 of 8 hours" in said.value
        assert "GB" not in said.value, "of what has no limit nothing is told"
        for _ in range(9):
            store.create(TrainConfig(dataset="pets"), owner=anna.id)
        (warned,) = at.run().warning
        assert "9 of 10 jobs queued" in warned.value
        assert "cancel one of them" in warned.value
        ada = store.people.add(subject="b", name="Ada", role=Role.ADMINISTRATOR)
        assert ada
        cookie = sessions.cookie_for(sessions.begin(store, ada))
        at = AppTest.from_function(show, default_timeout=PATIENCE).run()
        assert not at.caption and not at.warning
