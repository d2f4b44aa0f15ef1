"""Heads that take no gradient step, on three sets: accuracy, loss and seconds.

`python -m tests.benchmarks.closed_forms [--seeds 3]`, on pooled features of MobileNetV2
0.35 with ImageNet weights: flower_photos, handwritten digits (scikit-learn's copy) and
20 classes of Tiny ImageNet; each with 20 % and with 90 % held out. Ours is
`transfer.classifier.closed_form`; the others are scikit-learn's.
"""

import argparse
import io
import os
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.benchmarks import bench
from transfer.backbones import graph
from transfer.classifier import closed_form
from transfer.classifier import model as classifier
from transfer.datasets import decoding
from transfer.features.converted import BATCH
from transfer.features.engines import OpenVINOEngine

Pixels = NDArray[np.uint8]
Set = tuple[NDArray[np.float32], NDArray[np.int32]]

MODELS: dict[str, Callable[[], Any]] = {
    "linear discriminant, shrunk": lambda: LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage="auto"
    ),
    "nearest class mean": NearestCentroid,
    "logistic regression": lambda: make_pipeline(
        StandardScaler(), LogisticRegression(C=0.01, max_iter=200)
    ),
}


def main() -> None:
    """Computes the features, fits every head and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    with tempfile.TemporaryDirectory() as name:
        os.environ.update(bench.environment(Path(name)))
        backbone = graph.build("mobilenet_v2_035", weights="imagenet")
        engine = OpenVINOEngine(classifier.add_pooling(backbone), "bench")
        sets = {
            "flowers": _features(engine, _flowers(Path(name))),
            "digits": _features(engine, _digits()),
            "20 of Tiny ImageNet": _features(engine, _tiny()),
        }
    rows = [
        _row(what, held_out, head, made, seeds)
        for what, made in sets.items()
        for held_out in (0.2, 0.9)
        for head in ("ours: ridge", *MODELS)
    ]
    bench.tell("closed_forms", rows)


def _row(what: str, held_out: float, head: str, made: Set, seeds: int) -> Any:
    told = []
    for seed in range(seeds):
        x, new, y, truth = train_test_split(
            *made, test_size=held_out, stratify=made[1], random_state=seed
        )
        start = time.perf_counter()
        probabilities = _fit(head, x, y)(new)
        seconds = time.perf_counter() - start
        right = float(np.mean(probabilities.argmax(1) == truth))
        told.append((right, float(log_loss(truth, probabilities)), seconds))
    accuracy, loss, seconds = map(statistics.mean, zip(*told, strict=True))
    row = {"set": what, "held out": held_out, "head": head, "accuracy": accuracy}
    return {**row, "loss": loss, "seconds": seconds}


def _fit(head: str, x: Any, y: Any) -> Callable[[Any], Any]:
    if head not in MODELS:
        solution = closed_form.solve(x, y, int(y.max()) + 1)
        return lambda new: keras.ops.convert_to_numpy(
            keras.ops.softmax(new @ solution.kernel + solution.bias)
        )
    model = MODELS[head]().fit(x, y)
    return lambda new: model.predict_proba(new)


def _features(engine: OpenVINOEngine, pictures: Iterable[tuple[Pixels, int]]) -> Set:
    rows, labels, batch = [], [], []
    for pixels, label in pictures:
        labels.append(label)
        batch.append(pixels)
        if len(batch) == BATCH:
            rows.append(engine.run(np.stack(batch))[0])
            batch = []
    if batch:
        rows.append(engine.run(np.stack(batch))[0])
    return np.concatenate(rows).astype(np.float32), np.array(labels, np.int32)


def _flowers(folder: Path) -> Iterable[tuple[Pixels, int]]:
    classes = sorted(p for p in bench.flowers(folder).iterdir() if p.is_dir())
    for label, path in enumerate(classes):
        for file in sorted(path.glob("*.jpg")):
            yield decoding.decode(file, (224, 224)), label


def _digits() -> Iterable[tuple[Pixels, int]]:
    digits = load_digits()
    for grey, label in zip(digits.images, digits.target, strict=True):
        # Dark on light, as most photographs of writing are.
        small = Image.fromarray((255 - grey * 255 / 16).astype(np.uint8))
        yield np.asarray(small.convert("RGB").resize((224, 224))), int(label)


def _tiny() -> Iterable[tuple[Pixels, int]]:
    with zipfile.ZipFile(bench.data("tiny_imagenet_64.zip")) as sheets:
        names = sorted(n for n in sheets.namelist() if "train" in n and ".avif" in n)
        for label, name in enumerate(names[::10]):
            sheet = Image.open(io.BytesIO(sheets.read(name))).convert("RGB")
            for tile in range(150):
                top, left = 64 * (tile // 25), 64 * (tile % 25)
                small = sheet.crop((left, top, left + 64, top + 64))
                yield np.asarray(small.resize((224, 224))), label


if __name__ == "__main__":
    main()
