"""The app in a real browser: its own server, workspace and weights."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.patience import PATIENCE, wait_for
from tests.pictures import make_pictures
from transfer.classroom import first_lesson
from transfer.config import TrainConfig
from transfer.datasets.ingest import importer
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.worker import __main__ as worker

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
#: A worker kept ready imports Keras at every start, and few tests train.
WITHOUT_SPARE = {"TRANSFER_SPARE_WORKER": "0"}
#: Without these, Chromium looks for the internet at every start.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A camera, which a page gets only where the test allows it.
    "--use-fake-device-for-media-stream",
]
SETTLED = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  return app && app.dataset.testScriptState === 'notRunning'
    && app.dataset.testConnectionState === 'CONNECTED';
}"""


def settle(page: Page) -> None:
    """Waits until no script run is under way."""
    page.wait_for_timeout(300)
    page.wait_for_function(SETTLED)


@pytest.fixture(scope="module")
def flags() -> list[str]:
    """What Chromium is started with; a module may say more."""
    return FLAGS


@pytest.fixture(scope="module")
def browser(flags: list[str]) -> Iterator[Browser]:
    """Chromium, Debian's or any other on the path.

    Not for the whole session: until Playwright is closed its event loop runs, and no
    other test can run one of its own.
    """
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        message = "The browser tests need Chromium: sudo apt install chromium"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=flags)
        yield chromium
        chromium.close()


def answers(address: str) -> bool:
    """Whether the server there is ready."""
    with contextlib.suppress(OSError):
        urllib.request.urlopen(f"{address}/_stcore/health", timeout=PATIENCE)  # noqa: S310
        return True
    return False


@pytest.fixture
def keras_home(tmp_path: Path) -> Path:
    """A folder for Keras with the ImageNet weights that lie beside the project."""
    models = tmp_path / "keras" / "models"
    models.mkdir(parents=True)
    for weights in SHARED.glob("weights/*.h5"):
        shutil.copy(weights, models)
    return models.parent


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def trained(folder: Path, classes: dict[str, int], name: str, **settings: Any) -> Run:
    """A run with random weights that has ended, before a server could take it.

    Trained in this process, which has imported Keras, and without the details of its
    evaluation: a worker of its own takes three times as long.
    """
    make_pictures(folder / "pets", classes)
    config = TrainConfig.of(
        dataset="pets",
        revision=importer.import_path(folder / "pets", "pets").id,
        backbone="mobilenet_v2_035",
        weights="random",
        image_size=32,
        **settings,
    )
    store = Store()
    run = store.create(config, name)
    store.claim_next("here", {("run",): 9})
    store.begin(run.id)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "_ask_for_details", lambda *_: None)
        worker.work(store, store.get(run.id))
    ended = store.get(run.id)
    store.close()
    assert ended.status == "completed", ended.error
    return ended


@contextlib.contextmanager
def serving(log: Path, port: int) -> Iterator[str]:
    """The address of a running app; its log is shown if it does not start."""
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--server.port", str(port), "--server.headless", "true"],
            cwd=ROOT,
            env={**os.environ, **WITHOUT_SPARE},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: process.poll() is not None or answers(address))
        assert process.poll() is None, log.read_text()
        yield address
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(autouse=True)
def jobs_end(workspace: Path) -> Iterator[None]:
    """Ends the jobs that outlive their server, once nobody waits for them.

    The details of an evaluation take longer than many a test.
    """
    yield
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("TRANSFER_HOME") == str(workspace):
                process.kill()


@pytest.fixture
def server(
    tmp_path: Path,
    keras_home: Path,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """The address of a running app in a workspace of its own.

    Its user has put the first lesson away.
    """
    monkeypatch.setenv("KERAS_HOME", str(keras_home))
    store = Store()
    first_lesson.put_away(store)
    store.close()
    with serving(tmp_path / "server.log", free_port()) as address:
        yield address


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    """The app's first page, settled."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(1000 * PATIENCE)
    opened = context.new_page()
    opened.goto(server)
    settle(opened)
    yield opened
    context.close()
