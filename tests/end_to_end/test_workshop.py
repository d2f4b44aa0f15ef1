"""A workshop in three browsers, with a restart of the server in between."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.end_to_end.conftest import free_port, serving, settle
from tests.patience import PATIENCE
from tests.pictures import make_pictures
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.people import codes
from transfer.store.runs import Store

#: What the instructor hands out: done within seconds.
SETTINGS = {
    "backbone": "mobilenet_v2_035",
    "weights": "random",
    "image_size": 32,
    "method": "instant",
}


def join(
    browser: Browser, server: str, access: str, name: str, reloads: bool = False
) -> Page:
    """The first page as somebody new sees it, who may reload at the own code."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    page.goto(server)
    page.get_by_role("textbox", name="Access code").fill(access)
    page.get_by_role("textbox", name="Your name").fill(name)
    with page.expect_response("**/api/enter/*"):
        page.get_by_role("button", name="Join").click()
    if reloads:
        page.reload()
    else:
        page.get_by_role("button", name="I have written it down").click()
    expect(page.get_by_role("heading", name="Data", exact=True)).to_be_visible()
    settle(page)
    return page


def bring(folder: Path, name: str, seed: int) -> Revision:
    """A dataset of Tom's."""
    make_pictures(folder / name, {"cat": 8, "dog": 8}, seed=seed)
    revision, store = importer.import_path(folder / name, name), Store()
    tom = store.people.find("name:tom")
    assert tom
    store.datasets.own(name, tom.id)
    store.close()
    return revision


def hand_out(tom: Page, server: str) -> None:
    """Tom hands out one dataset and hides the other."""
    tom.goto(f"{server}/workshop")
    # On a slow machine it was minutes ago that they were here.
    expect(tom.get_by_text(re.compile("^[012] of 2$"))).to_be_visible()
    expect(tom.get_by_text(codes.workshop().access)).to_be_visible()
    to_hide = tom.locator(".st-key-to-hide").get_by_role("combobox")
    expect(to_hide).to_have_value("secret")
    settle(tom)
    tom.get_by_role("button", name="Make it the hidden test set").click()
    expect(tom.get_by_role("button", name="Hide it no more")).to_be_visible()
    # What is hidden cannot be handed out: the other one is all that is left.
    tom.get_by_role("textbox", name="What it is for").fill("Your first")
    content = json.dumps(SETTINGS).encode()
    file = {"name": "s.json", "mimeType": "application/json", "buffer": content}
    tom.locator("input[type=file]").set_input_files(file)
    expect(tom.get_by_text("s.json")).to_be_visible()
    settle(tom)
    tom.get_by_role("button", name="Hand it out to all").click()
    expect(tom.get_by_role("button", name="Take it back")).to_be_visible()


def start_and_hand_in(bob: Page, server: str) -> None:
    """Bob starts what was handed out with one click, and hands the run in."""
    bob.goto(server)
    expect(bob.get_by_text("1 of 4")).to_be_visible()  # of the first lesson
    expect(bob.get_by_text("From your instructor: Your first")).to_be_visible()
    bob.get_by_role("button", name="Start it").click()
    expect(bob.get_by_text("Completed", exact=True)).to_be_visible()
    expect(bob.get_by_text("2 of 4")).to_be_visible()
    settle(bob)
    bob.get_by_text("Leaderboard", exact=True).click()
    bob.get_by_role("button", name="Hand in this run").click()
    expect(bob.get_by_text("on the hidden test set.")).to_be_visible()


def test_workshop__each_has_work_of_their_own_and_keeps_it(
    browser: Browser,
    workspace: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRANSFER_AUTH", "workshop")
    port, now = free_port(), codes.workshop()
    with serving(tmp_path / "first.log", port) as server:
        anna = join(browser, server, now.access, "Anna")
        bob = join(browser, server, now.access, "Bob", reloads=True)
        tom = join(browser, server, now.instructor, "Tom")
        anna.get_by_role("button", name="Use gearwheels").first.click()
        expect(anna.get_by_text("came in:")).to_be_visible()
    with serving(tmp_path / "second.log", port) as server:
        for page in (anna, bob, tom):
            page.goto(server)
            settle(page)
        tab = anna.context.new_page()
        tab.goto(server)  # without a word of who it is
        expect(tab.get_by_role("button", name="Anna")).to_be_visible()
        tab.close()
        # Each is still who they were; the instructor sees all that there is.
        image = anna.locator("img[src*='/api/image/']").first
        expect(image).to_be_visible()
        expect(bob.get_by_text("No dataset yet")).to_be_visible()
        expect(tom.get_by_text("Of Anna")).to_be_visible()
        address = f"{server}{image.get_attribute('src')}"
        assert anna.request.get(address).status == 200
        assert bob.request.get(address).status == 403
        anna.get_by_role("button", name="Share").click()
        anna.get_by_text("All may look and use it").click()
        settle(anna)
        bob.reload()
        expect(bob.get_by_text("Of Anna")).to_be_visible()
        expect(bob.get_by_role("button", name="Delete this dataset")).to_have_count(0)
        anna.set_viewport_size({"width": 1280, "height": 720})
        anna.goto(f"{server}/model")  # with the first lesson above it
        expect(anna.get_by_text("1 of 4")).to_be_visible()
        start = anna.get_by_role("button", name="Start training")
        expect(start).to_be_in_viewport(ratio=1)
        anna.goto(server)
        secret = bring(tmp_path, "secret", 1)
        bring(tmp_path, "toms", 2)
        hand_out(tom, server)
        start_and_hand_in(bob, server)
        tom.goto(f"{server}/projector")
        expect(tom.locator(".big").get_by_text("Bob")).to_be_visible()
        # Whatever Bob asks for, of the hidden test set nothing comes.
        bob.goto(f"{server}/?dataset=secret&revision={secret.id}")
        expect(bob.get_by_text("There is no dataset secret")).to_be_visible()
        bob.goto(f"{server}/workshop")
        expect(bob.get_by_text("for instructors of a workshop")).to_be_visible()
        anna.get_by_role("button", name="Anna").click()
        anna.get_by_role("button", name="Sign out").click()
        expect(anna.get_by_role("button", name="Join")).to_be_visible()
        assert anna.request.get(address).status == 403
