"""The page Export: empty, before, during and after an export."""

import json
import os
from pathlib import Path
from typing import Any

import psutil
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pictures import make_pictures
from transfer.config import TrainConfig
from transfer.datasets import ingest
from transfer.errors import NotFoundError
from transfer.export import launch
from transfer.runs.record import Run
from transfer.runs.status import RunStatus
from transfer.runs.store import Store

ROUTER = Path(__file__).parents[2] / "pages" / "shared" / "router.py"
PARITY: dict[str, Any] = {
    "images": 200,
    "split": "val",
    "largest_difference": 2.5e-7,
    "agreement": 1.0,
    "tolerance": 1e-4,
    "agrees": True,
    "bytes": 1_500_000,
    "milliseconds_per_image": 3.25,
    "differing": [],
}


@pytest.fixture(autouse=True)
def fresh(workspace: Path) -> None:
    """A store of this test's own workspace."""
    st.cache_resource.clear()


def finished_run(tmp_path: Path) -> Run:
    """A completed run with a result, as the worker leaves it."""
    make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4})
    revision = ingest.import_path(tmp_path / "pets", "pets", val=0.5)
    store = Store()
    run = store.create(TrainConfig(dataset="pets", revision=revision.id), "my pets")
    store.claim_next(9, "here")
    store.begin(run.id)
    result = {"val_accuracy": 0.9, "class_names": ["cat", "dog"]}
    return store.finish(run.id, RunStatus.COMPLETED, result)


def left(workspace: Path, run: Run, answer: Any, log: str = "", pid: int = 0) -> None:
    """The files of an export in Keras' format, as its process leaves them."""
    folder = workspace / "runs" / run.id / "exports" / "keras-none"
    folder.mkdir(parents=True)
    started = psutil.Process(pid).create_time() if pid else 0.0
    noted = {"pid": pid or 2**30, "started_at": started}
    (folder / "process.json").write_text(json.dumps(noted))
    (folder / "answer.json").write_text(json.dumps(answer) if answer else "")
    (folder / "log.txt").write_text(log)
    if answer and "parity" in answer:
        launch.archive_path(folder).write_bytes(b"zip")


def open_page(run: str = "") -> AppTest:
    """The page Export after its first run."""
    at = AppTest.from_file(str(ROUTER), default_timeout=20)
    at.run()
    if run:
        at.query_params["run"] = run
    return at.switch_page("../6_export.py").run()


def test_export__no_model_says_what_to_do() -> None:
    at = open_page()
    assert not at.exception
    assert "No model yet" in at.info[0].value


def test_export__button_starts_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finished_run(tmp_path)
    started: list[tuple[str, str, str]] = []
    monkeypatch.setattr(launch, "start", lambda *args: started.append(args))
    at = open_page(run.id)
    assert not at.exception
    at.button(key="export").click().run()
    assert started == [(run.id, "keras", "none")]


def test_export__progress_is_there_after_a_reload(
    workspace: Path, tmp_path: Path
) -> None:
    run = finished_run(tmp_path)
    left(workspace, run, None, "loading Keras\nwriting Keras\n", os.getpid())
    at = open_page(run.id)
    assert not at.exception
    assert "writing Keras" in at.info[0].value
    assert "export" not in [one.key for one in at.button]


def test_export__certificate_comes_with_the_download(
    workspace: Path, tmp_path: Path
) -> None:
    run = finished_run(tmp_path)
    left(workspace, run, {"parity": PARITY})
    at = open_page(run.id)
    assert not at.exception
    assert "answers as the app does" in at.success[0].value
    shown = at.table[0].value.to_string()
    assert "200 val images" in shown and "100.0%" in shown and "2.5e-07" in shown
    assert "1.50 MB" in shown and "3.2 ms" in shown


def test_export__short_numbers_are_not_said_to_answer_alike(
    workspace: Path, tmp_path: Path
) -> None:
    run = finished_run(tmp_path)
    left(workspace, run, {"parity": {**PARITY, "tolerance": None, "agreement": 0.99}})
    said = open_page(run.id).success[0].value
    assert "99.0% of the first guesses" in said and "answers as" not in said


def test_export__disagreement_is_shown(workspace: Path, tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    differing = [{"file": "a.jpg", "app": "cat", "exported": "dog"}]
    changed = {"agrees": False, "agreement": 0.5, "differing": differing}
    left(workspace, run, {"parity": {**PARITY, **changed}})
    at = open_page(run.id)
    assert "does not answer as the app does" in at.error[0].value
    assert at.dataframe[0].value["exported"].tolist() == ["dog"]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"error": {"message": "The dataset is gone.", "hint": ""}}, "dataset is gone"),
        (None, "ended before it was done"),
    ],
)
def test_export__failure_is_explained(
    workspace: Path, tmp_path: Path, answer: Any, says: str
) -> None:
    run = finished_run(tmp_path)
    left(workspace, run, answer)
    at = open_page(run.id)
    assert not at.exception
    assert says in at.error[0].value
    assert at.button(key="export").label == "Export again"


def test_export__code_is_shown(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    at = open_page(run.id)
    at.toggle(key="code").set_value(True).run()
    assert not at.exception
    assert "keras.applications" in at.code[0].value


def test_archive__only_finished_exports_of_a_run(
    workspace: Path, tmp_path: Path
) -> None:
    run = finished_run(tmp_path)
    left(workspace, run, {"parity": PARITY})
    assert launch.archive(f"{run.id}-keras-none").read_bytes() == b"zip"
    for wrong in (f"{run.id}-onnx-none", f"{run.id}-..-none", "../etc-a-b"):
        with pytest.raises(NotFoundError):
            launch.archive(wrong)
