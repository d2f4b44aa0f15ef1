"""Prefixes that were converted, run by OpenVINO on the processor; Keras is not needed.

`engines` converts them. They lie among the features, so that they go when they were not
used for long.
"""

import os
import queue
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino.preprocess import PrePostProcessor

from transfer import processes, workspace
from transfer.errors import StorageError
from transfer.features import first_call

#: Images per call.
BATCH = 32

#: Images that OpenVINO computes in one go, on one core; the others work on the next
#: ones. On two cores that was up to 1.4 times as fast as `BATCH` images on both at
#: once, which wait for each other after every layer, and more so beside decoding.
PIECE = 4

Outputs = list[NDArray[np.generic]]


class Engine(Protocol):
    """Runs a prefix on pixels."""

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """Each output of the prefix, float32, for pixels `(images, height, width, 3)`,
        best `BATCH` of them.
        """
        ...


def computes_bfloat16() -> bool:
    """Whether the processor computes in bfloat16 (AMX or AVX512-BF16)."""
    capabilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "BF16" in capabilities


def file(key: str) -> Path:
    """Where the prefix of this name lies, its weights beside it."""
    return workspace.folder("features", "engines", key) / "any-batch.xml"


def find(key: str) -> Path | None:
    """The file of that prefix, which counts as used now; None if it is not there."""
    path = file(key)
    try:
        os.utime(path.with_suffix(".bin"))
        os.utime(path)
    except OSError:
        return None
    return path


class Converted:
    """A converted prefix.

    Args:
        path: Its file.
        outputs: Number of its outputs.
        hint: OpenVINO's name of the precision, `f32` or `bf16`.
        pools: Whether its one output is what a feature map is pooled to; that map is
            a second output then, `(images, rows, columns, channels)`.

    Raises:
        StorageError: The file is damaged, or nothing is pooled in it.
    """

    def __init__(
        self, path: Path, outputs: int = 1, hint: str = "f32", pools: bool = False
    ) -> None:
        first_call.make()
        core = openvino.Core()
        try:
            model = core.read_model(path)
        except RuntimeError as error:
            raise StorageError(f"{path} cannot be read: {error}") from error
        # The conversion leaves each SiLU activation as a further output, in Keras'
        # order of axes; they made EfficientNetB0 nine times slower than without.
        for extra in model.get_results()[outputs:]:
            model.remove_result(extra)
        self._channels_at = _add_feature_map(model) if pools else None
        # Pixels become float32 inside, which saves writing them once more.
        steps = PrePostProcessor(model)
        steps.input().tensor().set_element_type(openvino.Type.u8)
        self._core, self._model, self._hint = core, steps.build(), hint
        height, width = (model.input().partial_shape[i].get_length() for i in (1, 2))
        self.image_size = (height, width)

    @cached_property
    def _many(self) -> "_Compiled":
        return _Compiled(self._core, self._model, PIECE, self._hint)

    @cached_property
    def _one(self) -> "_Compiled":
        # A single picture that was filled up to a piece took 3.6 times as long.
        return _Compiled(self._core, self._model, 1, self._hint)

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        """See `Engine.run`."""
        outputs = (self._one if len(pixels) == 1 else self._many).run(pixels)
        if self._channels_at is not None:
            outputs[1] = np.moveaxis(outputs[1], self._channels_at, -1)
        return outputs


class _Compiled:
    """A prefix as it is computed for so many images in one go, on one core."""

    def __init__(self, core: Any, model: Any, piece: int, hint: str) -> None:
        self._piece = piece
        # A fixed shape is faster, so a short last piece is filled up and cut back.
        shaped = model.clone()
        shaped.reshape([piece, *shaped.input().partial_shape[1:]])
        how: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": hint,
            "PERFORMANCE_HINT": "THROUGHPUT",
            "PERFORMANCE_HINT_NUM_REQUESTS": BATCH // PIECE,
        }
        if (cores := processes.cores()) < (os.cpu_count() or 1):
            how["INFERENCE_NUM_THREADS"] = cores  # it would take those of the machine
        compiled = core.compile_model(shaped, "CPU", how)
        # Twice as many as are computed at a time, so that one always waits its turn.
        count = 2 * compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for _ in range(count):
            self._idle.put(compiled.create_infer_request())
        self._pool = ThreadPoolExecutor(count)

    def run(self, pixels: NDArray[np.uint8]) -> Outputs:
        starts = range(0, len(pixels), self._piece)
        pieces = (pixels[i : i + self._piece] for i in starts)
        found = self._pool.map(self._run, pieces)
        return [np.concatenate(rows) for rows in zip(*found, strict=True)]

    def _run(self, pixels: NDArray[np.uint8]) -> Outputs:
        full = pixels
        if len(pixels) < self._piece:
            full = np.resize(pixels, (self._piece, *pixels.shape[1:]))
        request = self._idle.get()
        try:
            answers = request.infer(full, share_inputs=True)
            # Copies: the next call writes into the same memory.
            return [np.array(answers[i][: len(pixels)]) for i in range(len(answers))]
        finally:
            self._idle.put(request)


def _add_feature_map(model: Any) -> int:
    """Makes what is pooled to the output an output too; its axis of channels."""
    pooling = model.get_results()[0].input_value(0).get_node()
    if pooling.get_type_name() != "ReduceMean":
        raise StorageError(f"{pooling.get_friendly_name()} pools no feature map.")
    model.add_outputs(pooling.input_value(0))
    # OpenVINO computes with channels first where it likes to.
    spatial = {int(axis) for axis in pooling.input_value(1).get_node().get_data()}
    (channels_at,) = {1, 2, 3} - spatial
    return channels_at
