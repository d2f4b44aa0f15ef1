"""What transfer learning is worth with the starter: val accuracy, mean of 3 seeds.

`python -m tests.benchmarks.starter [--seeds 3] [--only TEXT]`: the starter beside the
same network with random weights, the same network trained from nothing on the same
images, and MobileNetV2 0.35 with ImageNet weights; on flower_photos (20 % val), and on
the two samples. Also how long loading the starter takes.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import bench, recipe

_STARTER = {"backbone": "starter"}
_RANDOM = {**_STARTER, "weights": "random"}
_IMAGENET = {"backbone": "mobilenet_v2_035"}
_INSTANT = {"method": "instant"}
_VIEWS = {"freeze": "last:2", "augmentation": "flip,crop"}
_SCRATCH = {"freeze": "none", "layer_decay": 1.0, "fine_tune_epochs": 20}
ROWS: dict[str, dict[str, Any]] = {
    "starter, instant": {**_STARTER, **_INSTANT},
    "starter, head only": _STARTER,
    "starter, last 2 blocks, flip and crop": {**_STARTER, **_VIEWS},
    "random weights, instant": {**_RANDOM, **_INSTANT},
    "random weights, head only": _RANDOM,
    "from nothing, all layers, 20 epochs": {**_RANDOM, **_SCRATCH},
    "MobileNetV2 0.35, instant": {**_IMAGENET, **_INSTANT},
    **{
        f"{sample}: {name}, instant": {"dataset": sample, **settings, **_INSTANT}
        for sample in ("digits", "gearwheels")
        for name, settings in (
            ("starter", _STARTER),
            ("random weights", _RANDOM),
            ("MobileNetV2 0.35", _IMAGENET),
        )
    },
}


def main() -> None:
    """Trains each row with each seed and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.update(bench.environment(folder))
        photos = bench.flowers(folder / "photos")
        for seed in range(args.seeds):
            words = ("--name", f"flowers-{seed}", "--seed", str(seed))
            bench.transfer(folder, "import", str(photos), *words)
        for sample in ("digits", "gearwheels"):
            bench.transfer(folder, "import", f"sample:{sample}", "--name", sample)
        rows = [
            recipe.row(what, settings, args.seeds)
            for what, settings in ROWS.items()
            if args.only in what
        ]
        seconds = _loading()
    bench.tell("starter", rows, seconds_of_loading=seconds)
    print(f"loading the starter, Keras imported: {seconds:.2f} s")


def _loading() -> float:
    from transfer.backbones import graph  # noqa: PLC0415  Keras is there by now

    start = time.perf_counter()
    graph.build("starter", weights="starter")
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
