"""From a folder to a trained model: plain Keras, ours with an empty cache, ours again.

`python -m tests.benchmarks.whole_run [--backbone NAME] [--weights imagenet|random]
[--precision bfloat16] [--epochs 10] [--reference-epochs N] [--seeds 3]`. Whole
processes, the import of Keras included. The second run is done as the app does it: by a
worker that has imported Keras and built the last run's backbone ahead of time. With
fewer reference epochs than epochs, the reference's time is completed with the mean of
its epochs after the first.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import bench
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.runs import queue
from transfer.runs.supervisor import Supervisor
from transfer.store.runs import Store

PLAIN = str(Path(__file__).with_name("plain_keras.py"))


def main() -> None:
    """Runs all and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="mobilenet_v2_035")
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--reference-epochs", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--precision", default="auto")
    args = parser.parse_args()
    rows = []
    for seed in range(args.seeds):
        with tempfile.TemporaryDirectory() as folder:
            rows.append(one(args, seed, Path(folder)))
    names = ("ratio, first run", "ratio, second run", "accuracy lost")
    means = {name: statistics.mean(row[name] for row in rows) for name in names}
    bench.tell(f"whole_run-{args.backbone}", [*rows, {"seed": "mean", **means}])


def one(args: argparse.Namespace, seed: int, folder: Path) -> dict[str, Any]:
    """The three runs on the same split."""
    os.environ.update(bench.environment(folder))
    imported = bench.import_flowers(folder, seed)
    settings = {
        "dataset": "flowers",
        "backbone": args.backbone,
        "weights": args.weights,
        "head": "dense1024",
        "head_epochs": args.epochs,
        "precision": args.precision,
        "seed": seed,
    }
    # The import counts too: Keras reads the same folder in its own time.
    start = time.perf_counter()
    words = [w for n, v in settings.items() for w in (f"--{n.replace('_', '-')}", v)]
    first = bench.transfer(folder, "train", *map(str, words))
    first_seconds = imported + time.perf_counter() - start
    second_seconds = by_the_app(TrainConfig.of(**settings))
    reference, epochs = by_keras(args, seed, folder)
    return {
        "seed": seed,
        "keras": reference,
        "first run": first_seconds,
        "second run": second_seconds,
        "ratio, first run": reference / first_seconds,
        "ratio, second run": reference / second_seconds,
        "val accuracy keras": epochs["val_accuracy"],
        "val accuracy ours": first["val_accuracy"],
        "accuracy lost": epochs["val_accuracy"] - first["val_accuracy"],
        "parts": first["seconds"],
    }


def by_the_app(config: TrainConfig) -> float:
    """Seconds from the click to the end, with the server's spare worker."""
    store = Store()
    supervisor = Supervisor()
    supervisor.start()
    time.sleep(20)  # the spare worker gets ready
    start = time.time()
    revision = library.load(config.dataset).id
    run = queue.submit(store, config.model_copy(update={"revision": revision}))
    while not (found := store.get(run.id)).status.is_final:
        time.sleep(0.5)  # looking more often would slow it
    seconds = (found.ended_at or 0.0) - start
    supervisor.stop()
    store.close()
    if found.status != "completed":
        sys.exit(str(found.error))
    return seconds


def by_keras(
    args: argparse.Namespace, seed: int, folder: Path
) -> tuple[float, dict[str, Any]]:
    """Seconds of the plain program on the same split, and what it told."""
    epochs = args.reference_epochs or args.epochs
    seconds, told = bench.run_timed(
        *(sys.executable, PLAIN, str(bench.split(folder))),
        *(args.backbone, args.weights, str(epochs), str(seed)),
        folder=folder,
    )
    # The first epoch builds the graph and would be counted several times.
    later = told["epochs"][1:] or told["epochs"]
    return seconds + (args.epochs - epochs) * statistics.mean(later), told


if __name__ == "__main__":
    main()
