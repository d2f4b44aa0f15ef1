"""The gallery of the Data page in a real browser: looked through, chosen, mended."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests import piles_made
from tests.end_to_end.conftest import settle
from tests.patience import wait_for
from tests.pictures import make_pictures
from transfer.datasets import library
from transfer.datasets.ingest.importer import import_path

pytestmark = pytest.mark.browser


def open_gallery(page: Page, server: str) -> None:
    page.goto(f"{server}/?dataset=pets")
    settle(page)
    page.get_by_role("radio", name="All images").click()
    page.locator(".cell img").first.wait_for()
    settle(page)


def choose(page: Page, label: str, value: str) -> None:
    box = page.get_by_role("combobox", name=label)
    box.click()
    box.press_sequentially(value)  # key by key: only so the list marks what fits
    box.press("Enter")


def test_pile__a_group_is_corrected_and_comes_in(
    page: Page, server: str, tmp_path: Path
) -> None:
    import_path(make_pictures(tmp_path / "pets", {"cat": 4, "dog": 4}), "pets")
    loose = make_pictures(tmp_path / "loose", {"some": 9}, seed=9)
    piles_made.grouped("pets", loose, [(0, 1)] * 6 + [(1, 0)] * 3)
    page.goto(f"{server}/?dataset=pets")
    settle(page)
    page.get_by_role("button", name="some/some_2.png").click()
    settle(page)
    choose(page, "Their class", "cat")
    settle(page)
    page.get_by_role("button", name="Confirm 5 pictures as cat").click()
    page.get_by_text("5 of 9 sorted: cat 5").wait_for()
    page.reload()  # nothing is lost
    settle(page)
    page.get_by_role("button", name="Bring the 5 into the dataset").click()
    wait_for(lambda: library.load("pets").says == "Added 5 to cat.")
    page.get_by_text("0 of 4 sorted").wait_for()
    added = {one.path for one in library.load("pets").images if "some" in one.path}
    assert added == {f"some/some_{at}.png" for at in (0, 1, 3, 4, 5)}


def test_gallery__images_are_chosen_by_mouse_and_keys_moved_and_brought_back(
    page: Page, server: str, tmp_path: Path
) -> None:
    folder = make_pictures(tmp_path / "pets", {"cat": 400, "dog": 12})
    before = import_path(folder, "pets")
    open_gallery(page, server)
    cells, view = page.locator(".cell"), page.get_by_role("listbox", name="Images")
    expect(page.get_by_text("412 images", exact=True)).to_be_visible()
    assert cells.count() < 150  # only what is in view, and a little more
    # The last ones are the dogs: two are chosen by keys, a third by the mouse.
    view.focus()
    page.keyboard.press("End")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowLeft")
    cells.and_(page.locator("[data-at='409']")).click()
    expect(page.get_by_text("3 of 412 images chosen")).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Move to a class").click()
    choose(page, "Class of 3 images", "wolf")
    page.get_by_role("button", name="Move", exact=True).click()
    undo = page.get_by_role("button", name="Undo: Split wolf off: 3 from dog.")
    undo.first.wait_for()
    moved = {one.path for one in library.load("pets").images if one.label == 2}
    assert moved == {one.path for one in before.images[409:]}
    undo.first.click()
    wait_for(lambda: library.load("pets").id == before.id)
    expect(undo).to_have_count(0)


def take_pictures(page: Page, count: int) -> None:
    """Uses so many pictures of a camera, which at first is not given, then refused."""
    # As it is at any http:// address other than that of this machine.
    secure = (
        "Object.defineProperty(window, 'isSecureContext',"
        " {get: () => %s, configurable: true})"
    )
    page.evaluate(secure % "false")
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_text("Browsers give a camera only to pages at https://").wait_for()
    page.evaluate(secure % "true")
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_text("The camera may not be used: you or your browser").wait_for()
    page.context.grant_permissions(["camera"])
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name="Take a picture").click()
    page.get_by_role("spinbutton", name="How many in a row").fill(str(count))
    page.get_by_role("combobox", name="How fast").select_option("5 a second")
    page.get_by_role("button", name="Take so many").click()
    page.get_by_role("button", name=f"Use these {count + 1}").wait_for()
    page.get_by_role("button", name="Drop picture 1").click()
    page.get_by_role("button", name=f"Use these {count}").click()
    page.get_by_text(f"All {count} files arrived.").wait_for()
    settle(page)


def test_gallery__images_come_in_and_are_left_out_with_a_reason(
    page: Page, server: str, tmp_path: Path
) -> None:
    import_path(make_pictures(tmp_path / "pets", {"cat": 6, "dog": 6}), "pets")
    more = make_pictures(tmp_path / "more", {"cat": 3}, seed=7)
    page.goto(f"{server}/?dataset=pets")
    settle(page)
    page.get_by_text("Add images").click()
    page.locator("#pictures").first.set_input_files(sorted((more / "cat").iterdir()))
    page.get_by_text("All 3 files arrived.").wait_for()
    settle(page)
    choose(page, "Their class", "dog")
    settle(page)
    page.get_by_role("button", name="Add them").click()
    page.get_by_text("Added 3 to dog.").first.wait_for()
    assert library.load("pets").counts()["dog"]["train"] == 8
    take_pictures(page, 2)
    page.get_by_role("button", name="Add them").click()
    page.get_by_text("Added 2 to dog.").first.wait_for()
    settle(page)
    page.get_by_role("radio", name="All images").click()
    page.locator(".cell").first.click()
    expect(page.get_by_text("1 of 17 images chosen")).to_be_visible()
    settle(page)
    page.get_by_role("button", name="Leave out").click()
    choose(page, "Why 1 image", "Blurred")
    settle(page)
    page.get_by_role("button", name="Do so").click()
    wait_for(lambda: [one.left_out for one in library.load("pets").left_out])
    assert library.load("pets").left_out[0].left_out == "Blurred"
    settle(page)
    page.get_by_role("radio", name="left out").click()
    expect(page.get_by_text("1 image", exact=True)).to_be_visible()
    settle(page)
    page.locator(".cell").first.click()
    page.get_by_role("button", name="Restore 1 image").click()
    wait_for(lambda: not library.load("pets").left_out)
