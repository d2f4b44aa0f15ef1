"""What the pages cost the server where the store has thousands of runs.

`python -m tests.benchmarks.many_runs [--runs 5000] [--rounds 3]`: every page by
Streamlit's AppTest, in one process: its first run in a new session, and a rerun, each
the median of the rounds. One run was really trained and the address names it; the
others are rows with its settings and results, a tenth of them with 300 metrics, so that
its model, images and evaluation stand for theirs. Whatever the pages ask the inference
process for is asked once beforehand; the first page of all counts for nothing, as it
imports what all pages need. Where others load the machine, the time that the process
itself computed says more.

Wanted: less than half a second each.
"""

import argparse
import contextlib
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from tests import jobs_made
from tests.benchmarks import bench
from tests.pages.opened import opened
from tests.pictures import make_pictures
from transfer.config import TrainConfig
from transfer.errors import TransferError
from transfer.store.record import Metric, Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus

#: Milliseconds that a page may take.
WANTED = 500
PICTURES = {"cat": 40, "dog": 40, "fox": 40}
#: How every so many runs end, and every how many have metrics.
ENDS = (*[JobStatus.COMPLETED] * 7, *[JobStatus.STOPPED] * 2, JobStatus.FAILED)
WITH_METRICS, METRICS = 10, 300
#: Runs that wait, beside those that have ended.
QUEUED = 10
#: What the runs differ in, for they all differ a little.
BACKBONES = ("mobilenet_v2", "efficientnet_lite0", "efficientnet_b0", "resnet50")
FREEZES = ("all", "last:3", "last:6", "none")
DATASETS = ("pets", "flowers", "leaves", "screws")


def main() -> None:
    """Prints the table and writes it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    # Streamlit tells at every run of a page that there is no browser.
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="many-runs-") as name:
        folder = Path(name)
        os.environ.update(bench.environment(folder))
        make_pictures(folder / "pets", PICTURES)
        bench.transfer(folder, "import", str(folder / "pets"), "--name", "pets")
        trained = train(folder)
        seconds = add_runs(trained, args.runs - 1)
        rows = measure(pages(trained), args.rounds)
    if "keras" in sys.modules:
        sys.exit("Keras is in this process, so Streamlit's own times are not its own.")
    bench.tell("many_runs", rows, runs=args.runs, seconds_of_a_new_run=seconds)
    print(f"{1000 * seconds:.1f} ms to add a run and its end, in the mean")


def train(folder: Path) -> Run:
    """A run that was really trained, with its model and its evaluation."""
    settings = ("--dataset", "pets", "--freeze", "last:1")
    epochs = ("--head-epochs", "2", "--fine-tune-epochs", "2")
    told = bench.transfer(folder, "train", *settings, *epochs)
    store = Store()
    try:
        return store.get(told["run"])
    finally:
        store.close()


def add_runs(like: Run, count: int) -> float:
    """Adds so many runs with results like this one's; seconds of each in the mean."""
    store = Store()
    start = time.perf_counter()
    for number in range(count - QUEUED):
        _add_ended(store, like, number)
    for number in range(QUEUED):
        store.create(_config(like, number), f"waits {number}")
    seconds = (time.perf_counter() - start) / count
    store.close()
    return seconds


def _add_ended(store: Store, like: Run, number: int) -> None:
    run = store.create(_config(like, number), f"run {number}" if number % 3 else "")
    store.transition(run.id, JobStatus.RUNNING, started_at=time.time())
    if number % WITH_METRICS == 0:
        jobs_made.measure(store, run.id, _metrics())
    status = ENDS[number % len(ENDS)]
    accuracy = 0.5 + number % 50 / 100
    if status is JobStatus.FAILED:
        error = {"kind": "RunError", "message": "The disk is full.", "hint": "Free it."}
        store.finish(run.id, status, error=error)
    else:
        store.finish(run.id, status, {**like.result, "val_accuracy": accuracy})
    if number % 7 == 0:
        store.describe(run.id, note=f"With batch {number}.", tags=("keep", "paper"))


def _config(like: Run, number: int) -> TrainConfig:
    changed: dict[str, Any] = {
        "backbone": BACKBONES[number % len(BACKBONES)],
        "freeze": FREEZES[number // 4 % len(FREEZES)],
        "dataset": DATASETS[number // 16 % len(DATASETS)],
        "seed": number,
    }
    kept = like.config.model_dump(exclude=set(changed))
    return TrainConfig.of(**kept, **changed)


def _metrics() -> list[Metric]:
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    steps = METRICS - 5 * len(names)
    found = [
        Metric(phase="head", epoch=1 + step // 60, step=step % 60, name="loss", value=1)
        for step in range(steps)
    ]
    return found + [
        Metric(phase="head", epoch=epoch, name=name, value=0.5)
        for epoch in range(1, 6)
        for name in names
    ]


def pages(run: Run) -> dict[str, Callable[[], AppTest]]:
    """How each page is opened in a new session, by its name."""
    of_run = {
        f"{title} ?run=": _opens(file, run=run.id)
        for title, file in (
            ("Runs", "3_runs.py"),
            ("Evaluate", "4_evaluate.py"),
            ("Predict", "5_predict.py"),
            ("Export", "6_export.py"),
        )
    }
    files = ("1_data.py", "2_model.py", "3_runs.py", "4_evaluate.py", "5_predict.py")
    bare = {
        file[2:-3].capitalize(): _opens(file)
        for file in (*files, "6_export.py", "7_weights.py")
    }
    return {**bare, **of_run}


def _opens(file: str, **query: str) -> Callable[[], AppTest]:
    return lambda: opened(file, **query)


def measure(
    ways: dict[str, Callable[[], AppTest]], rounds: int
) -> list[dict[str, Any]]:
    """A line of the table for each page."""
    for way in ways.values():
        check(way())  # starts the inference process, where a page asks for it
    _wait_for_inference()
    seconds: dict[str, list[tuple[float, ...]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            page = way()
            middle, computed = time.perf_counter(), time.process_time()
            page.run()
            end, computed = time.perf_counter(), time.process_time() - computed
            seconds[name].append((middle - start, end - middle, computed))
            check(page)
    return [_line(name, found) for name, found in seconds.items()]


def check(page: AppTest) -> None:
    """Ends the benchmark where a page failed: that is quick, and measures nothing."""
    if page.exception or page.error:
        sys.exit(json.dumps([one.value for one in (*page.exception, *page.error)]))


def _wait_for_inference() -> None:
    """Until nothing loads a model meanwhile: Predict has one loaded as it opens."""
    # Streamlit keeps what a page imports, so this is the pages' own process.
    from pages.shared import session  # noqa: PLC0415

    with contextlib.suppress(TransferError):  # there is no such run
        session.inference().knows_training_images("none")


def _line(name: str, seconds: list[tuple[float, ...]]) -> dict[str, Any]:
    first, again, computed = (
        1000 * statistics.median(one) for one in zip(*seconds, strict=True)
    )
    return {
        "page": name,
        "first run, ms": first,
        "rerun, ms": again,
        "of it computing": computed,
        f"below {WANTED} ms": "yes" if max(first, again) < WANTED else "NO",
    }


if __name__ == "__main__":
    main()
