"""The fold of revisions: two that are compared lead to what tells them apart."""

from pathlib import Path
from urllib.parse import parse_qs

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.opened import opened
from tests.pictures import make_pictures
from transfer.datasets import chosen, classes, editing
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision


@pytest.fixture
def pets(workspace: Path, tmp_path: Path) -> Revision:
    """A dataset of two classes."""
    st.cache_resource.clear()
    folder = make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4})
    return importer.import_path(folder, "pets")


def _compare(newest: Revision, rows: list[int]) -> AppTest:
    """The page with two rows of the list chosen."""
    page = opened("1_data.py", dataset="pets")
    page.session_state["revisions-of-pets"] = True
    page.session_state[f"revisions-{newest.id}"] = {
        "selection": {"rows": rows, "columns": [], "cells": []}
    }
    page.run()
    assert not page.exception
    return page


def test_show__what_tells_two_revisions_apart_can_be_seen(pets: Revision) -> None:
    cat, other, *_ = [one.sha256 for one in pets.images]
    editing.move("pets", [cat], "dog")
    newest = editing.leave_out("pets", [other], "Blurred")
    links = {
        one.proto.label: parse_qs(one.proto.query_string)
        for one in _compare(newest, [0, 2]).get("page_link")
    }
    moved, out = links["1 from cat to dog"], links["1 left out"]
    assert moved["revision"] == [newest.id] and chosen.load(*moved["chosen"]) == [cat]
    # What is left out is seen where it was not yet.
    assert out["revision"] == [pets.id] and chosen.load(*out["chosen"]) == [other]


def test_show__a_class_that_came_is_named(pets: Revision) -> None:
    page = _compare(classes.add("pets", "wolf"), [0, 1])
    assert any("- New classes: wolf" in one.value for one in page.markdown)
