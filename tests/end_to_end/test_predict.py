"""Predict in a real browser: a zip as a table and files, a heat map, a correction."""

import csv
import json
import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.conftest import settle, trained
from tests.pictures import make_pictures
from transfer.datasets import library
from transfer.store.record import Run

pytestmark = pytest.mark.browser


@pytest.fixture
def run(workspace: Path, tmp_path: Path) -> Run:
    """A run that was trained in closed form."""
    return trained(tmp_path, {"cat": 8, "dog": 8}, "tiny", method="instant")


def open_predict(page: Page, address: str) -> None:
    """Opens the page Predict and waits until all of it has come."""
    page.goto(address)
    expect(page.get_by_text("This model tells apart")).to_be_visible()
    expect(page.get_by_role("radio", name="Camera")).to_be_visible()
    expect(page.locator(".st-key-photographs input[type=file]")).to_be_attached()
    settle(page)


def choose_way(page: Page, way: str) -> None:
    """Chooses where pictures come from."""
    option = page.locator(".st-key-way-images").get_by_role("radio", name=way)
    option.click()
    expect(option).to_be_checked()
    settle(page)


def zipped(tmp_path: Path) -> Path:
    """A zip of 20 pictures, one of which is broken."""
    folder = make_pictures(tmp_path / "unseen", {"a": 10, "b": 10}, seed=5)
    (folder / "a" / "a_3.png").write_bytes(b"broken")
    return Path(shutil.make_archive(str(tmp_path / "unseen"), "zip", folder))


def pasted(page: Page, tmp_path: Path) -> list[str]:
    """What the lines of the page API print, run as they stand there."""
    pictures = sorted((tmp_path / "pets").rglob("*.png"))
    for name in ("picture.jpg", "one.jpg", "two.jpg"):
        shutil.copy(pictures[0], tmp_path / name)
    # Also what stands behind the other tab.
    codes = page.locator("[data-testid=stCode]")
    expect(codes).to_have_count(3)  # their colours come in a file of their own
    one, several, python = codes.all_inner_texts()
    (tmp_path / "asks.py").write_text(python)
    lines = [f"{one} --silent", f"{several} --silent", f"'{sys.executable}' asks.py"]
    return [
        subprocess.check_output(["/bin/sh", "-c", line], cwd=tmp_path, text=True)
        for line in lines
    ]


def check_lines(page: Page, address: str, tmp_path: Path) -> None:
    """The lines of the page API do what they say."""
    page.goto(address)
    expect(page.get_by_text("Several pictures, with a heat map")).to_be_visible()
    settle(page)
    one, several, python = pasted(page, tmp_path)
    (picture,) = json.loads(one)["pictures"]
    shares = {each["name"]: each["probability"] for each in picture["classes"]}
    assert sum(shares.values()) == pytest.approx(1, abs=1e-4)
    said = [line.split() for line in python.splitlines()]
    assert said == [[f"{share:.3f}", name] for name, share in shares.items()]
    both = json.loads(several)["pictures"]
    assert [each["name"] for each in both] == ["one.jpg", "two.jpg"]
    assert all(b64decode(each["heat_map"]).startswith(b"\x89PNG") for each in both)


def test_predict__a_zip_as_a_table_and_as_files(
    run: Run, page: Page, server: str, tmp_path: Path
) -> None:
    check_lines(page, f"{server}/programs?run={run.id}", tmp_path)
    open_predict(page, f"{server}/predict?run={run.id}")
    choose_way(page, "Folder or zip")
    page.locator("#zip").set_input_files(zipped(tmp_path))
    page.get_by_text("19 pictures answered in").wait_for()
    settle(page)
    saved = {}
    for kind in ("CSV", "JSON"):
        with page.expect_download() as download:
            page.get_by_test_id("stDownloadButton").filter(has_text=kind).click()
        saved[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[kind])
    with saved["CSV"].open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows][:2] == ["a/a_0.png", "a/a_1.png"]
    assert len(rows) == 20
    (broken,) = [row for row in rows if row["error"]]
    assert broken["file"] == "a/a_3.png" and not broken["answer"]
    for row in rows:
        if row is not broken:
            assert row["answer"] in ("cat", "dog")
            shares = [float(row[f"probability of {name}"]) for name in ("cat", "dog")]
            assert sum(shares) == pytest.approx(1, abs=1e-4)
    records = json.loads(saved["JSON"].read_text("utf-8"))
    assert [one.get("answer", "") for one in records] == [one["answer"] for one in rows]


def test_predict__a_pasted_picture_is_explained_and_taught(
    run: Run, page: Page, server: str
) -> None:
    open_predict(page, f"{server}/predict?run={run.id}")
    page.evaluate(
        """async () => {
          const canvas = new OffscreenCanvas(64, 48);
          const drawn = canvas.getContext('2d');
          drawn.fillStyle = '#c33';
          drawn.fillRect(0, 0, 64, 48);
          const blob = await canvas.convertToBlob({ type: 'image/png' });
          const handed = new DataTransfer();
          handed.items.add(new File([blob], 'image.png', { type: 'image/png' }));
          document.dispatchEvent(
            new ClipboardEvent('paste', { clipboardData: handed, bubbles: true }));
        }"""
    )
    page.get_by_text("Answered in").wait_for()
    expect(page.get_by_alt_text("Heat map of")).to_be_visible()
    expect(page.locator("figure img")).to_have_count(5)
    settle(page)
    page.get_by_role("button", name="Teach it this one").click()
    page.get_by_role("combobox", name="The right class").click()
    page.get_by_role("option", name="dog").click()
    settle(page)
    page.get_by_role("button", name="Add it").click()
    page.get_by_text("In the dataset as dog").wait_for()
    newest = library.load("pets")
    assert newest.id != run.revision and len(newest.images) == 17
    # Its neighbours are chosen where they can be mended, and seen without scrolling.
    page.set_viewport_size({"width": 1280, "height": 720})
    page.get_by_role("link", name="See and mend them").click()
    expect(page.get_by_text("5 of 5 images chosen")).to_be_in_viewport()
    expect(page.get_by_role("option").first).to_be_in_viewport()
