"""The page of a run while it goes on: what was chosen in a chart stays chosen."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.jobs_made import measure
from tests.pictures import make_pictures
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.store.record import Metric
from transfer.store.runs import Store
from transfer.store.status import JobStatus

pytestmark = pytest.mark.browser

#: Epochs that are in sight, whether val is shown, and what stands at the pointer.
SEEN = """chart => ({
  epochs: chart._fullLayout.xaxis.range.map(end => Math.round(100 * end)),
  val: chart._fullData[1].visible,
  hovered: chart.querySelector('.hoverlayer').textContent,
})"""


def learn(store: Store, run: str, epoch: int) -> None:
    """Stores what a worker would after an epoch."""
    values = {"loss": 1 / epoch, "val_loss": 1.1 / epoch, "accuracy": 1 - 0.3 / epoch}
    values["val_accuracy"] = 0.9 - 0.3 / epoch
    measure(
        store,
        run,
        [
            Metric(phase="head", epoch=epoch, step=None, name=name, value=value)
            for name, value in values.items()
        ],
    )
    store.heartbeat(run, {"phase": "head", "epoch": epoch, "epochs": 10})


@pytest.fixture
def live_run(workspace: Path, tmp_path: Path) -> str:
    """A run that a worker elsewhere has; begun before the server could take it."""
    make_pictures(tmp_path / "pets", {"cat": 8, "dog": 8})
    revision = importer.import_path(tmp_path / "pets", "pets")
    store = Store()
    store.create(TrainConfig.of(dataset="pets", revision=revision.id))
    run = store.claim_next("elsewhere", {("run",): 1})
    assert run
    store.begin(run.id)
    learn(store, run.id, 1)
    learn(store, run.id, 2)
    return run.id


def test_live__zoom_legend_and_hover_survive_new_values(
    live_run: str, page: Page, server: str
) -> None:
    page.goto(f"{server}/runs?run={live_run}")
    chart = page.get_by_role("img", name="Top-1 accuracy on train and val by epoch")
    expect(chart.locator(".legend")).to_contain_text("val")
    whole = chart.evaluate(SEEN)
    chart.locator(".legendtoggle").nth(1).click()
    expect(chart.locator(".legend .traces").nth(1)).to_have_css("opacity", "0.5")
    box = chart.locator(".nsewdrag").bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.05 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], middle, steps=5)
    page.mouse.up()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.2 * box["height"])
    expect(chart.locator(".hoverlayer")).to_contain_text("head, epoch 2")
    chosen = chart.evaluate(SEEN)
    assert chosen["val"] == "legendonly" and chosen["epochs"] != whole["epochs"]
    for epoch in (3, 4):
        learn(Store(), live_run, epoch)
        expect(page.get_by_text(f"{epoch} of 10", exact=True)).to_be_visible()
        expect(chart.locator(".points path")).to_have_count(epoch)
        assert chart.evaluate(SEEN) == chosen


def test_live__the_page_hears_of_an_end_and_a_smaller_batch(
    live_run: str, page: Page, server: str
) -> None:
    page.goto(f"{server}/runs?run={live_run}")
    expect(page.get_by_text("2 of 10", exact=True)).to_be_visible()
    store = Store()
    store.heartbeat(live_run, {"phase": "head", "batch_size": 8, "epochs": 10})
    expect(page.get_by_text("went on with 8 images per step")).to_be_visible()
    result = {"class_names": ["cat", "dog"], "val_accuracy": 0.75}
    store.finish(live_run, JobStatus.COMPLETED, result)
    expect(page.get_by_text("75.0%", exact=True)).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
