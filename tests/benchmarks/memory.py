"""Peak memory of a worker with 2,000 and with 10,000 images.

`python -m tests.benchmarks.memory [--sizes 2000,10000] [--freeze last:3]`, MobileNetV2
with random weights, one epoch of each phase, made pictures of 224 px.
"""

import argparse
import tempfile
from pathlib import Path

from tests.benchmarks import bench
from tests.pictures import make_pictures


def main() -> None:
    """Trains once with each number of images and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="2000,10000")
    parser.add_argument("--freeze", default="last:3")
    args = parser.parse_args()
    rows = []
    for images in map(int, args.sizes.split(",")):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            # Made pictures: there are not as many photographs at hand.
            classes = {letter: images // 4 for letter in "abcd"}
            make_pictures(folder / "made", classes, (224, 224), extension=".jpg")
            bench.transfer(folder, "import", str(folder / "made"), "--name", "made")
            settings = ("--dataset", "made", "--backbone", "mobilenet_v2")
            epochs = ("--head-epochs", "1", "--fine-tune-epochs", "1")
            rest = ("--weights", "random", "--freeze", args.freeze)
            told = bench.transfer(folder, "train", *settings, *epochs, *rest)
        rows.append(
            {
                "images": images,
                "peak memory, MB": told["peak_memory_mb"],
                "seconds": told["seconds"]["total"],
            }
        )
        rows[-1]["against the first"] = (
            rows[-1]["peak memory, MB"] / rows[0]["peak memory, MB"]
        )
    bench.tell("memory", rows, freeze=args.freeze)


if __name__ == "__main__":
    main()
