"""What runs a frozen prefix: a Keras model, or the same model in OpenVINO."""

import json
import os
import queue
import shutil
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import openvino
import tensorflow as tf
from numpy.typing import NDArray
from openvino.preprocess import PrePostProcessor

from transfer import workspace
from transfer.errors import StorageError
from transfer.features import first_call, speeds

#: Images per call.
BATCH = 32

#: Images that OpenVINO computes in one go, on one core; the others work on the next
#: ones. On two cores that was up to 1.4 times as fast as `BATCH` images on both at
#: once, which wait for each other after every layer, and more so beside decoding.
PIECE = 4

#: So long a call need not be timed twice.
_SURE_SECONDS = 0.5

#: OpenVINO's names of the precisions that it is tried in.
_HINTS = {"openvino": "f32", "openvino-bfloat16": "bf16"}

Outputs = list[NDArray[np.generic]]


class Engine(Protocol):
    """Runs a prefix on pixels."""

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """Each output of the prefix, float32, for pixels `(images, height, width, 3)`,
        best `BATCH` of them.
        """
        ...


class KerasEngine:
    """The prefix as TensorFlow runs it.

    Attributes:
        function: The traced prefix.
    """

    def __init__(self, prefix: keras.Model) -> None:
        self.function: Any = _trace(prefix)

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """See `Engine.run`."""
        outputs = tf.nest.flatten(self.function(tf.constant(pixels, tf.float32)))
        return [output.numpy() for output in outputs]


class OpenVINOEngine:
    """The prefix converted once, kept on disk, and run by OpenVINO on the processor.

    Args:
        prefix: Converted if no earlier conversion is kept under `key`.
        key: Names the prefix and its weights.
        hint: OpenVINO's name of the precision, `f32` or `bf16`.
        function: The traced prefix, if there is one already.
    """

    def __init__(
        self, prefix: keras.Model, key: str, hint: str = "f32", function: Any = None
    ) -> None:
        first_call.make()
        core = openvino.Core()
        model = core.read_model(_convert(prefix, key, function))
        # The conversion leaves each SiLU activation as a further output, in Keras'
        # order of axes; they made EfficientNetB0 nine times slower than without.
        for extra in model.get_results()[len(prefix.outputs) :]:
            model.remove_result(extra)
        # A fixed shape is faster, so a short last piece is filled up and cut back.
        model.reshape([PIECE, *prefix.input_shape[1:]])
        # Pixels become float32 inside, which saves writing them once more.
        steps = PrePostProcessor(model)
        steps.input().tensor().set_element_type(openvino.Type.u8)
        compiled = core.compile_model(
            steps.build(),
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": hint,
                "PERFORMANCE_HINT": "THROUGHPUT",
                "PERFORMANCE_HINT_NUM_REQUESTS": BATCH // PIECE,
            },
        )
        # Twice as many as are computed at a time, so that one always waits its turn.
        count = 2 * compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(count):
            self._idle.put(compiled.create_infer_request())
        self._pool = ThreadPoolExecutor(count)

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """See `Engine.run`."""
        starts = range(0, len(pixels), PIECE)
        pieces = self._pool.map(self._run, (pixels[i : i + PIECE] for i in starts))
        return [np.concatenate(rows) for rows in zip(*pieces, strict=True)]

    def _run(self, pixels: NDArray[np.uint8]) -> Outputs:
        full = pixels
        if len(pixels) < PIECE:
            full = np.resize(pixels, (PIECE, *pixels.shape[1:]))
        request = self._idle.get()
        try:
            answers = request.infer(full, share_inputs=True)
            # Copies: the next call writes into the same memory.
            return [np.array(answers[i][: len(pixels)]) for i in range(len(answers))]
        finally:
            self._idle.put(request)


