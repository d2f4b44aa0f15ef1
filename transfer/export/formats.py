"""A classifier as a file of each format: pixels in, calibrated probabilities out."""

import math
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import openvino
import tensorflow as tf
from keras import layers
from numpy.typing import NDArray
from tensorflow.python.framework import convert_to_constants

from transfer import workspace
from transfer.errors import RunError
from transfer.export import catalogue, litert

#: Version of the ONNX operators; ONNX Runtime reads it since 1.14 (2023).
_OPSET = 18


def calibrate(model: keras.Model, temperature: float) -> keras.Model:
    """The classifier with its logits divided by a temperature.

    That is the softmax of log p / T, without the logarithm (Guo et al. 2017,
    https://arxiv.org/abs/1706.04599).

    Args:
        model: Classifier that ends in a softmax.
        temperature: Above 0; 1 leaves the probabilities as they are.

    Raises:
        RunError: The model does not end in a softmax, or the temperature is no
            positive number.
    """
    if temperature == 1.0:
        return model
    if not (math.isfinite(temperature) and temperature > 0):
        raise RunError(f"The temperature of the run is {temperature}, not above 0.")
    last = model.layers[-1]
    if not isinstance(last, layers.Softmax):
        raise RunError(f"The model ends in {type(last).__name__}, not in a softmax.")
    # Before the softmax: its logarithm would lose what float32 rounds to 0.
    scaled = layers.Rescaling(1 / temperature, name="temperature")(last.input)
    softmax = layers.Softmax(name="probabilities", dtype="float32")
    return keras.Model(model.inputs[0], softmax(scaled), name="classifier")


def write(
    model: keras.Model,
    chosen: catalogue.Format,
    quantize: str,
    folder: Path,
    pixels: Iterable[NDArray[np.float32]] = (),
) -> Path:
    """Writes the model into the folder; the batch size stays open in every format.

    Args:
        model: Classifier from float32 pixels `(batch, height, width, 3)` in `[0, 255]`
            to probabilities.
        chosen: The format.
        quantize: One of its quantisations.
        folder: An existing folder.
        pixels: Images `(height, width, 3)` of the training split; int8 takes the
            ranges of its numbers from them.

    Returns:
        The file, or the folder of a SavedModel.

    Raises:
        RunError: The model cannot be written in this format.
    """
    path = folder / chosen.file
    # A SavedModel is a folder, in which files of an earlier one would stay.
    if path.is_dir():
        shutil.rmtree(path)
    try:
        if chosen.name == "keras":
            model.save(path)
        elif chosen.name == "savedmodel":
            model.export(str(path), format="tf_saved_model", verbose=False)
        elif chosen.name == "onnx":
            path.write_bytes(_onnx(_trace(model)))
        elif chosen.name == "openvino":
            _write_openvino(_trace(model), path)
        else:
            litert.write(model, path, quantize, list(pixels))
    # Each format has its own converter, which may not be installed.
    except ImportError as error:
        raise RunError(
            f"The {chosen.title} export needs the package {error.name}.",
            "Install what requirements.txt names.",
        ) from error
    except Exception as error:
        # Converters tell of a full disk by errors of their own.
        if workspace.says_full(error):
            raise workspace.full(path) from error
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise RunError(
            f"The model cannot be written as {chosen.title}: {reason}",
            "Choose another format.",
        ) from error
    return path


def _trace(model: keras.Model) -> Any:
    """The model as one TensorFlow function for batches of any size."""
    image = tf.TensorSpec([None, *model.input_shape[1:]], tf.float32, name="image")
    function = tf.function(
        lambda image: tf.identity(model(image, training=False), "probabilities"),
        autograph=False,
    )
    # Keras makes a function of its own of each grouped convolution (ConvNeXt has them),
    # into which tf2onnx does not look; like this it becomes part of the whole.
    tf.config.run_functions_eagerly(True)
    try:
        return function.get_concrete_function(image)
    finally:
        tf.config.run_functions_eagerly(False)


def _onnx(function: Any) -> bytes:
    """The function in ONNX, with input `image` and output `probabilities`."""
    import tf2onnx  # type: ignore  # noqa: PGH003, PLC0415  nothing else needs it

    # Frozen first: of a function as it is, tf2onnx declares constants that it reads,
    # such as the mean and deviation of EfficientNet's pixels, as further inputs.
    frozen = convert_to_constants.convert_variables_to_constants_v2(function)
    image, probabilities = frozen.inputs[0].name, frozen.outputs[0].name
    made, _ = tf2onnx.convert.from_graph_def(
        frozen.graph.as_graph_def(),
        input_names=[image],
        output_names=[probabilities],
        opset=_OPSET,
        custom_op_handlers={"Erfc": (_erfc, [])},
    )
    graph = made.graph
    for node in graph.node:
        _rename(node.input, image, "image")
        _rename(node.output, probabilities, "probabilities")
        _rename(node.input, probabilities, "probabilities")
    graph.input[0].name, graph.output[0].name = "image", "probabilities"
    for value in (graph.input[0], graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return bytes(made.SerializeToString())


def _erfc(graph: Any, node: Any, name: str, _: Any) -> None:
    """Puts 1 - erf in the place of erfc, which tf2onnx does not know: part of GELU."""
    one = graph.make_const(f"{name}_one", np.ones(1, np.float32)).output[0]
    erf = graph.make_node("Erf", node.input).output[0]
    kept = {"shapes": node.output_shapes, "dtypes": node.output_dtypes}
    graph.remove_node(node.name)
    graph.make_node("Sub", [one, erf], name=name, outputs=node.output, **kept)


def _rename(names: Any, old: str, new: str) -> None:
    for index, name in enumerate(names):
        if name == old:
            names[index] = new


def _write_openvino(function: Any, path: Path) -> None:
    made = openvino.convert_model(function)
    # The conversion leaves each SiLU activation as a further output.
    for extra in made.get_results()[1:]:
        made.remove_result(extra)
    made.inputs[0].get_tensor().set_names({"image"})
    made.outputs[0].get_tensor().set_names({"probabilities"})
    openvino.save_model(made, path, compress_to_fp16=False)
