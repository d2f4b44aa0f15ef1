"""Stretched, cropped or with a border: accuracy on val of a head in closed form.

`python -m tests.benchmarks.resizing [--seeds 3]` imports each set with other splits and
trains by the command line. The gearwheels lie anywhere on a belt three times as long
as they are; discs and ovals differ by their shape alone.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from tests.benchmarks import bench, picture_sets
from tests.benchmarks.picture_sets import Pictures
from transfer.config import TrainConfig
from transfer.config import options as words_of

RESIZINGS = ("stretch", "crop", "fit")
SETS = {
    "flowers": (4000, picture_sets._flowers),
    "spoken digits": (1100, picture_sets._spoken),
    "discs and ovals": (600, lambda: _round_and_oval(600)),
    "gearwheels on a belt": (600, lambda: _on_a_belt(picture_sets._gearwheels())),
}


def main() -> None:
    """Trains and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", default=",".join(SETS))
    args = parser.parse_args()
    rows = []
    for name in args.sets.split(","):
        with tempfile.TemporaryDirectory() as place:
            rows += _rows(name, Path(place), args.seeds)
    bench.tell("resizing", rows)


def _rows(name: str, folder: Path, seeds: int) -> Iterator[dict[str, object]]:
    most, pictures = SETS[name]
    shapes = _write(islice(pictures(), most), folder / "pictures")
    reached: dict[str, list[float]] = {resizing: [] for resizing in RESIZINGS}
    for seed in range(seeds):
        source, seeded = str(folder / "pictures"), ("--seed", str(seed))
        bench.transfer(folder, "import", source, "--name", f"set{seed}", *seeded)
        for resizing in RESIZINGS:
            config = TrainConfig.of(
                dataset=f"set{seed}", method="instant", resizing=resizing, seed=seed
            )
            words = words_of(config.model_dump())
            result = bench.transfer(folder, "train", *words)
            reached[resizing].append(result["val_accuracy"])
    for resizing, values in reached.items():
        yield {
            "set": name,
            "images": len(shapes),
            "longer through shorter": statistics.median(shapes),
            "resizing": resizing,
            "val accuracy": statistics.mean(values),
            "least": min(values),
            "most": max(values),
        }


def _write(pictures: Pictures, folder: Path) -> list[float]:
    """Writes class folders; how many times as long as wide each picture is."""
    shapes = []
    for number, (label, picture) in enumerate(pictures):
        path = folder / label / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
        shapes.append(max(picture.size) / min(picture.size))
    return shapes


def _round_and_oval(count: int) -> Pictures:
    """A disc or an oval in a picture of any proportions, which stretching hides."""
    for number in range(count):
        random = np.random.default_rng(number)
        label = ("disc", "oval")[number % 2]
        longer = random.uniform(40, 60)
        across, down = random.permutation([longer, longer / (1, 1.4)[number % 2]])
        width, height = (
            int(x) for x in random.permutation([160, 160 * random.uniform(1, 3)])
        )
        picture = Image.new("RGB", (width, height), tuple(random.integers(0, 256, 3)))
        left = random.uniform(0, width - 2 * across)
        upper = random.uniform(0, height - 2 * down)
        box = left, upper, left + 2 * across, upper + 2 * down
        ImageDraw.Draw(picture).ellipse(box, tuple(random.integers(0, 256, 3)))
        yield label, picture


def _on_a_belt(pictures: Pictures) -> Pictures:
    for number, (label, picture) in enumerate(pictures):
        random = np.random.default_rng(number)
        belt = random.normal(90, 6, (picture.height, 3 * picture.width))
        belt = Image.fromarray(np.uint8(np.clip(belt, 0, 255))).convert("RGB")
        belt.paste(picture, (int(random.integers(0, 2 * picture.width)), 0))
        yield label, belt


if __name__ == "__main__":
    main()
