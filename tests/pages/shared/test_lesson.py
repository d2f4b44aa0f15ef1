"""The first lesson as a strip above the pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.opened import opened
from tests.pictures import make_pictures
from transfer.classroom import first_lesson
from transfer.classroom.lesson_steps import STEPS
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.store.runs import Store
from transfer.store.status import JobStatus

place = first_lesson.place


@pytest.fixture(autouse=True)
def with_lesson(
    workspace: Path, without_lesson: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    st.cache_resource.clear()
    monkeypatch.setattr(first_lesson, "place", place)
    yield
    st.cache_resource.clear()


def strip(at: AppTest) -> str:
    """What the strip says, if it is there."""
    assert not at.exception
    said = [one.value for one in at.markdown if one.value.startswith(":material/sch")]
    return said[0] if said else ""


def press(at: AppTest, label: str) -> None:
    next(one for one in at.button if one.label == label).click().run()


@pytest.mark.parametrize("page", ["1_data.py", "2_model.py", "3_runs.py"])
def test_show__begins_with_a_sample(page: str) -> None:
    at = opened(page)
    assert "1 of 4 · An answer at once" in strip(at)
    assert at.get("page_link")[0].proto.label == "Bring a sample"


def test_show__not_where_nobody_learns() -> None:
    assert not strip(opened("7_weights.py"))


def test_show__leads_to_the_next_step_and_to_what_was_done(tmp_path: Path) -> None:
    folder = make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4})
    importer.import_path(folder, "pets", val=0.25)
    store = Store()
    run = store.create(TrainConfig(dataset="pets", method="instant"))
    store.claim_next("here", {("run",): 9})
    store.finish(run.id, JobStatus.COMPLETED, {})
    store.close()
    at = opened("1_data.py")
    assert "2 of 4" in strip(at)
    links = {one.proto.label: one.proto.query_string for one in at.get("page_link")[:2]}
    assert links == {
        "Set up that run": "dataset=pets&weights=imagenet&freeze=all",
        "See its answers": f"run={run.id}",
    }


def test_show__is_skipped_put_away_and_taken_up_again() -> None:
    at = opened("1_data.py")
    press(at, "Skip this step")
    assert "2 of 4" in strip(at)
    press(at, "Put the lesson away")
    assert not strip(at)
    press(at, "Take up the first lesson")
    assert "1 of 4" in strip(at)


def test_show__ends_once_all_is_behind_somebody() -> None:
    store = Store()
    for step in STEPS:
        store.lesson.note_step("", step.name, "done")
    store.close()
    assert "is behind you" in strip(opened("1_data.py"))
