"""What each part of the recipe adds on flower_photos: val accuracy, mean of 3 seeds.

`python -m tests.benchmarks.recipe [--seeds 3] [--only TEXT]`, with MobileNetV2 0.35
and ImageNet weights, 20 % val, another split for each seed. Features that rows have in
common are computed once, so times are those of training alone.
"""

import argparse
import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks import bench

_SIX = {"freeze": "last:6", "label_smoothing": 0.0, "layer_decay": 1.0}
_AUGMENTED = {**_SIX, "augmentation": "flip,crop"}
_SMOOTHED = {**_AUGMENTED, "label_smoothing": 0.1}
ROWS: dict[str, dict[str, Any]] = {
    "instant": {"method": "instant"},
    "head only": {},
    "head only, label smoothing": {"label_smoothing": 0.1},
    "last 6 blocks, plain": _SIX,
    "+ 4 cached views (flip, crop)": _AUGMENTED,
    "+ label smoothing 0.1": _SMOOTHED,
    "+ layer decay 0.8": {**_SMOOTHED, "layer_decay": 0.8},
    "+ L2-SP 0.01 instead of layer decay": {**_SMOOTHED, "l2_sp": 0.01},
    "learning rate 1e-4": {**_SMOOTHED, "fine_tune_learning_rate": 1e-4},
    "learning rate 3e-3": {**_SMOOTHED, "fine_tune_learning_rate": 3e-3},
    "last 10 blocks": {**_SMOOTHED, "freeze": "last:10"},
}


def main() -> None:
    """Trains each row with each seed and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(bench.environment(Path(folder)))
        photos = bench.flowers(Path(folder) / "photos")
        for seed in range(args.seeds):
            words = ("--name", f"flowers-{seed}", "--seed", str(seed))
            bench.transfer(Path(folder), "import", str(photos), *words)
        rows = [
            row(name, {"backbone": "mobilenet_v2_035", **settings}, args.seeds)
            for name, settings in ROWS.items()
            if args.only in name
        ]
    bench.tell("recipe", rows)


def row(name: str, settings: dict[str, Any], seeds: int) -> dict[str, Any]:
    """Val accuracy and seconds of training with these settings, over the seeds.

    Args:
        name: What to call the row.
        settings: Of `TrainConfig`; the datasets are `flowers-0`, `flowers-1` and so on.
        seeds: Number of seeds.
    """
    from transfer.config import TrainConfig  # noqa: PLC0415
    from transfer.datasets import library  # noqa: PLC0415
    from transfer.training import train  # noqa: PLC0415  reads the environment first
    from transfer.training.listener import Listener  # noqa: PLC0415

    accuracies, seconds = [], []
    for seed in range(seeds):
        config = TrainConfig.of(
            **{"dataset": f"flowers-{seed}", "seed": seed, **settings}
        )
        trained = train.train(config, library.load(config.dataset), Listener())
        accuracies.append(trained.best.accuracy)
        # Not the features, which rows share: the first would pay for all.
        seconds.append(trained.seconds["head"] + trained.seconds["fine_tune"])
    made = {
        "recipe": name,
        "val accuracy": statistics.mean(accuracies),
        "lowest": min(accuracies),
        "highest": max(accuracies),
        "seconds": statistics.mean(seconds),
    }
    print(made, flush=True)
    return made


if __name__ == "__main__":
    main()
