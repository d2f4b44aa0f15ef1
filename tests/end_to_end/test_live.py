"""The page of a run while it goes on: what was chosen in a chart stays chosen."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.conftest import settle
from tests.pictures import make_pictures
from transfer.config import TrainConfig
from transfer.datasets import ingest
from transfer.runs.record import Metric
from transfer.runs.store import Store

pytestmark = pytest.mark.browser

#: The numbers on the axis of epochs; those on the other axis have a percent sign.
EPOCHS = """chart => [...chart.querySelectorAll('.role-axis-label text')]
  .filter(e => e.getAttribute('opacity') !== '0' && !e.textContent.includes('%'))
  .map(e => e.textContent).sort()"""


def learn(store: Store, run: str, epoch: int) -> None:
    """Stores what a worker would after an epoch."""
    values = {"loss": 1 / epoch, "val_loss": 1.1 / epoch, "accuracy": 1 - 0.3 / epoch}
    values["val_accuracy"] = 0.9 - 0.3 / epoch
    store.add_metrics(
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
    revision = ingest.import_path(tmp_path / "pets", "pets")
    store = Store()
    store.create(TrainConfig.checked(dataset="pets", revision=revision.id))
    run = store.claim_next(1, "elsewhere")
    assert run
    store.begin(run.id)
    learn(store, run.id, 1)
    learn(store, run.id, 2)
    return run.id


def test_live__a_zoom_survives_new_values(
    live_run: str, page: Page, server: str
) -> None:
    page.goto(f"{server}/runs?run={live_run}")
    settle(page)
    chart = page.locator("[data-testid=stVegaLiteChart]").nth(1)
    box = chart.bounding_box()
    assert box
    whole = chart.evaluate(EPOCHS)
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.6 * box["height"])
    page.mouse.wheel(0, -400)
    settle(page)
    zoomed = chart.evaluate(EPOCHS)
    assert zoomed != whole
    for epoch in (3, 4):
        learn(Store(), live_run, epoch)
        expect(page.get_by_text(f"{epoch} of 10", exact=True)).to_be_visible()
        settle(page)
        assert chart.evaluate(EPOCHS) == zoomed
