"""A folder with wrong labels, from the first look to a run on what was mended."""

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.end_to_end.conftest import settle
from tests.patience import wait_for
from tests.pictures import make_pictures
from transfer.datasets import library
from transfer.store.runs import Store

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WRONG = 20


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    """Three classes of 40, in which 20 pictures lie in the next class's folder."""
    made = make_pictures(tmp_path / "made", {"pink": 40, "reed": 40, "sedge": 40})
    folder, names = tmp_path / "flowers", ["pink", "reed", "sedge"]
    wrong = set(np.random.default_rng(1).permutation(120)[:WRONG].tolist())
    for at, path in enumerate(sorted(made.rglob("*.png"))):
        own = names.index(path.parent.name)
        target = folder / names[(own + (at in wrong)) % 3] / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    return folder


def of_wrong_class() -> list[str]:
    """Paths of the images whose class is not the one in their names."""
    newest = library.load("flowers")
    return [
        one.path
        for one in newest.images
        if not Path(one.path).name.startswith(newest.class_names[one.label])
    ]


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()
    settle(page)


def test_story__wrong_labels_are_found_moved_and_a_run_learns_from_it(
    page: Page, flowers: Path
) -> None:
    page.locator("#folder").set_input_files(flowers)
    page.get_by_text("All 120 files arrived.").wait_for()
    settle(page)
    press(page, "Import")
    page.get_by_text(" classes · split").wait_for()
    settle(page)
    assert len(of_wrong_class()) == WRONG
    # The doctor finds exactly these, and all are moved by one press.
    page.get_by_text("Data doctor: what may be wrong?").click()
    press(page, "Look")
    page.get_by_text(f"Labels in doubt {WRONG}", exact=True).click()
    settle(page)
    press(page, f"Do the first remedy of all {WRONG}")
    wait_for(lambda: not of_wrong_class())
    mended = library.load("flowers")
    assert mended.says == f"Doctor: moved {WRONG} to another class."
    # Two classes become one, which is taken back.
    press(page, "Classes")
    page.get_by_role("radio", name="Merge").click()
    settle(page)
    for name in ("pink", "reed"):
        box = page.get_by_role("combobox", name="Classes").last
        box.click()
        page.get_by_role("option", name=name).click()
        page.keyboard.press("Escape")
        settle(page)
    press(page, "Merge")
    merged = "Merged pink and reed into pink."
    wait_for(lambda: library.load("flowers").says == merged)
    assert library.load("flowers").class_names == ("pink", "sedge")
    press(page, f"Undo: {merged}")
    wait_for(lambda: library.load("flowers").id == mended.id)
    # A run on what was mended.
    page.get_by_role("link", name="Train a model with it").click()
    settle(page)
    page.get_by_role("button", name="Start training").click()
    page.get_by_text("Completed").wait_for()
    (run,) = Store().runs()
    assert run.revision == mended.id
    assert run.result["val_accuracy"] > 0.9
