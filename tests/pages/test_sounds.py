"""Datasets and runs of sounds on the pages: heard, and never told of as pictures."""

import re
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.data import recording
from pages.shared import microphone
from tests import jobs_made
from tests.pages.opened import opened
from tests.sounds_made import encode, make_sounds, tone
from transfer import workspace as folders
from transfer.config import TrainConfig
from transfer.datasets import away, library
from transfer.datasets.ingest.sounds import import_sounds
from transfer.datasets.revision import Revision
from transfer.datasets.sounds.segments import Segment
from transfer.datasets.sounds.windows import Cutting
from transfer.errors import SoundError
from transfer.prediction.client import InferenceProcess
from transfer.prediction.recordings import Heard
from transfer.store.record import Run
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
    assert shown.count("<audio controls") == shown.count("<img") == 9
    assert any("8 recordings" in one.value for one in page.caption)
    folds = [one.label for one in page.expander]
    assert "Add recordings" in folds and "Add images" not in folds
    assert not any("without labels" in one for one in folds)


def test_data__the_first_visit_speaks_of_what_is_brought(workspace: Path) -> None:
    page = opened("1_data.py")
    page.segmented_control(key="import-kind").set_value("sounds").run()
    assert "Put your recordings into one folder per class" in page.info[0].value
    found = words_of(page).lower()
    assert "recordings at hand" in found and "photograph" not in found
    next(one for one in page.button if one.key == "signals-empty").click().run()
    assert "--kind=sounds" in jobs_made.asked_for("import", "signals")


