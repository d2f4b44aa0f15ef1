"""What somebody has of what they may, on pages and where files come."""

from pathlib import Path

import pytest
import streamlit as st
from starlette.requests import Request

from pages.shared import room
from pages.shared.visits import Visit
from transfer.datasets.ingest import uploads
from transfer.errors import LimitError
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