def _trace(prefix: keras.Model) -> Any:
    """The prefix as one TensorFlow graph, for any number of images.

    Its weights are constants: so TensorFlow computes BatchNorm and a convolution as
    one, and OpenVINO's conversion need not look up every variable again and again.
    """
    weights = [
        [keras.ops.convert_to_numpy(variable) for variable in some]
        for some in (prefix.trainable_variables, prefix.non_trainable_variables)
    ]

    def compute(pixels: Any) -> Any:
        constants = [[tf.constant(one) for one in some] for some in weights]
        return prefix.stateless_call(*constants, pixels, training=False)[0]

    pixels = tf.TensorSpec([None, *prefix.input_shape[1:]], tf.float32)
    return tf.function(compute, autograph=False).get_concrete_function(pixels)


def _convert(prefix: keras.Model, key: str, function: Any) -> Path:
    """The prefix as an OpenVINO file; its weights lie beside it.

    It lies among the features, so that it goes when it was not used for long.
    """
    folder = workspace.folder("features", "engines", key)
    kept, weights = folder / "any-batch.xml", folder / "any-batch.bin"
    if not (kept.exists() and weights.exists()):
        model = openvino.convert_model(function or _trace(prefix))
        with tempfile.TemporaryDirectory(dir=folder) as made:
            path = Path(made) / kept.name
            openvino.save_model(model, path, compress_to_fp16=False)
            os.replace(path.with_suffix(".bin"), weights)
            os.replace(path, kept)
    os.utime(kept)
    os.utime(weights)
    return kept


def choose(
    prefix: keras.Model,
    name: str,
    key: str,
    log: Callable[[str], None],
    bfloat16: bool = False,
) -> Engine:
    """The engine that runs this prefix fastest on this machine.

    On a GPU that is Keras. On a processor all are tried, the first time that the
    backbone is used here at this size; what was found is kept for next time.

    Args:
        prefix: Model from pixels to features; may have several outputs.
        name: Names the backbone.
        key: Names the prefix and its weights.
        log: Takes one line that says which engine it is and why.
        bfloat16: Whether it may compute in bfloat16.
    """
    kept = speeds.kept_rates(name, prefix.input_shape[1:3])
    rates = kept or measure(prefix, name, key, log)
    allowed = [one for one in rates if bfloat16 or one != "openvino-bfloat16"]
    best = max(allowed, key=lambda one: rates[one])
    log(f"Features: {best}, the fastest here (images per second: {rates}).")
    if best == "keras":
        return KerasEngine(prefix)
    return OpenVINOEngine(prefix, key, _HINTS[best])


def measure(
    prefix: keras.Model, name: str, key: str, log: Callable[[str], None]
) -> dict[str, float]:
    """Images per second of each engine on one batch; kept for the next time.

    On a GPU only Keras is tried.

    Args:
        prefix: As in `choose`.
        name: As in `choose`.
        key: As in `choose`.
        log: As in `choose`.
    """
    plain = KerasEngine(prefix)
    rates = {"keras": _images_per_second(plain, prefix)}
    others = {} if tf.config.list_physical_devices("GPU") else _HINTS
    try:
        for engine, hint in others.items():
            if hint == "f32" or computes_bfloat16():
                tried = OpenVINOEngine(prefix, key, hint, plain.function)
                rates[engine] = _images_per_second(tried, prefix)
    except (OSError, StorageError) as error:  # it may do so another time
        log(f"OpenVINO could not be tried, so Keras runs this backbone: {error}")
        return rates
    except Exception as error:  # noqa: BLE001  a model that cannot be converted
        log(f"OpenVINO cannot run this backbone, so Keras does: {error}")
        shutil.rmtree(workspace.folder("features", "engines", key), ignore_errors=True)
    record = speeds.rates_record(name, prefix.input_shape[1:3])
    workspace.write_atomically(record, json.dumps(rates).encode())
    return rates


def computes_bfloat16() -> bool:
    """Whether the processor computes in bfloat16 (AMX or AVX512-BF16)."""
    capabilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "BF16" in capabilities


def _images_per_second(engine: Engine, prefix: keras.Model) -> float:
    pixels = np.zeros((BATCH, *prefix.input_shape[1:]), np.uint8)
    engine.run(pixels[:PIECE])  # builds the graph
    best = float("inf")
    for _ in range(2):
        start = time.perf_counter()
        engine.run(pixels)
        best = min(best, time.perf_counter() - start)
        if best > _SURE_SECONDS:
            break
    return round(BATCH / best, 1)