def test_data__long_recordings_are_cut_in_pieces_that_overlap(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_sounds(tmp_path / "birds", {"wren": 2, "crow": 2}, seconds=3.0)
    monkeypatch.setenv("TRANSFER_ROOTS", str(tmp_path))
    page = opened("1_data.py")
    page.segmented_control(key="import-kind").set_value("sounds").run()
    page.text_input(key="server-path-0").set_value(str(tmp_path / "birds")).run()
    page.number_input(key="window-server").set_value(1.0)
    page.slider(key="overlap-server").set_value(0.5)
    [one for one in page.button if one.label == "Import"][1].click().run()
    assert not page.exception
    assert jobs_made.carry_out("import", "birds") == 0
    made = library.load("birds")
    assert made.cutting == (1.0, 0.5) and len(made.images) == 4 * 5


@pytest.mark.parametrize("cuts", [True, False])
def test_data__a_recording_is_cut_where_it_is_wanted(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuts: bool
) -> None:
    folder = make_sounds(tmp_path / "n", {"low": 2, "high": 2}, seconds=2.0)
    import_sounds(folder, "notes", cutting=Cutting(1.0))
    taken = encode(tone(300, 3.0))
    monkeypatch.setattr(microphone, "record", lambda *_: taken)
    page = opened("1_data.py", dataset="notes")
    page.selectbox(key="add-class-notes").set_value("low").run()
    page.toggle(key="cut-recorded-notes-0").set_value(cuts).run()
    page.button(key="add-recorded-notes-0").click().run()
    assert not page.exception
    assert jobs_made.carry_out("add", "notes") == 0
    after = library.load("notes")
    assert len(after.images) == 4 * 2 + (3 if cuts else 1)
    assert after.cutting == (1.0, 0.0)


@pytest.fixture
def run(notes: Revision, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that learnt from the sounds; nothing waits for a process."""
    monkeypatch.setattr(InferenceProcess, "start", lambda self: None)
    monkeypatch.setattr(InferenceProcess, "warm", lambda self, run: None)
    knows = lambda self, run: True  # noqa: E731
    monkeypatch.setattr(InferenceProcess, "knows_training_images", knows)
    monkeypatch.setattr(InferenceProcess, "nearest", lambda self, *asked: [])
    monkeypatch.setattr(away, "encode_thumbnail", lambda *how: b"picture")
    store = Store()
    config = TrainConfig(dataset="notes", revision=notes.id)
    run = store.create(config, "mine")
    store.claim_next("here", {("run",): 9})
    store.begin(run.id)
    result = {"class_names": ["high", "low"], "sound": notes.sound, "val_accuracy": 1}
    store.finish(run.id, JobStatus.COMPLETED, result)
    (folders.folder("runs", run.id) / "model.keras").write_bytes(b"")
    return store.get(run.id)


def words_of(page: AppTest) -> str:
    """Everything that a page says, in one text."""
    shown = [*page.caption, *page.markdown, *page.info, *page.warning, *page.error]
    shown += [*page.header, *page.button, *page.selectbox, *page.metric]
    said = [str(getattr(one, "label", "") or one.value) for one in shown]
    return " ".join([*said, *(one.label for one in page.expander)])


def test_predict__a_recording_has_a_timeline_and_a_table(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard(
        ranking=[("low", 0.6), ("high", 0.4)],
        class_names=("high", "low"),
        segments=(Segment(0.0, 2.0, 1, 0.9), Segment(2.0, 3.0, 0, 0.8)),
    )
    monkeypatch.setattr(InferenceProcess, "hear", lambda self, run, sound: heard)
    page = opened("5_predict.py", run=run.id)
    assert not page.exception
    page.file_uploader[0].set_value([("long.wav", encode(tone(300, 3.0)), "audio/wav")])
    page.run()
    assert not page.exception
    shown = "".join(one.proto.body for one in page.get("html"))
    assert 'aria-label="What is heard when"' in shown
    assert "0.0 to 2.0 s: low 90%" in shown
    assert ">3 s<" in shown  # the axis has all of it
    assert page.download_button[0].label == "Segments (CSV)"


def test_predict__a_recording_that_cannot_be_read_is_asked_about_once(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def hear(self: InferenceProcess, run: str, sound: bytes) -> Heard:
        asked.append(sound)
        raise SoundError("It is damaged.")

    monkeypatch.setattr(InferenceProcess, "hear", hear)
    page = opened("5_predict.py", run=run.id)
    page.file_uploader[0].set_value([("odd.wav", b"RIFF", "audio/wav")]).run()
    page.run()
    assert len(asked) == 1
    assert ["It is damaged" in one.value for one in page.error] == [True]
    assert not page.download_button


@pytest.mark.parametrize(
    "script",
    ["1_data.py", "2_model.py", "3_runs.py", "4_evaluate.py", "5_predict.py"]
    + ["6_export.py", "9_programs.py"],
)
def test_pages__a_dataset_of_sounds_is_never_told_of_as_pictures(
    run: Run, script: str
) -> None:
    page = opened(script, dataset="notes", run=run.id)
    if script == "1_data.py":  # which begins with the import of images
        for fold in ("import-fold", "revisions-of-notes", "take-away-notes"):
            page.session_state[fold] = True
        page.run()
        page.segmented_control(key="import-kind").set_value("sounds").run()
    assert not page.exception
    found = re.findall(
        r"(?i).{0,40}\b(?:image|picture|pixel)s?\b.{0,20}", words_of(page)
    )
    assert found == []


def test_predict__another_run_to_compare_with_learnt_from_sounds_too(run: Run) -> None:
    store = Store()
    other = store.create(TrainConfig(dataset="pets"), "of pictures")
    store.claim_next("here", {("run",): 9})
    store.begin(other.id)
    store.finish(other.id, JobStatus.COMPLETED, {"class_names": ["cat", "dog"]})
    page = opened("5_predict.py", run=run.id)
    assert not page.exception
    assert page.selectbox(key="other-run").disabled


def test_predict__after_something_was_recorded_into_a_class(run: Run) -> None:
    page = opened("5_predict.py", run=run.id)
    page.session_state[recording._LAST] = 1
    page.run()
    assert not page.exception
