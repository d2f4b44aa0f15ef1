"""Features of photographs: ours from files, the engines alone, Keras from files.

`python -m tests.benchmarks.extraction [--backbones A,B] [--images 1024]`, with random
weights, images per second; `share` is of what the engine does on ready arrays, `ratio`
to Keras from files. ONNX Runtime is measured where it and `tf2onnx` are installed;
neither is needed by the app.
"""

import argparse
import importlib.util
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.benchmarks import bench
from transfer.classifier import model as classifier
from transfer.datasets import library
from transfer.features.converted import BATCH, computes_bfloat16
from transfer.features.engines import KerasEngine, OpenVINOEngine
from transfer.features.extract import Extractor
from transfer.features.rows import Features


def main() -> None:
    """Measures each backbone and tells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbones", default="mobilenet_v2_035,mobilenet_v2,resnet50")
    parser.add_argument("--images", type=int, default=1024)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.update(bench.environment(folder))
        bench.import_flowers(folder)
        hashes = [i.sha256 for i in library.load("flowers").images][: args.images]
        rows = [_measure(one, hashes, folder) for one in args.backbones.split(",")]
    bench.tell("extraction", rows, images=args.images)


def _measure(name: str, hashes: list[str], folder: Path) -> dict[str, Any]:
    model = classifier.pooled_backbone(name)
    # What is in the pixels does not change how long they take.
    pixels = np.zeros((BATCH, *model.input_shape[1:]), np.uint8)
    arrays: dict[str, Callable[[], Any]] = {
        "Keras": partial(KerasEngine(model).run, pixels),
        "OpenVINO": partial(OpenVINOEngine(model, f"{name}-bench").run, pixels),
    }
    files: dict[str, Callable[[], float]] = {
        "Keras from files": partial(_keras_from_files, model, hashes),
        "ours from files": partial(_from_files, model, name, hashes),
    }
    if computes_bfloat16():
        quick = OpenVINOEngine(model, f"{name}-bench", "bf16")
        arrays["OpenVINO bfloat16"] = partial(quick.run, pixels)
        files["ours from files, bfloat16"] = partial(
            _from_files, model, name, hashes, bfloat16=True
        )
    if onnx := _onnx(model, folder):
        arrays["ONNX Runtime"] = partial(onnx, pixels.astype(np.float32))
    best: dict[str, float] = {}
    for _ in range(2):  # in turns, since other programs come and go
        for what, call in arrays.items():
            best[what] = max(best.get(what, 0.0), _rate(call))
        for what, measure in files.items():
            _empty_cache(folder)
            best[what] = max(best.get(what, 0.0), measure())
    # The app takes the faster one, so it is held against that.
    engine = max(best["Keras"], best["OpenVINO"])
    row = {"backbone": name, **best, "share": best["ours from files"] / engine}
    row["ratio"] = best["ours from files"] / best["Keras from files"]
    if quickly := best.get("ours from files, bfloat16"):
        row["share, bfloat16"] = quickly / max(engine, best["OpenVINO bfloat16"])
        row["ratio, bfloat16"] = quickly / best["Keras from files"]
    return row


def _from_files(
    model: keras.Model, name: str, hashes: list[str], bfloat16: bool = False
) -> float:
    exact = Extractor(model, ["pooling"], name, lambda _: None)
    extractor = exact.in_bfloat16() if bfloat16 else exact
    views = Features(extractor, "pooling", hashes).kept_views
    extractor.compute({"pooling": views[:1]}, lambda *_: None)  # loads the engine
    start = time.perf_counter()
    extractor.compute({"pooling": views}, lambda *_: None)
    return (len(hashes) - 1) / (time.perf_counter() - start)


def _empty_cache(folder: Path) -> None:
    for segment in (folder / "workspace" / "features").rglob("*.features"):
        segment.unlink()


def _keras_from_files(model: keras.Model, hashes: list[str]) -> float:
    """`predict` on the files, decoded by Keras' own pipeline."""
    height, width = model.input_shape[1:3]
    paths = [str(library.image_path(one)) for one in hashes]

    def decode(path: Any) -> Any:
        image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
        return tf.image.resize(image, (height, width))

    files = tf.data.Dataset.from_tensor_slices(paths)
    batches = files.map(decode, tf.data.AUTOTUNE).batch(BATCH).prefetch(2)
    model.predict(batches.take(1), verbose=0)  # builds the graph
    start = time.perf_counter()
    model.predict(batches, verbose=0)
    return len(hashes) / (time.perf_counter() - start)


def _onnx(model: keras.Model, folder: Path) -> Callable[[Any], Any] | None:
    if not all(map(importlib.util.find_spec, ("onnxruntime", "tf2onnx"))):
        return None
    import onnxruntime  # noqa: PLC0415

    path = str(folder / "model.onnx")
    model(np.zeros((BATCH, *model.input_shape[1:]), np.float32))  # the export wants it
    model.export(path, format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    if len(session.get_inputs()) > 1:  # EfficientNet: two constants become inputs
        return None
    name = session.get_inputs()[0].name
    return lambda pixels: session.run(None, {name: pixels})


def _rate(call: Callable[[], Any]) -> float:
    call()
    times = []
    for _ in range(3):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    # The best of three: what else runs on the machine can only slow it.
    return BATCH / min(times)


if __name__ == "__main__":
    sys.exit(main())
