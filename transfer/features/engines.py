"""What runs a frozen prefix: a Keras model, or the same model in OpenVINO."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import keras
import numpy as np
import openvino
import tensorflow as tf
from numpy.typing import NDArray

from transfer import workspace

#: Images per call. OpenVINO is faster on a fixed batch shape, so a short last batch
#: is filled up and cut back.
BATCH = 32


class Engine(Protocol):
    """Runs a prefix on pixels."""

    name: str

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The prefix's output for pixels `(at most BATCH, height, width, 3)`."""
        ...


class KerasEngine:
    """The prefix as Keras runs it."""

    name = "keras"

    def __init__(self, prefix: keras.Model) -> None:
        self._prefix = prefix

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Engine.run`."""
        full = _filled(pixels).astype(np.float32)
        return np.asarray(self._prefix.predict_on_batch(full))[: len(pixels)]


class OpenVINOEngine:
    """The prefix converted once, kept on disk, and run by OpenVINO on the processor.

    Args:
        prefix: Converted if no earlier conversion is kept under `key`.
        key: Names the prefix and its weights.
    """

    name = "openvino"

    def __init__(self, prefix: keras.Model, key: str) -> None:
        core = openvino.Core()
        model = core.read_model(_converted(prefix, key))
        model.reshape([BATCH, *prefix.input_shape[1:]])
        self._compiled = core.compile_model(
            model,
            "CPU",
            {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"},
        )

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Engine.run`."""
        full = _filled(pixels).astype(np.float32)
        return np.array(self._compiled(full)[0][: len(pixels)])


def _filled(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    missing = BATCH - len(pixels)
    return np.pad(pixels, [(0, missing), (0, 0), (0, 0), (0, 0)]) if missing else pixels


def _converted(prefix: keras.Model, key: str) -> Path:
    """The prefix as an OpenVINO file; its weights lie beside it."""
    kept = workspace.folder("engines", key) / "prefix.xml"
    if not kept.exists():
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            made = Path(folder) / "prefix.xml"
            prefix.export(str(made), format="openvino", verbose=False)
            # The .xml is what a reader looks for, so it comes last.
            os.replace(made.with_suffix(".bin"), kept.with_suffix(".bin"))
            os.replace(made, kept)
    return kept


def choose(prefix: keras.Model, key: str, log: Callable[[str], None]) -> Engine:
    """The engine that runs this prefix fastest on this machine.

    On a GPU that is Keras. On a processor both are tried on one batch, the first time
    that the prefix is used here; what was found is kept for the next time.

    Args:
        prefix: Model from pixels to features.
        key: Names the prefix and its weights.
        log: Takes one line that says which engine it is and why.
    """
    if tf.config.list_physical_devices("GPU"):
        log("Features: Keras, because there is a GPU.")
        return KerasEngine(prefix)
    record = workspace.folder("engines", key) / "images_per_second.json"
    try:
        rates = json.loads(record.read_text())
    except (OSError, ValueError):
        rates = _measure(prefix, key, log)
        workspace.write_atomically(record, json.dumps(rates).encode())
    best = max(rates, key=lambda name: rates[name])
    log(f"Features: {best}, the fastest here (images per second: {rates}).")
    return OpenVINOEngine(prefix, key) if best == "openvino" else KerasEngine(prefix)


def _measure(
    prefix: keras.Model, key: str, log: Callable[[str], None]
) -> dict[str, float]:
    rates = {"keras": _images_per_second(KerasEngine(prefix), prefix)}
    try:
        rates["openvino"] = _images_per_second(OpenVINOEngine(prefix, key), prefix)
    except Exception as error:  # noqa: BLE001  a model that cannot be converted
        log(f"OpenVINO cannot run this backbone, so Keras does: {error}")
        shutil.rmtree(workspace.folder("engines", key), ignore_errors=True)
    return rates


def _images_per_second(engine: Engine, prefix: keras.Model, repeats: int = 3) -> float:
    pixels = np.zeros((BATCH, *prefix.input_shape[1:]), np.uint8)
    engine.run(pixels)  # builds the graph
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        engine.run(pixels)
        times.append(time.perf_counter() - start)
    return round(BATCH / min(times), 1)
