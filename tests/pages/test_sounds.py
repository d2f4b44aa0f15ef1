"""Datasets and runs of sounds on the pages: heard, and never told of as pictures."""

from pathlib import Path

import pytest
import streamlit as st

from tests.pages.opened import opened
from tests.sounds_made import encode, make_sounds, tone
from transfer import workspace as folders
from transfer.config import TrainConfig
from transfer.datasets.ingest.sounds import import_sounds
from transfer.datasets.revision import Revision
from transfer.datasets.sounds.segments import Segment
from transfer.prediction.client import InferenceProcess
from transfer.prediction.recordings import Heard
from transfer.store.runs import Store
from transfer.store.status import JobStatus


@pytest.fixture(autouse=True)
def fresh(workspace: Path) -> None:
    """A store and an inference process of this test's own workspace."""
    st.cache_resource.clear()


@pytest.fixture
def notes(workspace: Path, tmp_path: Path) -> Revision:
    """A dataset of sounds."""
    return import_sounds(make_sounds(tmp_path / "n", {"low": 4, "high": 4}), "notes")


def test_data__a_recording_has_a_spectrogram_and_a_player(notes: Revision) -> None:
    page = opened("1_data.py", dataset="notes")
    assert not page.exception
    shown = "".join(one.proto.body for one in page.get("html"))
    assert shown.count("<audio controls") == shown.count("<img") == 8
    assert any("8 recordings" in one.value for one in page.caption)
    folds = [one.label for one in page.expander]
    assert "Add recordings" in folds and "Add images" not in folds
    assert not any("without labels" in one for one in folds)


def test_predict__a_recording_has_a_timeline_and_a_table(
    notes: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard(
        ranking=[("low", 0.6), ("high", 0.4)],
        class_names=("high", "low"),
        segments=(Segment(0.0, 2.0, 1, 0.9), Segment(2.0, 3.0, 0, 0.8)),
    )
    monkeypatch.setattr(InferenceProcess, "start", lambda self: None)
    monkeypatch.setattr(InferenceProcess, "warm", lambda self, run: None)
    monkeypatch.setattr(InferenceProcess, "hear", lambda self, run, sound: heard)
    store = Store()
    config = TrainConfig(dataset="notes", revision=notes.id)
    run = store.create(config, "mine")
    store.claim_next("here", {("run",): 9})
    store.begin(run.id)
    result = {"class_names": ["high", "low"], "sound": notes.sound, "val_accuracy": 1}
    store.finish(run.id, JobStatus.COMPLETED, result)
    (folders.folder("runs", run.id) / "model.keras").write_bytes(b"")
    page = opened("5_predict.py", run=run.id)
    assert not page.exception
    page.file_uploader[0].set_value([("long.wav", encode(tone(300, 3.0)), "audio/wav")])
    page.run()
    assert not page.exception
    shown = "".join(one.proto.body for one in page.get("html"))
    assert 'aria-label="What is heard when"' in shown
    assert "0.0 to 2.0 s: low 90%" in shown
    assert page.download_button[0].label == "Table of segments (CSV)"
