"""What the page Runs shows of a run while it learns."""

from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.runs import watched
from pages.shared import addresses
from tests.pages.opened import opened
from tests.pictures import make_pictures
from transfer import workspace as folders
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.store.watched import Watch, Watched
from transfer.upkeep import trash


@pytest.fixture
def run(workspace: Path, tmp_path: Path) -> Run:
    """A run that goes on, with answers on val after one epoch."""
    st.cache_resource.clear()
    make_pictures(tmp_path / "pets", {"cat": 8, "dog": 8})
    revision = importer.import_path(tmp_path / "pets", "pets", val=0.25)
    store = Store()
    store.create(TrainConfig(dataset="pets", revision=revision.id))
    made = store.claim_next("here", {("run",): 9})
    assert made
    store.begin(made.id)
    folders.folder("runs", made.id)
    labels = np.array([one.label for one in revision.of_split("val")], np.int32)
    watch = Watch(made.id)
    for epoch in (0, 1):
        watch.answers("head", epoch, labels, np.eye(2, dtype=np.float32)[labels])
    watch.changes({"stem": 0.0, "block_1": 0.0, "top": 0.012})
    watch.write()
    return made


FOLDS = ["Images that are followed", "Confusion on val", "What moves in the backbone"]


def open_folds(run: Run) -> AppTest:
    """The page of this run with all folds open."""
    at = opened("3_runs.py", run=run.id)
    assert [one.label for one in at.expander][:3] == FOLDS
    assert not any("blocks are exactly" in one.value for one in at.caption)
    for label in FOLDS:
        at.session_state[f"{label}-{run.id}"] = True
    return at.run()


def test_watched__images_confusion_and_blocks(run: Run) -> None:
    at = open_folds(run)
    assert not at.exception
    said = [one.value for one in at.caption]
    assert any("2 of 3 blocks are exactly as they were" in one for one in said)
    cards = [one.proto.body for one in at.get("html") if "<figure" in one.proto.body]
    assert len(cards) == 1 and cards[0].count("/api/image/") == 4
    assert "is cat" in cards[0] and "is dog" in cards[0]


def test_watched__stays_when_the_dataset_is_deleted(run: Run) -> None:
    result = {"class_names": ["cat", "dog"]}
    Store().finish(run.id, JobStatus.COMPLETED, result)
    trash.put_dataset(Store(), "pets")
    at = open_folds(run)
    assert any("is cat" in one.proto.body for one in at.get("html"))


def test_watched__what_is_new_arrives_with_the_next_tick(run: Run) -> None:
    at = open_folds(run)
    watch = Watch(run.id)
    watch.changes({"stem": 0.0, "block_1": 0.3, "top": 0.012})
    watch.write()
    at.run()
    said = [one.value for one in at.caption]
    assert any("1 of 3 blocks are exactly as they were" in one for one in said)


def test_now__pictures_are_signed_for_whoever_looks(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards = []
    for who in ("ada", "bob", "ada"):
        monkeypatch.setattr(addresses, "visitor", lambda who=who: who)
        cards.append(watched._now(run).cards)
    # Who gets somebody else's addresses is refused the pictures.
    assert cards[0] == cards[2] != cards[1]


def test_pinned__names_are_escaped_and_wrong_answers_marked() -> None:
    answers = [[1, 0.75, 0.25]]
    states = [{"phase": "head", "epoch": 1, "answers": answers}]
    seen = Watched(phase="head", epoch=1, pinned=[0], states=states)
    shown = watched.cards_of(seen, ["<b>a</b>", "b&c"], [("/picture", 0)])
    assert "&lt;b&gt;a" in shown and "b&amp;c 75%" in shown
    assert "✗" in shown and "✓" not in shown
