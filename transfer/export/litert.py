"""LiteRT files, in float32 or with smaller numbers."""

import copy
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

#: LiteRT's operators whose second input is a kernel; those with fewer weights than this
#: stay in float32 in smaller files.
_WITH_KERNEL = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
_FEW_WEIGHTS = 4096


def write(
    model: keras.Model, path: Path, quantize: str, pixels: list[NDArray[np.float32]]
) -> None:
    """Writes the model as a LiteRT file.

    Args:
        model: Classifier, see `formats.write`.
        path: The file.
        quantize: `none`, `float16` or `int8`.
        pixels: Images `(height, width, 3)`; int8 takes its ranges from them.
    """
    # Only LiteRT's own operators: others would need TensorFlow on the device.
    target: dict[str, Any] = {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}
    # From a SavedModel, since only its converter takes sample pictures.
    if quantize == "int8":
        path.write_bytes(_int8(model, pixels, target))
        return
    model.export(str(path), format="litert", verbose=False, target_spec=target)
    if quantize == "float16":
        path.write_bytes(_float16(path.read_bytes()))


def _float16(content: bytes) -> bytes:
    """A float32 LiteRT file with its larger constants in float16.

    LiteRT's own converter shortens all of them, the offsets too: of MobileNetV2 0.35
    that moved a probability by 0.030 on 500 photographs, half of them awkward ones,
    and a first guess with it. Like this 0.004 and none; the file grew from 0.88 to
    0.98 MB.
    """
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    widen = schema.OperatorCodeT()
    widen.builtinCode = widen.deprecatedBuiltinCode = schema.BuiltinOperator.DEQUANTIZE
    widen.version = 3  # the first that takes float16
    model.operatorCodes.append(widen)
    shortened: set[int] = set()
    for graph in model.subgraphs:
        widened = []
        for index, tensor in enumerate(list(graph.tensors)):
            buffer = model.buffers[tensor.buffer]
            is_float = tensor.type == schema.TensorType.FLOAT32
            if not is_float or buffer.data is None or _size(tensor) < _FEW_WEIGHTS:
                continue
            if tensor.buffer not in shortened:
                values = np.frombuffer(bytes(buffer.data), np.float32)
                buffer.data = np.frombuffer(values.astype(np.float16), np.uint8)
                shortened.add(tensor.buffer)
            half = copy.copy(tensor)
            half.type, half.name = schema.TensorType.FLOAT16, tensor.name + b"_float16"
            graph.tensors.append(half)
            tensor.buffer = 0  # computed from now on
            step = schema.OperatorT()
            step.opcodeIndex = len(model.operatorCodes) - 1
            step.inputs = np.array([len(graph.tensors) - 1], np.int32)
            step.outputs = np.array([index], np.int32)
            widened.append(step)
        graph.operators = [*widened, *graph.operators]
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _size(tensor: Any) -> int:
    return 0 if tensor.shape is None else math.prod(map(int, tensor.shape))


def _int8(
    model: keras.Model, pixels: list[NDArray[np.float32]], target: dict[str, Any]
) -> bytes:
    """The model in LiteRT with 8-bit numbers, but for layers of few weights.

    Of MobileNetV2 0.35 these were what answered otherwise: on 500 photographs, half of
    them awkward ones, 94.6 % of the first guesses stayed with all layers in 8 bits and
    99.2 % like this; the file grew from 0.65 to 0.74 MB and was about as fast.
    """

    def images() -> Iterator[list[NDArray[np.float32]]]:
        yield from ([one[None]] for one in pixels)

    def converter(folder: str) -> Any:
        made = tf.lite.TFLiteConverter.from_saved_model(folder)
        for name, value in target.items():
            setattr(made.target_spec, name, value)
        return made

    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, format="tf_saved_model", verbose=False)
        # Converted twice: layers have the names that the converter gives them.
        small = _small_layers(converter(folder).convert())
        eight = converter(folder)
        eight.optimizations = [tf.lite.Optimize.DEFAULT]
        eight.representative_dataset = images
        # The converter itself cannot leave layers out; its debugger can.
        left_out = tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=small)
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=eight, debug_dataset=images, debug_options=left_out
        )
        return bytes(debugger.get_nondebug_quantized_model())


def _small_layers(content: bytes) -> list[str]:
    """Names in a float32 LiteRT file of what layers of few weights give."""
    from ai_edge_litert.interpreter import Interpreter  # type: ignore  # noqa: PGH003, PLC0415  only int8 needs it

    reader = Interpreter(model_content=content)
    tensors = {one["index"]: one for one in reader.get_tensor_details()}
    return [
        tensors[operation["outputs"][0]]["name"]
        for operation in reader._get_ops_details()
        if operation["op_name"] in _WITH_KERNEL
        and math.prod(tensors[operation["inputs"][1]]["shape"]) < _FEW_WEIGHTS
    ]
