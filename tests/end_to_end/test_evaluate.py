"""From a cell of the confusion matrix, and from the map, to the pictures behind it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.end_to_end.conftest import settle
from tests.patience import wait_for
from tests.pictures import make_pictures
from transfer import workspace
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.datasets.ingest import importer
from transfer.evaluation import metrics, results
from transfer.evaluation.results import Evaluation
from transfer.store.runs import Store
from transfer.store.status import JobStatus

pytestmark = pytest.mark.browser


def stored_evaluation(tmp_path: Path) -> Evaluation:
    """An evaluation of a run that takes every third cat for a dog."""
    make_pictures(tmp_path / "pets", {"cat": 18, "dog": 18})
    revision = importer.import_path(tmp_path / "pets", "pets", val=0.5)
    store = Store()
    run = store.create(TrainConfig(dataset="pets", revision=revision.id))
    store.claim_next("here", {("run",): 9})
    store.begin(run.id)
    store.finish(run.id, JobStatus.COMPLETED, {"class_names": ["cat", "dog"]})
    store.close()
    workspace.folder("runs", run.id)
    val = revision.of_split("val")
    labels = np.array([image.label for image in val])
    said = np.where((np.arange(len(val)) % 3 == 0) & (labels == 0), 1, labels)
    probabilities = np.where(np.eye(2)[said] > 0, 0.8, 0.2).astype(np.float32)
    found = Evaluation(
        run=run.id,
        split="val",
        class_names=revision.class_names,
        sha256=np.array([image.sha256 for image in val]),
        paths=np.array([image.path for image in val]),
        labels=labels,
        probabilities=probabilities,
        temperature=1.0,
        figures=metrics.figures(probabilities, labels),
        robustness=results.Robustness(skipped="Not here."),
        map_places=np.stack([np.arange(len(val)), 20 * labels], 1).astype(np.float32),
    )
    results.save(found)
    results.save(replace(found, split="all"))
    return found


def click_point(page: Page, point: Locator) -> None:
    """Clicks the middle of a marker, which lies below Plotly's own surface."""
    box = point.bounding_box()
    assert box
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.wait_for_timeout(300)  # Plotly must see what is hovered before the click
    page.mouse.click(*middle)


def draw_around(page: Page, point: Locator) -> None:
    """Draws a lasso of 40 pixels around one marker."""
    point.scroll_into_view_if_needed()
    box = point.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 20, y - 20)
    page.mouse.down()
    for to_x, to_y in ((20, -20), (20, 20), (-20, 20), (-20, -20)):
        page.mouse.move(x + to_x, y + to_y, steps=6)
    page.mouse.up()


def test_evaluate__a_click_on_a_cell_shows_its_images(
    page: Page, server: str, tmp_path: Path
) -> None:
    found = stored_evaluation(tmp_path)
    page.goto(f"{server}/evaluate?run={found.run}&view=Confusions")
    points = page.locator(".scatterlayer .point")
    expect(points).to_have_count(3)
    settle(page)
    pictures = page.locator("figure img")
    expect(pictures).to_have_count(int(found.confusion[0, 1]))  # mistakes come first
    chosen = page.get_by_role("combobox", name="Right class")
    matrix = page.locator(".js-plotly-plot")
    matrix.evaluate("drawn => { drawn.isKept = true; }")
    for number, cell in ((2, (0, 0)), (1, (1, 1)), (0, (0, 1))):
        click_point(page, points.nth(number))
        truth, predicted = (found.class_names[label] for label in cell)
        images = int(found.confusion[cell])
        said = f"{truth} → {predicted}: {images}"
        expect(chosen).to_have_value(said)
        expect(pictures).to_have_count(images)
        settle(page)
    page.get_by_role("radio", name="Shares of the class").click()
    expect(page.locator(".heatmaplayer").get_by_text("100%")).to_be_visible()
    assert matrix.evaluate("drawn => drawn.isKept")  # changed, not made anew
    drawn = "images => images.every(one => one.complete && one.naturalWidth > 0)"
    page.wait_for_function(
        f"() => ({drawn})([...document.querySelectorAll('figure img')])"
    )
    # What is shown is mended there and then.
    page.get_by_role("button", name="Move to a class").click()
    page.get_by_role("combobox", name="Class of").click()
    page.get_by_role("option", name="dog").click()
    settle(page)
    page.get_by_role("button", name="Move", exact=True).click()
    wait_for(lambda: library.load("pets").says == f"Moved {images} from cat to dog.")


def test_evaluate__a_lasso_on_the_map_leads_to_the_images(
    page: Page, server: str, tmp_path: Path
) -> None:
    found = stored_evaluation(tmp_path)
    page.goto(f"{server}/evaluate?run={found.run}&view=Map")
    points = page.locator(".scatterlayer .point")
    expect(points).to_have_count(len(found.labels))
    settle(page)
    draw_around(page, points.nth(2))
    picture = page.locator("figure img")
    expect(picture).to_have_count(1)
    path = str(found.paths[np.flatnonzero(found.labels == 0)[2]])
    assert picture.get_attribute("title") == path
    settle(page)
    box = points.nth(5).bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    hovered = page.locator("body > img")
    expect(hovered).to_be_visible()
    drawn = "() => document.querySelector('body > img').naturalWidth > 0"
    page.wait_for_function(drawn)
    page.get_by_role("link", name="See and mend them").click()
    expect(page.get_by_role("option")).to_have_count(1)
    expect(page.get_by_role("option").first).to_have_attribute("title", path)
    expect(hovered).to_have_count(0)
    expect(page.get_by_text("1 of 1 image chosen")).to_be_visible()
    expect(page.get_by_role("button", name="Leave out")).to_be_enabled()
