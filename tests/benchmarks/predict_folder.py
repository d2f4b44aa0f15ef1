"""Predicting a folder of 1,000 pictures, against Keras' `predict` picture by picture.

    python -m tests.benchmarks.predict_folder

Trains MobileNetV2 0.35 on flower_photos in closed form, then asks it about the first
1,000 photographs, from files to ranked classes: our way for the first time (the engine
is converted, unless training left a conversion), our way again, and Keras' `predict`
on one picture after the other, completed from 200 of them.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks import bench

COUNT = 1000
ONE_BY_ONE = 200


def ask(run: str, folder: str) -> None:
    """Prints the seconds of each way as JSON; runs in a process of its own."""
    from transfer.datasets import decoding  # noqa: PLC0415
    from transfer.prediction import models  # noqa: PLC0415  Keras, only in the child

    pictures: list[Any] = sorted(Path(folder).rglob("*.jpg"))[:COUNT]
    classifier = models.load(run)
    classifier.probabilities(pictures[:1])
    seconds = {}
    for way in ("first", "again"):
        start = time.perf_counter()
        ours = classifier.probabilities(pictures)
        seconds[way] = time.perf_counter() - start
    # Decoded in one way for both, so that only the asking differs.
    size, model = classifier.runner.image_size, models.load_keras(models.find(run))
    one = decoding.decode(pictures[0], size)[np.newaxis].astype(np.float32)
    model.predict(one, verbose=0)  # builds the graph
    start, rows = time.perf_counter(), []
    for picture in pictures[:ONE_BY_ONE]:
        pixels = decoding.decode(picture, size)[np.newaxis].astype(np.float32)
        rows.append(model.predict(pixels, verbose=0)[0])
    seconds["keras"] = (time.perf_counter() - start) / ONE_BY_ONE * len(pictures)
    apart = float(np.abs(np.stack(rows) - ours[:ONE_BY_ONE]).max())
    print(json.dumps({"seconds": seconds, "apart": apart, "pictures": len(pictures)}))


def main() -> None:
    """Prints the table and writes `.benchmarks/predict_folder.json`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = bench.flowers(folder / "photos")
        bench.transfer(folder, "import", str(photos), "--name", "flowers")
        backbone = ("--backbone", "mobilenet_v2_035", "--method", "instant")
        run = bench.transfer(folder, "train", "--dataset", "flowers", *backbone)["run"]
        command = (sys.executable, "-m", "tests.benchmarks.predict_folder")
        _, found = bench.run_timed(*command, run, str(photos), folder=folder)
    ways = {
        "keras": "Keras predict, one by one",
        "first": "ours, for the first time",
        "again": "ours, again",
    }
    rows = [
        {
            "way": text,
            "seconds": found["seconds"][way],
            "ms an image": 1000 * found["seconds"][way] / found["pictures"],
            "times as fast": found["seconds"]["keras"] / found["seconds"][way],
        }
        for way, text in ways.items()
    ]
    bench.tell("predict_folder", rows, pictures=found["pictures"], apart=found["apart"])


if __name__ == "__main__":
    if sys.argv[1:]:
        ask(*sys.argv[1:])
    else:
        main()
