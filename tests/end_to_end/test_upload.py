"""The uploader in a real browser: whatever happens, every chosen file is counted."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests import jobs_made
from tests.end_to_end.conftest import settle
from tests.patience import wait_for
from tests.pictures import make_pictures, noisy_picture
from transfer.datasets import library
from transfer.runs import requests
from transfer.store.runs import Store
from transfer.store.status import JobStatus

pytestmark = pytest.mark.browser
ROUTE = "**/api/upload/**"


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """A folder of 24 pictures in two classes."""
    return make_pictures(tmp_path / "pets", {"cat": 12, "dog": 12})


def stored(workspace: Path) -> set[str]:
    """Names of the files that lie complete on the server's disk."""
    paths = (workspace / "uploads").glob("*/files/**/*")
    return {path.name for path in paths if path.is_file()}


def test_uploader__an_unreadable_file_is_named_and_the_others_arrive(
    page: Page, pets: Path, workspace: Path
) -> None:
    def vanish(route: Route) -> None:
        # The first request comes after the choice and before any file is read.
        (pets / "cat" / "cat_3.png").unlink(missing_ok=True)
        route.continue_()

    (pets / "notes.txt").write_text("no picture")
    (pets / "100% #1?").mkdir()
    noisy_picture(0.9).save(pets / "100% #1?" / "IMG_1", "JPEG")
    names = {path.name for path in pets.rglob("*") if path.is_file()} - {"notes.txt"}
    page.route(ROUTE, vanish)
    page.locator("#folder").set_input_files(pets)
    page.get_by_text(
        "24 of 26 files arrived; 1 failed; 1 left out (not a picture)."
    ).wait_for()
    settle(page)
    expect(page.locator("td", has_text="pets/cat/cat_3.png")).to_have_count(1)
    assert stored(workspace) == names - {"cat_3.png"}
    # As much light work as is done at a time, so that the import waits.
    busy = [jobs_made.working(requests.measure(name)) for name in ("one", "two")]
    page.get_by_role("button", name="Import", exact=True).first.click()
    for _ in range(2):
        page.get_by_text("Import of pets: number 1 in the queue").wait_for()
        page.reload()
    for job in busy:
        Store().finish(job.id, JobStatus.COMPLETED)
    expect(page.get_by_text("pets came in: 24 images in 3 classes")).to_be_in_viewport()
    wait_for(lambda: not stored(workspace))
    (made,) = library.list_datasets()
    assert made.dataset == "pets" and made.class_names == ("100% #1?", "cat", "dog")


def test_uploader__an_unreadable_piece_of_a_large_file_fails_it_alone(
    page: Page, pets: Path, workspace: Path
) -> None:
    def vanish(route: Route) -> None:
        (pets / "dog" / "large.png").unlink(missing_ok=True)
        route.continue_()

    (pets / "dog" / "large.png").write_bytes(bytes(9 << 20))
    page.route(ROUTE, vanish)
    page.locator("#folder").set_input_files(pets)
    page.get_by_text("24 of 25 files arrived; 1 failed.").wait_for()
    assert "large.png" not in stored(workspace)


def test_uploader__a_request_that_fails_is_sent_again_and_counted_once(
    page: Page, pets: Path, workspace: Path
) -> None:
    puts = []

    def lose(route: Route) -> None:
        if route.request.method == "PUT":
            puts.append(route.request.url)
        if len(puts) == 1:
            route.abort("connectionreset")
        elif len(puts) == 2:  # It arrives, and its answer does not.
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route(ROUTE, lose)
    page.locator("#folder").set_input_files(pets)
    page.get_by_text("All 24 files arrived.").wait_for()
    assert len(puts) == 3
    assert len(stored(workspace)) == 24


def test_uploader__a_refused_file_does_not_take_its_batch_along(
    page: Page, pets: Path, workspace: Path
) -> None:
    limit = 1 << 20  # nginx's, unless it is told another

    def stand_before(route: Route) -> None:
        if len(route.request.post_data_buffer or b"") > limit:
            route.fulfill(status=413, content_type="text/html", body="<h1>413</h1>")
        else:
            route.continue_()

    deep = pets.joinpath(*["deep"] * 20)
    make_pictures(deep, {"cat": 1})
    large = {
        name: os.urandom(size)
        for name, size in (("a.png", 5 << 20), ("b.png", 1 << 20))
    }
    for name, content in large.items():
        (pets / "dog" / name).write_bytes(content)
    page.route(ROUTE, stand_before)
    page.locator("#folder").set_input_files(pets)
    page.get_by_text("26 of 27 files arrived; 1 failed.").wait_for()
    assert len(stored(workspace)) == 26
    for name, content in large.items():
        (file,) = (workspace / "uploads").glob(f"*/files/pets/dog/{name}")
        assert file.read_bytes() == content

    limit = 100_000
    page.locator("#folder").set_input_files(pets)
    page.get_by_text("24 of 27 files arrived; 3 failed.").wait_for()
    expect(page.locator("td", has_text="client_max_body_size")).to_have_count(2)


def test_uploader__a_full_disk_ends_the_upload_and_says_so(
    page: Page, pets: Path
) -> None:
    def refuse(route: Route) -> None:
        if route.request.method == "PUT":
            full = {"error": "The disk is full.", "hint": "Free some space."}
            route.fulfill(status=507, json=full)
        else:
            route.continue_()

    page.route(ROUTE, refuse)
    page.locator("#folder").set_input_files(pets)
    page.get_by_text("0 of 24 files arrived; 24 failed.").wait_for()
    settle(page)
    page.get_by_role("textbox", name="Name of the dataset").first.fill("pets")
    page.get_by_role("button", name="Import", exact=True).first.click()
    page.get_by_text("Choose a folder or a zip first").wait_for()


def test_uploader__a_cancelled_upload_leaves_nothing(
    page: Page, pets: Path, workspace: Path
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route) if route.request.method == "PUT" else route.continue_()

    page.route(ROUTE, hold)
    page.locator("#folder").set_input_files(pets)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled; nothing was kept.").wait_for()
    expect(page.get_by_role("button", name="Choose a folder")).to_be_enabled()
    assert stored(workspace) == set()


def test_uploader__what_is_no_dataset_is_said_at_once(
    page: Page, tmp_path: Path
) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "notes.txt").write_text("no picture")
    (tmp_path / "papers" / "._leftover.jpg").write_text("no picture either")
    page.locator("#folder").set_input_files(tmp_path / "papers")
    says = "There is no picture and no zip in it. It holds 1 .txt, 1 .jpg."
    page.get_by_text(says).wait_for()
