"""What people wait for before anything is done: imports, first answers, jobs.

`python -m tests.benchmarks.start_up [--rounds 3]`. Each in a process of its own, the
way with Keras and ours by turns, so that both meet the same machine; EfficientNet-Lite0
in closed form on the sample gearwheels. Seconds are those of a clock, and of the
processor in brackets: the medians, with the range of the rounds' ratios.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from tests.benchmarks import bench
from transfer.advice import imagenet_names
from transfer.datasets import library
from transfer.runs import queue
from transfer.runs.engines.local import SpareWorker
from transfer.runs.kinds import room
from transfer.store.runs import Store

_IMPORT = (
    "from transfer.evaluation import evaluator\nfrom transfer.training import train"
)
_QUICKLY = "from transfer.worker import spare\nspare.import_keras()"
#: As the inference process answered before models were converted for it.
_BY_KERAS = """
import sys
from pathlib import Path
import numpy as np
from transfer.classifier import model as classifier
from transfer.datasets import decoding
from transfer.store import files
from transfer.store.runs import Store
run = Store().get(sys.argv[1])
names = run.result["class_names"]
model = classifier.load(files.model(run.id), len(names))
pixels = decoding.decode(Path(sys.argv[2]), model.input_shape[1:3])
print(model.predict_on_batch(pixels[np.newaxis].astype(np.float32)))
"""


class Cost(NamedTuple):
    """Seconds that something took."""

    clock: float
    processor: float | None


Way = Callable[[], Cost]


def main() -> None:
    """Prints the table and writes `.benchmarks/start_up.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        os.environ.update(bench.environment(Path(name)))
        bench.transfer(Path(name), "import", "sample:gearwheels", "--name", "wheels")
        settings = ("--backbone", "efficientnet_lite0", "--method", "instant")
        made = bench.transfer(Path(name), "train", "--dataset", "wheels", *settings)
        bench.transfer(Path(name), "imagenet", "--dataset", "wheels")
        rows = [compare(*pair, rounds) for pair in pairs(made["run"])]
    bench.tell("start_up", rows, rounds=rounds)


def pairs(run: str) -> list[tuple[str, Way, Way]]:
    """What is compared: its name, the way before and ours."""
    revision = library.load("wheels")
    path = str(library.image_path(revision.images[0].sha256))
    shown = {"run": run, "picture": {"path": path}}
    predict = request("predict", run=run, pictures=[shown["picture"]])
    explain = request("explain", **shown, class_name=revision.class_names[0])
    before = python("-c", _BY_KERAS, run, path)
    server = ("-m", "transfer.prediction.server")
    return [
        ("import of Keras", python("-c", _IMPORT), python("-c", _QUICKLY)),
        ("first answer", before, python(*server, tells=predict)),
        (
            "the same with a heat map, against the answer alone",
            before,
            python(*server, tells=predict + explain),
        ),
        ("a job whose features are kept", job(spare=False), job(spare=True)),
    ]


def compare(what: str, before: Way, ours: Way, rounds: int) -> dict[str, Any]:
    """A row of the table."""
    costs = [(before(), ours()) for _ in range(rounds)]
    ratios = [one.clock / other.clock for one, other in costs]
    low, middle, high = min(ratios), statistics.median(ratios), max(ratios)
    return {
        "what": what,
        "before": _median([one for one, _ in costs]),
        "ours": _median([other for _, other in costs]),
        "times as fast": f"{middle:.1f} ({low:.1f}–{high:.1f})",
    }


def _median(costs: list[Cost]) -> str:
    clock = f"{statistics.median(one.clock for one in costs):.1f}"
    spent = [one.processor for one in costs if one.processor is not None]
    return f"{clock} ({statistics.median(spent):.1f})" if spent else clock


def request(name: str, **arguments: Any) -> str:
    """A line for the inference process."""
    return json.dumps({"request": name, "arguments": arguments}) + "\n"


def python(*arguments: str, tells: str = "") -> Way:
    """A whole process of Python's, which is told something on standard input."""

    def run() -> Cost:
        start, spent = time.perf_counter(), os.times()
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=bench.ROOT,
            input=tells.encode(),
            capture_output=True,
        )
        now, seconds = os.times(), time.perf_counter() - start
        if done.returncode or b'"error"' in done.stdout:
            sys.exit(f"{arguments}\n{done.stdout!r}\n{done.stderr.decode()}")
        user = now.children_user - spent.children_user
        return Cost(seconds, user + now.children_system - spent.children_system)

    return run


def job(spare: bool) -> Way:
    """ImageNet is asked about a dataset of which it was asked before.

    Args:
        spare: Whether a spare worker does it, which has nothing more to prepare.
    """

    def run() -> Cost:
        worker = SpareWorker()
        if spare:
            worker.prepare()
            _wait_until_idle(worker)
        store = Store()
        queue.ask(store, imagenet_names.request(library.load("wheels")))
        asked = store.claim_next("here", room())
        store.close()
        start = time.perf_counter()
        if asked is None or worker.start(asked).wait():
            sys.exit("The job was not done.")
        return Cost(time.perf_counter() - start, None)

    return run


def _wait_until_idle(worker: SpareWorker) -> None:
    assert worker._process
    process, before, now = psutil.Process(worker._process.pid), -1.0, 0.0
    while now < 1 or now > before:
        time.sleep(3)
        before, now = now, sum(process.cpu_times()[:2])


if __name__ == "__main__":
    main()
