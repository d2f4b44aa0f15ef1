"""A workshop in three browsers, with a restart of the server in between."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.end_to_end.conftest import free_port, serving, settle
from tests.patience import PATIENCE
from transfer.people import codes


def join(browser: Browser, server: str, access: str, name: str) -> Page:
    """The first page as somebody new sees it."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(1000 * PATIENCE)
    page = context.new_page()
    page.goto(server)
    page.get_by_role("textbox", name="Access code").fill(access)
    page.get_by_role("textbox", name="Your name").fill(name)
    page.get_by_role("button", name="Join").click()
    page.get_by_role("button", name="I have written it down").click()
    expect(page.get_by_role("heading", name="Data", exact=True)).to_be_visible()
    settle(page)
    return page


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
        bob = join(browser, server, now.access, "Bob")
        tom = join(browser, server, now.instructor, "Tom")
        anna.get_by_role("button", name="Use gearwheels").first.click()
        expect(anna.get_by_text("came in:")).to_be_visible()
    with serving(tmp_path / "second.log", port) as server:
        for page in (anna, bob, tom):
            page.goto(server)
            settle(page)
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
        anna.get_by_role("button", name="Anna").click()
        anna.get_by_role("button", name="Sign out").click()
        expect(anna.get_by_role("button", name="Join")).to_be_visible()
        assert anna.request.get(address).status == 403
