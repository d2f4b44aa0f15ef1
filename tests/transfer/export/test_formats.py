"""What conversions get wrong in silence: temperature, constants, further outputs."""

from pathlib import Path

import keras
import numpy as np
import onnxruntime
import openvino
import pytest
from ai_edge_litert.interpreter import Interpreter
from keras import layers

from transfer.errors import ConfigError, RunError
from transfer.export import catalogue, formats


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """A classifier with what EfficientNet has: normalisation and SiLU."""
    pixels = keras.Input((16, 16, 3), name="image")
    x = layers.Normalization(mean=[120.0, 110.0, 100.0], variance=[9e3] * 3)(pixels)
    x = layers.Conv2D(4, 3, activation="silu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(pixels, layers.Softmax()(layers.Dense(3)(x)))


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """Five random images."""
    values = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 3))
    return values.astype(np.float32)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_calibrated__divides_the_logits(
    model: keras.Model, pixels: np.ndarray, temperature: float
) -> None:
    scaled = np.log(model.predict_on_batch(pixels)) / temperature
    expected = np.exp(scaled) / np.exp(scaled).sum(1, keepdims=True)
    got = formats.calibrate(model, temperature).predict_on_batch(pixels)
    np.testing.assert_allclose(got, expected, atol=1e-6)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_calibrated__wrong_temperature_is_refused(
    model: keras.Model, temperature: float
) -> None:
    with pytest.raises(RunError, match="not above 0"):
        formats.calibrate(model, temperature)


def test_write__onnx_has_one_input_and_an_open_batch(
    model: keras.Model, pixels: np.ndarray, tmp_path: Path
) -> None:
    calibrated = formats.calibrate(model, 2.0)
    path = formats.write(calibrated, catalogue.get("onnx"), "none", tmp_path)
    session = onnxruntime.InferenceSession(str(path))
    (given,) = session.get_inputs()
    assert (given.name, given.shape) == ("image", ["batch", 16, 16, 3])
    for batch in (pixels, pixels[:1]):
        (got,) = session.run(["probabilities"], {"image": batch})
        np.testing.assert_allclose(got, calibrated.predict_on_batch(batch), atol=1e-5)


def test_write__onnx_of_what_convnext_has(pixels: np.ndarray, tmp_path: Path) -> None:
    image = keras.Input((16, 16, 3), name="image")
    x = layers.Conv2D(3, 3, groups=3, activation="gelu")(image)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, layers.Softmax()(layers.Dense(3)(x)))
    path = formats.write(model, catalogue.get("onnx"), "none", tmp_path)
    (got,) = onnxruntime.InferenceSession(str(path)).run(None, {"image": pixels})
    np.testing.assert_allclose(got, model.predict_on_batch(pixels), atol=1e-5)


def test_write__openvino_has_one_output(
    model: keras.Model, pixels: np.ndarray, tmp_path: Path
) -> None:
    path = formats.write(model, catalogue.get("openvino"), "none", tmp_path)
    read = openvino.Core().read_model(path)
    assert len(read.outputs) == 1
    assert read.outputs[0].get_names() == {"probabilities"}
    compiled = openvino.Core().compile_model(
        read, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    got = compiled(pixels)[0]
    np.testing.assert_allclose(got, model.predict_on_batch(pixels), atol=1e-5)


def test_get__near_names_are_suggested() -> None:
    with pytest.raises(ConfigError, match="Did you mean openvino"):
        catalogue.get("openvinno")


def test_write__float16_keeps_small_layers_in_float32(
    pixels: np.ndarray, tmp_path: Path
) -> None:
    image = keras.Input((16, 16, 3), name="image")
    x = layers.Conv2D(64, 3, name="small")(image)
    x = layers.Conv2D(64, 3, name="large", kernel_initializer="ones")(x)
    logits = layers.Dense(3)(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(image, layers.Softmax()(logits))
    path = formats.write(model, catalogue.get("litert"), "float16", tmp_path)
    reader = Interpreter(str(path))
    halves = [
        tuple(one["shape"])
        for one in reader.get_tensor_details()
        if one["dtype"] == np.float16
    ]
    assert halves == [(64, 3, 3, 64)]
    reader.allocate_tensors()
    reader.set_tensor(reader.get_input_details()[0]["index"], pixels[:1])
    reader.invoke()
    got = reader.get_tensor(reader.get_output_details()[0]["index"])
    np.testing.assert_allclose(got, model.predict_on_batch(pixels[:1]), atol=1e-3)
