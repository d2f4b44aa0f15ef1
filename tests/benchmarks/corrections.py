"""What it costs to correct one picture of a large dataset, and to read it afterwards.

`python -m tests.benchmarks.corrections [--images 1000,100000] [--corrections 300]`. The
datasets are lists of pictures that do not exist, except those that are added. Cold is
a process that has read nothing yet; each stage has a process of its own.
"""

import argparse
import gc
import io
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks import bench
from tests.pictures import noisy_picture
from transfer.datasets import editing, library
from transfer.datasets.revision import SPLITS, Image, Revision

CLASSES = ("daisies", "dandelions", "roses", "sunflowers", "tulips")


def main() -> None:
    """Measures each size and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", default="1000,100000")
    parser.add_argument("--corrections", type=int, default=300)
    parser.add_argument("--stage", choices=STAGES, help="for this program itself")
    args = parser.parse_args()
    if args.stage:
        print(json.dumps(STAGES[args.stage](args.corrections)))
        return
    rows = []
    for images in map(int, args.images.split(",")):
        with tempfile.TemporaryDirectory() as name:
            row: dict[str, Any] = {"images": images}
            os.environ.update(bench.environment(Path(name)))
            library.store(revision(images), {})
            for stage in STAGES:
                called = ("-m", "tests.benchmarks.corrections", "--stage", stage)
                count = ("--corrections", str(args.corrections))
                _, told = bench.run_timed(
                    sys.executable, *called, *count, folder=Path(name)
                )
                row |= told
        rows.append(row)
    bench.tell("corrections", rows, corrections=args.corrections)


def revision(images: int) -> Revision:
    """The first revision of a dataset of so many pictures."""
    draw = random.Random(0)  # noqa: S311
    made = (
        Image(
            sha256=f"{draw.getrandbits(256):064x}",
            path=f"flower_photos/{CLASSES[number % 5]}/IMG_{number:07}.jpg",
            label=number % 5,
            split=SPLITS[number % 10 == 0],
        )
        for number in range(images)
    )
    return Revision(
        dataset="flowers",
        id=f"{images:016}",
        class_names=CLASSES,
        images=tuple(sorted(made, key=lambda one: one.path)),
        passed_over=(),
        split_source="stratified",
        val=0.1,
        test=0.0,
        seed=0,
        created_at=0.0,
    )


def correct(corrections: int) -> dict[str, Any]:
    """Corrections one after another, as a server sees them."""
    memory, cold = _memory_mb(), _seconds(lambda: library.load("flowers"))
    row = {
        "load cold, s": cold,
        "load again, ms": 1000 * _seconds(library.list_datasets),
    }
    row["read, MB"] = _memory_mb() - memory
    before, spent = _bytes(), []
    for number in range(corrections):
        buffer = io.BytesIO()
        noisy_picture(0.5, seed=number).save(buffer, "PNG")
        name, content = CLASSES[number % 5], buffer.getvalue()
        spent.append(
            _seconds(lambda c=content, n=name: editing.add("flowers", c, n, "a"))
        )
    return row | {
        "correction, ms": 1000 * statistics.median(spent),
        "slowest, ms": 1000 * max(spent),
        "each writes, kB": (_bytes() - before) / corrections / 1000,
        "read then, MB": _memory_mb() - memory,
    }


def look(_: int) -> dict[str, Any]:
    """The list of datasets after the corrections, as it is first read."""
    cold = _seconds(library.list_datasets)
    return {
        "list then cold, s": cold,
        "again, ms": 1000 * _seconds(library.list_datasets),
    }


def clean(_: int) -> dict[str, Any]:
    """The search for pictures that nobody needs."""
    return {"clean, s": _seconds(library.remove_unused_images)}


STAGES: dict[str, Callable[[int], dict[str, Any]]] = {
    "correct": correct,
    "look": look,
    "clean": clean,
}


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _memory_mb() -> float:
    gc.collect()
    return float(psutil.Process().memory_info().rss) / 1e6


def _bytes() -> int:
    folder = Path(os.environ["TRANSFER_HOME"], "datasets")
    return sum(path.stat().st_size for path in folder.glob("*/*"))


if __name__ == "__main__":
    main()
