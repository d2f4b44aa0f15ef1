"""From a folder of photographs to a prediction, as a person clicks through it."""

import os
import re
import signal
import zipfile
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.conftest import SHARED, settle
from tests.patience import wait_for
from tests.pictures import make_pictures
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.store.runs import Store

pytestmark = pytest.mark.browser


def upload(page: Page, folder: Path, name: str) -> None:
    """Uploads a folder of class folders and imports it."""
    files = sum(1 for path in folder.rglob("*") if path.is_file())
    page.locator("#folder").set_input_files(folder)
    page.get_by_text(f"All {files} files arrived.").wait_for()
    settle(page)
    page.get_by_role("textbox", name="Name of the dataset").first.fill(name)
    page.get_by_role("button", name="Import", exact=True).first.click()
    page.get_by_text(" classes · split").wait_for()
    settle(page)


def choose(page: Page, label: str, option: str) -> None:
    """Chooses an option of a select box."""
    page.get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).click()
    settle(page)


def ranked_classes(page: Page) -> list[str]:
    """The classes that the page names beside a picture, from top to bottom."""
    names = page.locator("[data-testid=stHtml] span[dir=auto]:not(figure *)")
    tops = [name.bounding_box() or {"y": 0.0} for name in names.all()]
    assert tops == sorted(tops, key=lambda box: box["y"])
    return names.all_inner_texts()


def queued_run(tmp_path: Path, epochs: int) -> str:
    """A run of a tiny dataset that the server's supervisor will start."""
    make_pictures(tmp_path / "pets", {"cat": 8, "dog": 8})
    revision = importer.import_path(tmp_path / "pets", "pets")
    config = TrainConfig.of(
        dataset="pets",
        revision=revision.id,
        backbone="mobilenet_v2_035",
        weights="random",
        image_size=32,
        head_epochs=epochs,
    )
    store = Store()
    run = store.create(config, "a long one")
    store.close()
    return run.id


def wait_for_epochs(page: Page) -> None:
    """Waits until the head phase is under way."""
    store, run = Store(), page.url.split("run=")[1]
    wait_for(lambda: store.metrics.of_epochs(run))
    store.close()


def test_app__flowers_from_upload_to_a_correct_prediction(
    page: Page, tmp_path: Path
) -> None:
    archive = SHARED / "data" / "flower_photos.zip"
    if not archive.exists():
        pytest.skip("../shared/data/flower_photos.zip is not there")
    unseen = {}
    with zipfile.ZipFile(archive) as photos:
        names = sorted(n for n in photos.namelist() if n.endswith(".jpg"))
        for flower in sorted({Path(name).parent.name for name in names}):
            of_class = [name for name in names if Path(name).parent.name == flower]
            (tmp_path / "flowers" / flower).mkdir(parents=True)
            for name in of_class[:100]:
                target = tmp_path / "flowers" / flower / Path(name).name
                target.write_bytes(photos.read(name))
            unseen[flower] = tmp_path / f"unseen-{flower}.jpg"
            unseen[flower].write_bytes(photos.read(of_class[300]))

    upload(page, tmp_path / "flowers", "some flowers")
    page.get_by_role("link", name="Train a model with it").click()
    start = page.get_by_role("button", name="Start training")
    # A list that opens while the page is drawn for the first time loses the choice.
    start.wait_for()
    settle(page)
    choose(page, "Backbone", "MobileNetV2 0.35")
    start.click()
    page.get_by_text("Completed").wait_for()
    settle(page)
    page.get_by_role("link", name="Try it on a photograph").click()
    settle(page)
    page.locator("input[type=file]").set_input_files([*unseen.values()])
    answers = page.get_by_text("Answered in")
    expect(answers).to_have_count(len(unseen))
    best = ranked_classes(page)[:: len(unseen)]  # each picture names all classes
    right = [said == flower for said, flower in zip(best, unseen, strict=True)]
    assert sum(right) >= 4, dict(zip(unseen, best, strict=True))
    assert Store().runs()[0].result["val_accuracy"] > 0.75


def test_app__a_run_outlives_a_reload_and_stops_when_asked(
    page: Page, server: str, tmp_path: Path
) -> None:
    run = queued_run(tmp_path, epochs=1000)
    page.goto(f"{server}/runs?run={run}")
    wait_for_epochs(page)
    epoch = page.locator("dt").filter(has_text=re.compile("^Epoch$"))
    expect(epoch).to_be_visible()
    page.reload()
    settle(page)
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped").first.wait_for()
    ended = Store().get(run)
    assert ended.status == "stopped"
    assert ended.result["class_names"] == ["cat", "dog"]


def test_app__a_killed_worker_shows_as_interrupted_and_is_resumed(
    page: Page, server: str, tmp_path: Path
) -> None:
    """From its beginning; from a checkpoint it is in `worker/test_killed.py`."""
    run = queued_run(tmp_path, epochs=1000)
    page.goto(f"{server}/runs?run={run}")
    wait_for_epochs(page)
    pid = Store().get(run).pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    page.get_by_text("Interrupted").first.wait_for()
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped").first.wait_for()


def test_app__a_killed_server_changes_nothing_for_a_run(
    page: Page, server: str, tmp_path: Path
) -> None:
    run = queued_run(tmp_path, epochs=40)
    page.goto(f"{server}/runs?run={run}")
    wait_for_epochs(page)
    port = server.rpartition(":")[2]
    (process,) = (
        child for child in psutil.Process().children() if port in child.cmdline()
    )
    process.kill()
    wait_for(lambda: Store().get(run).status.is_final)
    assert Store().get(run).status == "completed"
    trained = {
        one.epoch for one in Store().metrics.of_epochs(run) if one.phase == "head"
    }
    assert trained == set(range(1, 41))
