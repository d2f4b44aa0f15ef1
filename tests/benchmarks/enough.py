"""Whether the accuracy at twice the images lies where `enough` says, on five sets.

`python -m tests.benchmarks.enough [--seeds 4]`: so many images of each class are drawn
and asked what twice as many would bring; then as many more are drawn, and a head in
closed form from both names the images that are left. With the features of `pooled`.
"""

import argparse
import statistics
import time
from typing import Any

import numpy as np

from tests.benchmarks import bench, pooled
from transfer.advice import growth
from transfer.classifier import closed_form

#: Images a class that are there at first.
SIZES = {
    "flowers": (5, 10, 20, 50, 100, 200),
    "digits": (5, 10, 20, 40),
    "gearwheels": (5, 10, 20),
    "20 of Tiny ImageNet": (5, 10, 20, 50, 100),
    "Tiny ImageNet": (10, 25),
}


def main() -> None:
    """Asks, doubles the images, and tells how often it was right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    seeds = parser.parse_args().seeds
    rows = []
    for name, sizes in SIZES.items():
        for each in sizes:
            cases = [_case(name, each, seed) for seed in range(seeds)]
            mean = {key: statistics.mean(c[key] for c in cases) for key in cases[0]}
            rows.append({"set": name, "images a class": each, **mean})
            print(rows[-1], flush=True)
    share = statistics.mean(row["held"] for row in rows)
    bench.tell("enough", rows, held_of_all=share)


def _case(name: str, each: int, seed: int) -> dict[str, Any]:
    x, y = pooled.load(name)
    classes = int(y.max()) + 1
    both = pooled.draw(y, 2 * each, seed)
    # Of each class the first half is there at first.
    first = both.reshape(classes, 2, each)[:, 0].ravel()
    rest = np.setdiff1d(np.arange(len(y)), both)
    start = time.perf_counter()
    said = growth.grow(x[first], y[first], tuple(map(str, range(classes))), seed)
    seconds = time.perf_counter() - start
    accuracies = []
    for chosen in (first, both):
        head = closed_form.solve(x[chosen], y[chosen], classes)
        answers = (x[rest] @ head.kernel + head.bias).argmax(1)
        # Each class counts alike, as it does in what was drawn.
        right = np.bincount(y[rest], answers == y[rest]) / np.bincount(y[rest])
        accuracies.append(float(right.mean()))
    now, twice = accuracies
    return {
        "twice": twice,
        "said": said.twice.value,
        "held": said.twice.low <= twice <= said.twice.high,
        "width": said.twice.high - said.twice.low,
        "gain": twice - now,
        "gain said": said.gain.value,
        "gain held": said.gain.low <= twice - now <= said.gain.high,
        "gain width": said.gain.high - said.gain.low,
        "seconds": seconds,
    }


if __name__ == "__main__":
    main()
