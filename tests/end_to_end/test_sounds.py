"""Words, from a folder and a microphone to a model that is taken away."""

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page

from tests.end_to_end.conftest import FLAGS, settle
from tests.end_to_end.test_app import ranked_classes
from tests.patience import wait_for
from tests.sounds_made import make_sounds, tone
from transfer.datasets import library
from transfer.store.runs import Store
from transfer.store.status import JobStatus

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def flags(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """A fake microphone that hears notes as high as those of the class high, again and
    again.
    """
    path = tmp_path_factory.mktemp("heard") / "microphone.wav"
    notes = [tone(400, seed=number) for number in range(20)]
    soundfile.write(path, np.concatenate(notes), 8000)
    return [*FLAGS, f"--use-file-for-fake-audio-capture={path}"]


def record(page: Page) -> None:
    """Records for two seconds."""
    page.get_by_role("button", name="Record", exact=True).click()
    page.wait_for_timeout(2000)
    page.get_by_role("button", name="Stop recording").click()
    settle(page)


def test_story__sounds_are_brought_recorded_learnt_and_taken_away(
    page: Page, tmp_path: Path
) -> None:
    page.context.grant_permissions(["microphone"])
    folder = make_sounds(tmp_path / "notes", {"low": 10, "high": 10})
    # Brought by upload.
    page.get_by_text("Sounds", exact=True).click()
    settle(page)
    page.locator("#folder").set_input_files(folder)
    page.get_by_text("All 20 files arrived.").wait_for()
    settle(page)
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_text("20 recordings in 2 classes").first.wait_for()
    settle(page)
    # A recording of the microphone goes into a class, in pieces.
    page.get_by_text("Add recordings", exact=True).click()
    page.get_by_role("combobox", name="Their class").click()
    page.get_by_role("option", name="high").click()
    settle(page)
    record(page)
    page.get_by_role("button", name="Add it to high").click()
    wait_for(lambda: len(library.load("notes").images) > 20)
    new = [one for one in library.load("notes").images if "recorded" in one.path]
    assert {one.split for one in new} == {"train"} and len(new) >= 3
    # Learnt from.
    page.get_by_role("link", name="Train a model with it").click()
    settle(page)
    page.get_by_role("button", name="Start training").click()
    page.get_by_text("Completed").wait_for()
    (run,) = Store().runs()
    assert run.result["val_accuracy"] == 1
    # Asked about what the microphone hears, and about files.
    page.get_by_role("link", name="Try it on a recording").click()
    settle(page)
    page.get_by_text("Microphone", exact=True).click()
    settle(page)
    record(page)
    page.get_by_text("Answered in").first.wait_for()
    settle(page)
    assert ranked_classes(page)[0] == "high"
    # Taken away, and asked without the app.
    page.goto(f"{page.url.partition('/predict')[0]}/export?run={run.id}")
    settle(page)
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_text("The exported file answers as the app does.").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download (").click()
    zipfile.ZipFile(download.value.path()).extractall(tmp_path / "away")  # noqa: S202
    (verify,) = (tmp_path / "away").rglob("verify.py")
    told = subprocess.run(
        [sys.executable, verify.name], cwd=verify.parent, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert all(one.status is JobStatus.COMPLETED for one in Store().runs())
