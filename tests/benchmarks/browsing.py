"""A server of the app and a browser, for benchmarks of what somebody sees."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.benchmarks import bench


@contextmanager
def app(port: str, environment: Mapping[str, str]) -> Iterator[Browser]:
    """A browser, while the app is served at this port.

    Args:
        port: Where it listens.
        environment: Of the server.
    """
    command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    server = subprocess.Popen(
        [*command, "--server.port", port, "--server.headless", "true"],
        env={**environment, "TRANSFER_SPARE_WORKER": "0"},
        cwd=bench.ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with sync_playwright() as playwright:
            yield playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
    finally:
        server.terminate()
        server.wait()
