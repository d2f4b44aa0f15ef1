"""What runs a frozen prefix: a Keras model, or the same model in OpenVINO."""

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import openvino
import tensorflow as tf
from numpy.typing import NDArray

from transfer import workspace
from transfer.errors import StorageError
from transfer.features import converted, speeds
from transfer.features.converted import BATCH, PIECE, Converted, Engine, Outputs

#: Engines are timed in so many rounds; in fewer, but two, where these take so long.
_ROUNDS, _LONG_SECONDS = 4, 2.0

#: OpenVINO's names of the precisions that it is tried in.
_HINTS = {"openvino": "f32", "openvino-bfloat16": "bf16"}

#: What `prepare` made ready, by the key of the prefix.
_ahead: dict[str, dict[str, Engine]] = {}


class KerasEngine:
    """The prefix as TensorFlow runs it.

    Attributes:
        function: The traced prefix.
    """

    def __init__(self, prefix: keras.Model) -> None:
        self.function: Any = _trace(prefix)

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """See `Engine.run`."""
        with _in_full():
            outputs = tf.nest.flatten(self.function(tf.constant(pixels, tf.float32)))
            return [output.numpy() for output in outputs]


class OpenVINOEngine(Converted):
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
        super().__init__(convert(prefix, key, function), len(prefix.outputs), hint)


@contextlib.contextmanager
def _in_full() -> Iterator[None]:
    """Has a GPU compute in float32 what is called so, which by itself it does not.

    Newer ones round to 10 bits (TF32). Machines without would find such features under
    the same key in the cache.
    """
    chosen = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(chosen)


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


def convert(prefix: keras.Model, key: str, function: Any = None) -> Path:
    """The prefix as an OpenVINO file; its weights lie beside it.

    Args:
        prefix: As in `choose`.
        key: As in `choose`.
        function: The traced prefix, if there is one already.
    """
    if found := converted.find(key):
        return found
    path = converted.file(key)
    model = openvino.convert_model(function or _trace(prefix))
    with tempfile.TemporaryDirectory(dir=path.parent) as made:
        new = Path(made) / path.name
        openvino.save_model(model, new, compress_to_fp16=False)
        os.replace(new.with_suffix(".bin"), path.with_suffix(".bin"))
        os.replace(new, path)
    return path


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
    log(f"Features: {best}, the fastest here (a second: {rates}).")
    if best == "keras":
        return KerasEngine(prefix)
    return OpenVINOEngine(prefix, key, _HINTS[best])


def hint_for_shards(
    prefix: keras.Model,
    name: str,
    key: str,
    log: Callable[[str], None],
    bfloat16: bool = False,
) -> str:
    """OpenVINO's name of the precision in which other machines run this prefix.

    Empty where OpenVINO cannot run it, or this machine has a GPU, which does as much as
    many of them. The prefix is converted.

    Args:
        prefix: As in `choose`.
        name: As in `choose`.
        key: As in `choose`.
        log: As in `choose`.
        bfloat16: As in `choose`.
    """
    rates = speeds.kept_rates(name, prefix.input_shape[1:3])
    rates = rates or measure(prefix, name, key, log)
    allowed = [o for o in _HINTS if o in rates and (bfloat16 or _HINTS[o] == "f32")]
    if not allowed:
        return ""
    convert(prefix, key)
    return _HINTS[max(allowed, key=lambda one: rates[one])]


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
    try:
        rates = _images_per_second(_ahead.pop(key, {}) or _all(prefix, key), prefix)
    except (OSError, StorageError) as error:  # it may do so another time
        log(f"OpenVINO could not be tried, so Keras runs this backbone: {error}")
        return _images_per_second({"keras": KerasEngine(prefix)}, prefix)
    except Exception as error:  # noqa: BLE001  a model that cannot be converted
        log(f"OpenVINO cannot run this backbone, so Keras does: {error}")
        shutil.rmtree(workspace.folder("features", "engines", key), ignore_errors=True)
        rates = _images_per_second({"keras": KerasEngine(prefix)}, prefix)
    record = speeds.rates_record(name, prefix.input_shape[1:3])
    workspace.write_atomically(record, json.dumps(rates).encode())
    return rates


def prepare(prefix: keras.Model, name: str, key: str) -> None:
    """Does ahead what `choose` and `measure` would do before they ask any engine.

    For when the processor has other work too, beside which nothing can be timed.

    Args:
        prefix: As in `choose`.
        name: As in `choose`.
        key: As in `choose`.
    """
    # What cannot be done is said by whoever needs it.
    with contextlib.suppress(Exception):
        if not (rates := speeds.kept_rates(name, prefix.input_shape[1:3])):
            _ahead[key] = _all(prefix, key)
        elif max(rates, key=lambda one: rates[one]) != "keras":
            convert(prefix, key)


def _all(prefix: keras.Model, key: str) -> dict[str, Engine]:
    """The engines that can be tried here, warm."""
    plain = KerasEngine(prefix)
    found: dict[str, Engine] = {"keras": plain}
    others = {} if tf.config.list_physical_devices("GPU") else _HINTS
    for engine, hint in others.items():
        if hint == "f32" or converted.computes_bfloat16():
            found[engine] = OpenVINOEngine(prefix, key, hint, plain.function)
    for one in found.values():
        one.run(np.zeros((PIECE, *prefix.input_shape[1:]), np.uint8))  # builds it
    return found


def _images_per_second(
    engines: Mapping[str, Engine], prefix: keras.Model
) -> dict[str, float]:
    """Of each engine its best of some rounds.

    In turns, for what is found is kept: another program that works for a second would
    else hit one engine and not the others.
    """
    pixels = np.zeros((BATCH, *prefix.input_shape[1:]), np.uint8)
    best = dict.fromkeys(engines, float("inf"))
    begin = time.perf_counter()
    for done in range(_ROUNDS):
        if done > 1 and time.perf_counter() - begin > _LONG_SECONDS:
            break
        for name, engine in engines.items():
            start = time.perf_counter()
            engine.run(pixels)
            best[name] = min(best[name], time.perf_counter() - start)
    return {name: round(BATCH / seconds, 1) for name, seconds in best.items()}
