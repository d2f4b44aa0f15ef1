"""The page Export: empty, before, during and after an export."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared import run_choice
from tests import jobs_made
from tests.pages.opened import opened
from tests.pictures import make_pictures
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.errors import NotFoundError
from transfer.export import orders
from transfer.runs.requests import Request
from transfer.store import files
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus

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
    revision = importer.import_path(tmp_path / "pets", "pets", val=0.5)
    store = Store()
    run = store.create(TrainConfig(dataset="pets", revision=revision.id), "my pets")
    store.claim_next("here", {("run",): 9})
    store.begin(run.id)
    result = {"val_accuracy": 0.9, "class_names": ["cat", "dog"]}
    return store.finish(run.id, JobStatus.COMPLETED, result)


def request(run: Run) -> Request:
    """An export in Keras' format."""
    return orders.request(run, "keras", "none")


def exported(run: Run, **changes: Any) -> None:
    """What a finished export leaves."""
    folder = files.export(run.id, "keras", "none")
    folder.mkdir(parents=True)
    (folder / f"{orders.title(run, 'keras', 'none')}.zip").write_bytes(b"zip")
    jobs_made.ended(request(run), result={"parity": {**PARITY, **changes}})


def open_page(run: str = "") -> AppTest:
    """The page Export after its first run."""
    return opened("6_export.py", run=run)


def next_link(at: AppTest) -> tuple[str, str]:
    """The page to which the empty page leads, and what its address says besides."""
    link = at.get("page_link")[0].proto
    return link.page, link.query_string


def test_export__empty_leads_to_what_is_missing_next(tmp_path: Path) -> None:
    at = open_page()
    assert not at.exception
    assert "No model yet" in at.info[0].value
    assert next_link(at) == ("", "")
    folder = make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4})
    importer.import_path(folder, "pets", val=0.5)
    assert next_link(open_page()) == ("model", "dataset=pets")
    store = Store()
    run = store.create(TrainConfig(dataset="pets"))
    at = open_page()
    assert "goes on" in at.info[0].value
    assert next_link(at) == ("runs", f"run={run.id}")
    store.request_stop(run.id)
    at = open_page()
    assert "is stopped and left none" in at.info[0].value
    assert next_link(at) == ("runs", f"run={run.id}")


def test_choice__says_what_trains_and_the_dataset_where_there_are_several(
    tmp_path: Path,
) -> None:
    run = finished_run(tmp_path)
    said = f"my pets · val 90.0% · EfficientNet-Lite0 · head only · {run.id}"
    assert open_page(run.id).selectbox[0].options == [said]
    unnamed = replace(
        run, id="0123abcd", name="EfficientNet-Lite0 · head only", dataset="b"
    )
    said = "EfficientNet-Lite0 · head only · val 90.0% · b · 0123abcd"
    assert run_choice.labels([run, unnamed])["0123abcd"] == said


def test_export__button_asks_for_a_job(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    at = open_page(run.id)
    assert not at.exception
    at.button(key="export").click().run()
    words = jobs_made.asked_for("export", f"{run.id}-keras-none")
    assert words[:4] == ["export", run.id, "--format", "keras"]
    assert "Export: number 1 in the queue, starts at once" in at.caption[-1].value


def test_export__progress_is_there_after_a_reload(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    jobs_made.working(request(run), step=3, steps=6, says="writing Keras")
    at = open_page(run.id)
    assert not at.exception
    bar = at.get("progress")[0].proto
    assert "Step 3 of 6: writing Keras" in bar.text and bar.value == 42
    assert "export" not in [one.key for one in at.button]
    assert "Cancel" in [one.label for one in at.button]


def test_export__of_a_cancelled_one_nothing_is_kept(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    jobs_made.ended(request(run), JobStatus.STOPPED)
    at = open_page(run.id)
    assert "nothing of it is kept" in " ".join(one.value for one in at.caption)
    assert at.button(key="export").label == "Export"


def test_make_room__an_earlier_export_goes(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    exported(run)
    orders.make_room(run.id, "keras", "none")
    with pytest.raises(NotFoundError):
        orders.archive(f"{run.id}-keras-none")


def test_export__certificate_comes_with_the_download(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    exported(run)
    at = open_page(run.id)
    assert not at.exception
    assert "answers as the app does" in at.success[0].value
    shown = at.table[0].value.to_string()
    assert "200 val images" in shown and "100.0%" in shown and "2.5e-07" in shown
    assert "1.50 MB" in shown and "3.2 ms" in shown


def test_export__short_numbers_are_not_said_to_answer_alike(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    exported(run, tolerance=None, agreement=0.99)
    said = open_page(run.id).success[0].value
    assert "99.0% of the first guesses" in said and "answers as" not in said


def test_export__disagreement_is_shown(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    differing = [{"file": "a.jpg", "app": "cat", "exported": "dog"}]
    exported(run, agrees=False, agreement=0.5, differing=differing)
    at = open_page(run.id)
    assert "does not answer as the app does" in at.error[0].value
    assert at.dataframe[0].value["exported"].tolist() == ["dog"]


def test_export__failure_is_explained(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    error = {"kind": "StorageError", "message": "The disk is full.", "hint": ""}
    jobs_made.ended(request(run), JobStatus.FAILED, error=error)
    at = open_page(run.id)
    assert not at.exception
    assert "disk is full" in at.error[0].value
    assert at.button(key="export").label == "Export"


def test_export__code_is_shown(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    at = open_page(run.id)
    at.toggle(key="code").set_value(True).run()
    assert not at.exception
    assert "keras.applications" in at.code[0].value


def test_archive__only_finished_exports_of_a_run(tmp_path: Path) -> None:
    run = finished_run(tmp_path)
    exported(run)
    assert orders.archive(f"{run.id}-keras-none").read_bytes() == b"zip"
    for wrong in (f"{run.id}-onnx-none", f"{run.id}-..-none", "../etc-a-b"):
        with pytest.raises(NotFoundError):
            orders.archive(wrong)


def test_title__says_what_is_in_it(workspace: Path) -> None:
    config = TrainConfig(dataset="Gänse im Park " + "x" * 50, backbone="resnet50")
    run = Store().create(config)
    assert orders.title(run, "litert", "int8") == (
        f"Gänse-im-Park-{'x' * 26}-resnet50-litert-int8-{run.id}"
    )
