"""From a fresh clone to a workshop that three people have joined, by the README alone.

`python -m tests.benchmarks.five_minutes [--port 8599]` clones the project, types the
two lines that the README has for a workshop into a shell (with another port, for 8501
may be taken), and has three browsers join with the code that the second one told, each
with a name. Packages come from where pip finds them, none out of its cache.
"""

import argparse
import os
import re
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.benchmarks import bench
from tests.end_to_end.conftest import FLAGS

#: Seconds that a step may take.
PATIENCE = 1800
NAMES = ("Anna", "Bob", "Carla")


def lines() -> tuple[str, str]:
    """What the README says to type for a workshop."""
    text = (bench.ROOT / "README.md").read_text("utf-8")
    found = re.search(r"For a\nworkshop:\n\n    (.+)\n    (.+)\n", text)
    assert found, "The README has no two lines for a workshop."
    return found[1], found[2]


def environment(home: Path) -> dict[str, str]:
    """That of somebody who has just come to this machine."""
    mine = {name: value for name, value in os.environ.items() if "TRANSFER" not in name}
    del mine["HOME"]
    cache = {"PIP_NO_CACHE_DIR": "1"}
    return {**mine, "HOME": str(home), **cache}


@contextmanager
def typing(line: str, folder: Path, home: Path) -> Iterator[None]:
    """The line as a shell carries it out, until the end of the block."""
    log = (home / "log").open("w")
    process = subprocess.Popen(
        ["/bin/sh", "-c", line],
        cwd=folder,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        print((home / "log").read_text()[-2000:], flush=True)


def wait_for_answer(address: str) -> None:
    """Waits until the server is ready."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(OSError):
            urllib.request.urlopen(f"{address}/api/ready", timeout=10)  # noqa: S310
            return
        time.sleep(0.2)
    raise TimeoutError(address)


def join_all(address: str, code: str) -> None:
    """Three browsers that know nothing of each other come in, each with a name."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=FLAGS
        )
        for name in NAMES:
            context = browser.new_context()
            context.set_default_timeout(1000 * PATIENCE)
            page = context.new_page()
            page.goto(address)
            page.get_by_role("textbox", name="Access code").fill(code)
            page.get_by_role("textbox", name="Your name").fill(name)
            page.get_by_role("button", name="Join").click()
            page.get_by_role("button", name="I have written it down").click()
            expect(page.get_by_role("button", name=name)).to_be_visible(
                timeout=1000 * PATIENCE
            )
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8599)
    port, (start, tell) = parser.parse_args().port, lines()
    address, steps = f"http://127.0.0.1:{port}", dict[str, float]()
    with tempfile.TemporaryDirectory() as made:
        home, folder, began = Path(made), Path(made) / "studio", time.monotonic()

        def note(step: str) -> None:
            steps[step] = time.monotonic() - began
            print(f"{steps[step]:6.1f} s  {step}", flush=True)

        subprocess.run(["git", "clone", "-q", str(bench.ROOT), folder], check=True)
        note("cloned")
        with typing(start.replace("make app", f"make app PORT={port}"), folder, home):
            wait_for_answer(address)
            note("installed, and the server answers")
            told = subprocess.run(
                ["/bin/sh", "-c", tell],
                cwd=folder,
                env=environment(home),
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            (code,) = re.findall(r"access_code: (\S+)", told)
            note("the code is told")
            join_all(address, code)
            note("three have joined")
    bench.tell("five_minutes", [{"step": k, "seconds": v} for k, v in steps.items()])


if __name__ == "__main__":
    main()
