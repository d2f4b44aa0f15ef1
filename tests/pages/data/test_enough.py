"""The fold "Is it enough?" of the page Data."""

from pathlib import Path

import pytest
import streamlit as st

from tests import jobs_made
from tests.pages.opened import opened
from tests.pictures import make_pictures
from tests.transfer.advice.test_enough import growth
from transfer.advice import enough
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.store.runs import Store


@pytest.fixture
def pets(workspace: Path, tmp_path: Path) -> Revision:
    """A dataset of two classes."""
    st.cache_resource.clear()
    make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4})
    return importer.import_path(tmp_path / "pets", "pets")


def test_show__the_curve_is_asked_for(pets: Revision) -> None:
    page = opened("1_data.py")
    page.button(key="ask-enough").click().run()
    request = enough.request(pets)
    assert jobs_made.asked_for(request.kind, request.subject) == list(request.words)
    assert not [one for one in page.button if one.key == "ask-enough"]


def test_show__pictures_are_seen_as_the_last_run_saw_them(pets: Revision) -> None:
    store = Store()
    for resizing in ("crop", "fit"):
        store.create(TrainConfig(dataset="pets", resizing=resizing), "")
    store.create(TrainConfig(dataset="others"), "")
    page = opened("1_data.py")
    for key, kind in (("ask-enough", "enough"), ("ask-doctor", "doctor")):
        page.button(key=key).click().run()
        assert "--resizing=fit" in jobs_made.asked_for(kind, pets.id)


def test_show__what_twice_as_many_bring_and_to_whom(pets: Revision) -> None:
    enough.keep(pets, growth())
    page = opened("1_data.py")
    assert not page.exception
    fold = next(one for one in page.expander if one.label == "Is it enough?")
    said = " ".join(one.value for one in (*fold.markdown, *fold.caption))
    said = said.replace("\\", "")  # signs that keep Markdown from it
    assert "would bring 1.0 to 2.9 points" in said and "85.0% – 95.0%" in said
    (table,) = fold.dataframe
    assert list(table.value["Class"]) == ["dog", "cat"]
    assert list(table.value["Gain, points"]) == ["1.5 to 5.0", "0.0 to 1.5"]
