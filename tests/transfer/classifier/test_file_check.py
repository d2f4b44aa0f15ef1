"""Models that somebody made by hand are refused, and none of them is executed."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from transfer.classifier import file_check
from transfer.classifier import model as classifier
from transfer.errors import RunError

Parts = dict[str, bytes]
CLASSES = 3


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a tiny real classifier."""
    pooled = classifier.pooled_backbone("mobilenet_v2_035", image_size=(32, 32))
    head = classifier.head("linear", pooled.output_shape[-1], CLASSES, 0)
    path = tmp_path_factory.mktemp("model") / "model.keras"
    classifier.assemble(pooled, head).save(path)
    return path


def changed(model: Path, path: Path, change: Callable[[Parts], None]) -> Path:
    """A copy of the model's file with its parts changed."""
    with zipfile.ZipFile(model) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def with_layer(**layer: Any) -> Callable[[Parts], None]:
    """Puts this description in the place of the last layer's."""

    def change(parts: Parts) -> None:
        config = json.loads(parts["config.json"])
        config["config"]["layers"][-1] |= layer
        parts["config.json"] = json.dumps(config).encode()

    return change


def test_check__own_model_passes_and_loads(model: Path) -> None:
    file_check.check(model, (32, 32))
    assert classifier.load(model, CLASSES, (32, 32)).output_shape == (None, CLASSES)


def test_check__layers_that_backbones_bring_pass(tmp_path: Path) -> None:
    applications = keras.src.applications
    pixels = keras.Input((32, 32, 3))
    flipped = keras.ops.flip(pixels, axis=-1)
    scaled = applications.convnext.LayerScale(1e-6, 3)(flipped)
    again = applications.inception_resnet_v2.CustomScaleLayer(0.5)([scaled, flipped])
    active = keras.layers.Activation("hard_swish")(again)
    normal = keras.layers.Normalization(mean=[1, 2, 3], variance=[1, 1, 1])(active)
    pooled = keras.layers.GlobalAveragePooling2D()(normal)
    path = tmp_path / "model.keras"
    keras.Model(pixels, keras.layers.Softmax()(pooled)).save(path)
    assert classifier.load(path, 3).output_shape == (None, 3)


def test_load__other_number_of_classes_is_refused(model: Path) -> None:
    with pytest.raises(RunError, match=r"gives \(3,\) values, but the run has 5"):
        classifier.load(model, 5)


def test_check__other_image_size_is_refused(model: Path) -> None:
    with pytest.raises(RunError, match="32 × 32 pixels, but the run was made for 64"):
        file_check.check(model, (64, 64))


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        ({"class_name": "Lambda"}, "has a Lambda"),
        ({"class_name": "TFSMLayer"}, "has a TFSMLayer"),
        ({"module": "os", "class_name": "system"}, "system of os"),
        ({"module": "keras.utils", "class_name": "get_file"}, "get_file of keras"),
        ({"module": "keras.src.utils.file_utils", "class_name": "x"}, "none of Keras'"),
        ({"module": None, "class_name": "Mine"}, "Mine of None"),
        ({"registered_name": "Package>Mine"}, "custom object Package>Mine"),
        (
            {"config": {"f": {"module": "builtins", "class_name": "function"}}},
            "has a function",
        ),
    ],
)
def test_check__code_in_the_description_is_refused(
    model: Path, tmp_path: Path, layer: dict[str, Any], reason: str
) -> None:
    path = changed(model, tmp_path / "model.keras", with_layer(**layer))
    with pytest.raises(RunError, match=reason):
        classifier.load(path, CLASSES)


def test_check__saved_lambda_layer_is_refused(tmp_path: Path) -> None:
    pixels = keras.Input((32, 32, 3))
    path = tmp_path / "model.keras"
    keras.Model(pixels, keras.layers.Lambda(lambda x: x)(pixels)).save(path)
    with pytest.raises(RunError, match="Lambda"):
        classifier.load(path, CLASSES)


def test_check__zeros_are_refused_without_reading_them(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with path.open("wb") as file:
        file.truncate(2 << 30)
    with pytest.raises(RunError, match="damaged"):
        file_check.check(path)


def test_check__compressed_bomb_is_refused(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            archive.writestr(name, bytes(1 << 20))
    with pytest.raises(RunError, match="is compressed"):
        file_check.check(path)


def test_check__pickle_beside_the_parts_is_refused(model: Path, tmp_path: Path) -> None:
    path = changed(
        model, tmp_path / "model.keras", lambda parts: parts.update({"a.pkl": b"x"})
    )
    with pytest.raises(RunError, match=r"a\.pkl"):
        file_check.check(path)


def external(weights: h5py.File) -> None:
    weights["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")


def soft(weights: h5py.File) -> None:
    weights["elsewhere"] = h5py.SoftLink("/")


def objects(weights: h5py.File) -> None:
    weights.create_dataset("words", data="text", dtype=h5py.string_dtype())


def huge(weights: h5py.File) -> None:
    weights.create_dataset("zeros", (1 << 30,), np.float32, chunks=(1 << 20,))


@pytest.mark.parametrize(
    ("add", "reason"),
    [
        (external, "link to elsewhere"),
        (soft, "link to elsewhere"),
        (objects, "not plain numbers"),
        (huge, "more bytes than the file has"),
    ],
)
def test_check__weights_that_are_not_in_the_file_are_refused(
    model: Path, tmp_path: Path, add: Callable[[h5py.File], None], reason: str
) -> None:
    def change(parts: Parts) -> None:
        file = io.BytesIO(parts["model.weights.h5"])
        with h5py.File(file, "a") as weights:
            add(weights)
        parts["model.weights.h5"] = file.getvalue()

    path = changed(model, tmp_path / "model.keras", change)
    with pytest.raises(RunError, match=reason):
        file_check.check(path)
