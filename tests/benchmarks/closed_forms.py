"""Heads that take no gradient step: accuracy, loss, seconds; from one image a class on.

`python -m tests.benchmarks.closed_forms [--seeds 5]`, on the features of `pooled`: ours
is `transfer.classifier.closed_form`, the others are scikit-learn's. With `--large
1000000` the time and the peak memory of ours, for so many made images of 1,000 classes.
"""

import argparse
import resource
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.benchmarks import bench, pooled
from transfer.classifier import closed_form

SETS = ("flowers", "digits", "gearwheels", "20 of Tiny ImageNet")
#: Images of each class; the rest is named. None is four fifths of all.
SIZES = (1, 2, 5, 10, 20, None)
MODELS: dict[str, Callable[[], Any]] = {
    "linear discriminant, shrunk": lambda: LinearDiscriminantAnalysis(
        solver="lsqr", shrinkage="auto"
    ),
    "nearest class mean": NearestCentroid,
    "logistic regression": lambda: make_pipeline(
        StandardScaler(), LogisticRegression(C=0.01, max_iter=200)
    ),
}
#: These know no probabilities from one image of each class.
_NEED_MORE = ("linear discriminant, shrunk", "nearest class mean")


def main() -> None:
    """Fits every head and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--large", type=int, default=0)
    args = parser.parse_args()
    if args.large:
        bench.tell("closed_forms", [_large(args.large)])
        return
    warnings.simplefilter("ignore")  # shrinking one image a class is worth a warning
    rows = [
        _row(name, each, head, args.seeds)
        for name in SETS
        for each in SIZES
        for head in ("ours: ridge", *MODELS)
        if each != 1 or head not in _NEED_MORE
    ]
    bench.tell("closed_forms", rows)


def _row(name: str, each: int | None, head: str, seeds: int) -> Any:
    x, y = pooled.load(name)
    told = []
    for seed in range(seeds):
        chosen = pooled.draw(y, each or int(0.8 * np.bincount(y).min()), seed)
        rest = np.setdiff1d(np.arange(len(y)), chosen)
        start = time.perf_counter()
        probabilities = _fit(head, x[chosen], y[chosen])(x[rest])
        seconds = time.perf_counter() - start
        right = float(np.mean(probabilities.argmax(1) == y[rest]))
        told.append((right, float(log_loss(y[rest], probabilities)), seconds))
    accuracy, loss, seconds = map(statistics.mean, zip(*told, strict=True))
    least, *_, most = (
        sorted(one for one, _, _ in told) if seeds > 1 else (accuracy,) * 2
    )
    row = {"set": name, "images a class": each or "80 %", "head": head}
    row |= {"accuracy": accuracy, "least": least, "most": most}
    return {**row, "loss": loss, "seconds": seconds}


def _fit(head: str, x: Any, y: Any) -> Callable[[Any], Any]:
    if head not in MODELS:
        solution = closed_form.solve(x, y, int(y.max()) + 1)
        return lambda new: scipy.special.softmax(
            (new @ solution.kernel + solution.bias).astype(np.float64), axis=1
        )
    model = MODELS[head]().fit(x, y)
    return lambda new: model.predict_proba(new)


def _large(images: int, classes: int = 1000, channels: int = 1280) -> Any:
    random = np.random.default_rng(0)
    labels = random.integers(0, classes, images).astype(np.int32)
    centres = 0.12 * random.normal(size=(classes, channels)).astype(np.float32)
    with tempfile.TemporaryDirectory(dir=bench.ROOT / ".benchmarks") as folder:
        path, shape = Path(folder) / "features", (images, channels)
        with path.open("wb") as file:
            for start in range(0, images, 10_000):
                of = labels[start : start + 10_000]
                noise = random.standard_normal((len(of), channels), np.float32)
                (centres[of] + noise).tofile(file)
        features = np.memmap(path, np.float32, "r", shape=shape)
        start = time.perf_counter()
        solution = closed_form.solve(features, labels, classes)
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row = {"images": images, "classes": classes, "channels": channels}
    row |= {"seconds": seconds, "peak memory, MB": peak}
    return {**row, "accuracy": solution.accuracy, "strength": solution.strength}


if __name__ == "__main__":
    main()
