"""Every download of the pages Export and Model, as a browser gets it."""

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import jobs_made
from tests.end_to_end.conftest import settle
from tests.pictures import make_pictures
from transfer.advice import effort
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.export import catalogue, orders
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus

pytestmark = pytest.mark.browser

PARITY = {
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


def ended_run(tmp_path: Path) -> Run:
    """A completed run, as the worker leaves it."""
    make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4})
    revision = importer.import_path(tmp_path / "pets", "pets", val=0.5)
    config = TrainConfig(dataset="pets", revision=revision.id)
    store = Store()
    run = store.create(config, "my pets")
    store.claim_next("here", {("run",): 9})
    store.begin(run.id)
    result = {"val_accuracy": 0.9, "class_names": ["cat", "dog"]}
    ended = store.finish(run.id, JobStatus.COMPLETED, result)
    store.close()
    return ended


def left(workspace: Path, run: Run, name: str, quantize: str) -> None:
    """The files of an export as its process leaves them; the zip says which it is."""
    jobs_made.ended(orders.request(run, name, quantize), result={"parity": PARITY})
    folder = workspace / "runs" / run.id / "exports" / f"{name}-{quantize}"
    folder.mkdir(parents=True)
    title = orders.title(run, name, quantize)
    with zipfile.ZipFile(folder / f"{title}.zip", "w") as archive:
        archive.writestr("bundle/model.json", f"{name} {quantize}")


def downloaded(page: Page, link: Locator, path: Path, named: str = "") -> Path:
    """The file that a click on this link or button gives, `named` so if known."""
    with page.expect_download() as download:
        link.click()
    assert named in ("", download.value.suggested_filename)
    download.value.save_as(path)
    return path


def test_export__the_bundle_of_every_format_and_the_code(
    page: Page, server: str, tmp_path: Path, workspace: Path
) -> None:
    run = ended_run(tmp_path)
    for one in catalogue.FORMATS.values():
        for quantize in one.quantizations:
            left(workspace, run, one.name, quantize)
    page.goto(f"{server}/export?run={run.id}")
    settle(page)
    for one in catalogue.FORMATS.values():
        page.get_by_role("radio", name=one.title, exact=True).click()
        settle(page)
        for quantize in one.quantizations:
            if len(one.quantizations) > 1:
                shown = "float32" if quantize == "none" else quantize
                page.get_by_role("radio", name=shown).click()
                settle(page)
            link = page.get_by_role("link", name="Download (")
            name = f"{orders.title(run, one.name, quantize)}.zip"
            got = downloaded(page, link, tmp_path / "bundle.zip", name)
            with zipfile.ZipFile(got) as archive:
                said = archive.read("bundle/model.json").decode()
            assert said == f"{one.name} {quantize}"

    page.get_by_text("Show me the code").click()
    code = page.get_by_role("button", name="Download train.py")
    written = downloaded(page, code, tmp_path / "train.py").read_text("utf-8")
    assert "def EfficientNetLite(" in written


def test_model__settings_are_saved_by_whom_the_browser_knows_as_an_expert(
    page: Page, server: str, tmp_path: Path
) -> None:
    ended_run(tmp_path)
    page.goto(f"{server}/model?dataset=pets")
    button = page.get_by_role("button", name="Save settings")
    start = page.get_by_role("button", name="Start training")
    start.wait_for()
    settle(page)
    page.set_viewport_size({"width": 1280, "height": 720})
    # All that a first run needs is on one screen.
    expect(start).to_be_in_viewport(ratio=1)
    expect(page.locator(".bars")).to_be_in_viewport(ratio=1)
    expect(button).to_have_count(0)
    page.locator(".st-key-expert label").first.click()
    button.wait_for()
    settle(page)
    page.reload()
    button.wait_for()
    settle(page)
    saved = downloaded(page, button, tmp_path / "settings.json").read_bytes()
    assert effort.from_file(saved).method == "train"
