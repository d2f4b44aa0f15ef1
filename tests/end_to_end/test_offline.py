"""The first five minutes without internet: nothing but what the program brings."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.end_to_end.conftest import SHARED, settle
from tests.end_to_end.test_app import ranked_classes
from transfer.datasets.ingest import samples
from transfer.store.runs import Store

pytestmark = pytest.mark.browser

#: Of a person, anywhere on the page; links of the app load nothing anew.
COUNT_CLICKS = """() => {
  window.clicks = 0;
  document.addEventListener('pointerdown', () => { window.clicks += 1; }, true);
}"""


@pytest.fixture
def keras_home(tmp_path: Path) -> Path:
    """An empty folder for Keras: no ImageNet weights are at hand."""
    return tmp_path / "keras"


def train(page: Page) -> float:
    """Trains with what the Model page proposes; the val accuracy."""
    page.get_by_role("link", name="Train a model with it").click()
    settle(page)
    page.get_by_role("button", name="Start training").click()
    return wait_for_accuracy(page)


def wait_for_accuracy(page: Page) -> float:
    """The val accuracy of the run that the page shows, once it has ended."""
    page.get_by_text("Completed").wait_for()
    settle(page)
    run = Store().runs()[0]
    assert (run.config.backbone, run.config.weights) == (
        "efficientnet_lite0",
        "imagenet",
    )
    return float(run.result["val_accuracy"])


def evaluate(page: Page) -> float:
    """The accuracy that the page Evaluate gives; back to the run after that."""
    run = page.url
    page.get_by_role("link", name="Evaluate it").click()
    tile = page.get_by_test_id("stMetric").filter(has_text="Top-1 accuracy")
    value = tile.get_by_test_id("stMetricValue")
    expect(value).to_contain_text("%")
    settle(page)
    accuracy = float(value.inner_text().rstrip("%")) / 100
    page.goto(run)
    return accuracy


def predict(page: Page, picture: Path) -> str:
    """The class that is named first."""
    page.get_by_role("link", name="Try it on a photograph").click()
    settle(page)
    page.locator("input[type=file]").set_input_files(picture)
    expect(page.get_by_text("Answered in")).to_have_count(1)
    return ranked_classes(page)[0]


def test_offline__a_sample_is_learnt_without_internet(
    page: Page, tmp_path: Path
) -> None:
    page.get_by_role("button", name="Use gearwheels").first.click()
    page.get_by_text(" classes · split").wait_for()
    settle(page)
    accuracy = train(page)
    assert accuracy > 0.6
    assert evaluate(page) == pytest.approx(accuracy, abs=0.001)
    wheel = tmp_path / "wheel.png"
    samples._gearwheel("cracked", np.random.default_rng(99)).save(wheel)
    assert predict(page, wheel) in {"good", "broken tooth", "cracked"}


def choose(page: Page, button: Locator, file: Path) -> None:
    """Chooses a file in the window that a button opens."""
    with page.expect_file_chooser() as chooser:
        button.click()
    chooser.value.set_files(file)


def test_offline__flowers_out_of_a_zip_in_four_clicks(
    page: Page, tmp_path: Path
) -> None:
    archive = SHARED / "data" / "flower_photos.zip"
    if not archive.exists():
        pytest.skip("../shared/data/flower_photos.zip is not there")
    unseen, few = tmp_path / "unseen.jpg", tmp_path / "few.zip"
    with zipfile.ZipFile(archive) as photos, zipfile.ZipFile(few, "w") as zipped:
        names = sorted(n for n in photos.namelist() if n.endswith(".jpg"))
        for flower in sorted({Path(name).parent.name for name in names}):
            of_class = [name for name in names if Path(name).parent.name == flower]
            for name in of_class[:50]:
                zipped.writestr(f"{flower}/{Path(name).name}", photos.read(name))
        unseen.write_bytes(photos.read(of_class[300]))
    page.evaluate(COUNT_CLICKS)
    choose(page, page.get_by_role("button", name="Choose a zip").first, few)
    page.get_by_text("arrived").first.wait_for()
    settle(page)
    page.get_by_role("button", name="Import and train").first.click()
    accuracy = wait_for_accuracy(page)
    assert accuracy > 0.7
    run = page.url
    page.get_by_role("link", name="Try it on a photograph").click()
    settle(page)
    choose(
        page, page.get_by_test_id("stFileUploaderDropzone").locator("button"), unseen
    )
    expect(page.get_by_text("Answered in")).to_have_count(1)
    assert ranked_classes(page)[0] == flower
    assert page.evaluate("window.clicks") == 4
    page.goto(run)
    assert evaluate(page) == pytest.approx(accuracy, abs=0.001)
