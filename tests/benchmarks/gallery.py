"""What 100,000 images cost: their import, a gallery of them, changes of many at once.

`python -m tests.benchmarks.gallery [--images 100000]`. The images are 64 pixels wide,
cut out of Tiny ImageNet's sheets; each step is timed in a process of its own. With
Chromium on the path, the gallery is scrolled in it, too: from a scroll until every
picture in view is drawn.
"""

import argparse
import io
import json
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page

from pages.data import feed
from pages.shared.visits import Visit
from tests.benchmarks import bench, browsing
from transfer.datasets import classes, editing, history, library
from transfer.datasets.ingest.importer import import_path
from transfer.gallery import view as views
from transfer.gallery.view import ORDERS, View

SIDE, OF_A_CLASS = 64, 500
PORT = "8599"
#: Milliseconds until all that is in view after a scroll is drawn; of a share of the
#: height, or a screen further down for less than 0.
SCROLL = """async to => {
  const find = root => {
    for (const e of root.querySelectorAll('*')) {
      if (e.getAttribute('role') === 'listbox' && e.className === 'view') return e;
      const inside = e.shadowRoot && find(e.shadowRoot);
      if (inside) return inside;
    }
  };
  const view = find(document), start = performance.now();
  view.scrollTop = to < 0 ? view.scrollTop + view.clientHeight : to * view.scrollHeight;
  const { top, bottom } = view.getBoundingClientRect();
  const isDrawn = () => {
    const seen = [...view.querySelectorAll('.cell')].filter(cell => {
      const box = cell.getBoundingClientRect();
      return box.bottom > top && box.top < bottom;
    });
    return seen.length && seen.every(one => one.querySelector('img')?.naturalWidth);
  };
  await new Promise(done => requestAnimationFrame(done));
  while (!isDrawn()) await new Promise(done => setTimeout(done, 5));
  return performance.now() - start;
}"""


def main() -> None:
    """Measures each step and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--step", choices=STEPS, help="for this program itself")
    args = parser.parse_args()
    if args.step:
        print(json.dumps(STEPS[args.step]()))
        return
    with tempfile.TemporaryDirectory() as name:
        folder, row = Path(name), dict[str, Any](images=args.images)
        write_images(folder / "tiny", args.images)
        for step in STEPS:
            words = ("-m", "tests.benchmarks.gallery", "--step", step)
            row |= bench.run_timed(sys.executable, *words, folder=folder)[1]
        if shutil.which("chromium"):
            row |= scroll(folder)
    bench.tell("gallery", [row])


def write_images(folder: Path, images: int) -> None:
    """So many JPEGs in class folders."""
    archive = bench.SHARED / "data" / "tiny_imagenet_64.zip"
    if not archive.exists():
        sys.exit(f"This benchmark needs {archive}.")
    with zipfile.ZipFile(archive) as sheets:
        names = sorted(n for n in sheets.namelist() if "train" in n and ".avif" in n)
        for name in names[: -(-images // OF_A_CLASS)]:
            sheet = Image.open(io.BytesIO(sheets.read(name))).convert("RGB")
            target = folder / Path(name).stem
            target.mkdir(parents=True)
            for tile in range(OF_A_CLASS):
                top, left = SIDE * (tile // 25), SIDE * (tile % 25)
                small = sheet.crop((left, top, left + SIDE, top + SIDE))
                small.save(target / f"{tile:03}.jpg", quality=90)


def bring() -> dict[str, Any]:
    """The import."""
    source = Path(os.environ["TRANSFER_HOME"]).parent / "tiny"
    took = _seconds(lambda: import_path(source, "tiny"))
    found = len(library.load("tiny").images)
    return {
        "import, images/s": found / took,
        "images per CPU second": found / time.process_time(),
        "peak, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    }


def look() -> dict[str, Any]:
    """The views, and what a browser asks for."""
    revision = library.load("tiny")
    orders = {}
    for order in ORDERS[1:7]:
        view = View(dataset="tiny", revision=revision.id, order=order)
        orders[f"by {order}, s"] = _seconds(lambda v=view: views.show(v))
    visit = Visit(view.to_token())
    spent = [
        _seconds(lambda at=at: feed.page(visit, at, 100)) for at in range(0, 900, 99)
    ]
    return orders | {"100 in JSON, ms": 1000 * statistics.median(spent)}


def change() -> dict[str, Any]:
    """Changes of many images at once, and back."""
    row: dict[str, Any] = {}
    before = library.load("tiny")
    some = [image.sha256 for image in before.images[:1000]]
    first, second, third, *_ = before.class_names
    steps: dict[str, Callable[[], object]] = {
        "move 1,000": lambda: editing.move("tiny", some, third),
        "leave out 1,000": lambda: editing.leave_out("tiny", some, "a test"),
        "rename": lambda: classes.rename("tiny", first, "z"),
        "merge": lambda: classes.merge("tiny", [second, third], "both"),
        "undo": lambda: history.undo("tiny"),
    }
    for name, step in steps.items():
        size = _bytes()
        row[f"{name}, ms"] = 1000 * _seconds(step)
        row[f"{name}, kB"] = (_bytes() - size) / 1000
    history.go_to("tiny", before.id)
    return row


STEPS = {"bring": bring, "look": look, "change": change}


def scroll(folder: Path) -> dict[str, Any]:
    """Milliseconds in a real browser, screen by screen and far away."""
    with browsing.app(PORT, bench.environment(folder)) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.set_default_timeout(300_000)
        return _scroll(page)


def _scroll(page: Page) -> dict[str, Any]:
    while True:
        try:
            page.goto(f"http://127.0.0.1:{PORT}/?dataset=tiny")
            break
        except Exception:  # noqa: BLE001 - until the server listens
            time.sleep(0.5)
    page.get_by_role("radio", name="All images").click()
    page.locator(".cell img").first.wait_for()
    page.locator(".view").scroll_into_view_if_needed()
    screens = [page.evaluate(SCROLL, -1) for _ in range(20)]
    jumps = [page.evaluate(SCROLL, at * 7 % 20 / 20) for at in range(1, 20)]
    return {
        "a screen, ms": statistics.median(screens),
        "slowest screen, ms": max(screens),
        "a jump, ms": statistics.median(jumps),
        "slowest jump, ms": max(jumps),
    }


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _bytes() -> int:
    folder = Path(os.environ["TRANSFER_HOME"], "datasets")
    return sum(path.stat().st_size for path in folder.glob("*/*.json"))


if __name__ == "__main__":
    main()
