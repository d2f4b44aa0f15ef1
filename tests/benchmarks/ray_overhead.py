"""How much longer a run of about a minute takes by way of Ray than without it.

`python -m tests.benchmarks.ray_overhead [--pairs 3] [--epochs 12]`. One node on this
machine; both ways in turn, from the click to the end, features kept from before. Each
way a spare worker is ready and nothing else is at work, as in an app at rest.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from tests import ray_nodes
from tests.benchmarks import bench
from transfer import processes
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.runs import queue
from transfer.runs.supervisor import Supervisor
from transfer.store.runs import Store


def main() -> None:
    """Runs all and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(bench.environment(Path(folder)))
        bench.import_flowers(Path(folder))
        with ray_nodes.running(cores=processes.cores()) as nodes:
            os.environ["RAY_ADDRESS"] = nodes[0].address
            bench.tell("ray_overhead", pairs(args))


def pairs(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Seconds of both ways, and their ratio, and the median of all."""
    config = TrainConfig.of(
        dataset="flowers",
        revision=library.load("flowers").id,
        freeze="last:3",
        fine_tune_epochs=args.epochs,
    )
    seconds("local", config)  # its features are kept, which is not what is compared
    rows = []
    for pair in range(args.pairs):
        way = ["local", "ray"] if pair % 2 == 0 else ["ray", "local"]
        took: dict[str, Any] = {engine: seconds(engine, config) for engine in way}
        rows.append({"pair": pair, **took, "ratio": took["ray"] / took["local"]})
    names = ("local", "ray", "ratio")
    middle = {name: statistics.median(row[name] for row in rows) for name in names}
    return [*rows, {"pair": "median", **middle}]


def seconds(engine: str, config: TrainConfig) -> float:
    """Of a run from the click to its end."""
    os.environ["TRANSFER_ENGINE"] = engine
    store, supervisor = Store(), Supervisor()
    supervisor.start()
    wait_until_ready(store)
    start = time.time()
    run = queue.submit(store, config)
    while not (found := store.get(run.id)).status.is_final:
        time.sleep(0.5)  # looking more often would slow it
    supervisor.stop()
    store.close()
    if found.status != "completed":
        sys.exit(str(found.error))
    return (found.ended_at or 0.0) - start


def wait_until_ready(store: Store) -> None:
    """Until what was left of the last run is done and a spare worker is idle."""
    before, now = -1.0, 0.0
    while store.active() or store.waiting() or now < 1 or now != before:
        time.sleep(5)
        before, now = now, sum(map(seconds_of_spare, psutil.Process().children(True)))


def seconds_of_spare(process: psutil.Process) -> float:
    """Seconds of a core that a spare worker has taken; 0 if it is none."""
    with suppress(psutil.Error):
        if "--spare" in process.cmdline():
            return float(sum(process.cpu_times()[:2]))
    return 0.0


if __name__ == "__main__":
    main()
