"""Weights out of files: the right ones load, the others say what is wrong."""

import importlib
import random
from pathlib import Path
from typing import Any
from urllib.error import URLError

import keras
import numpy as np
import pytest

from tests.transfer.backbones.conftest import built
from transfer.backbones import catalogue, download, graph
from transfer.errors import StorageError, WeightsError

NAME = "mobilenet_v2_035"
SIZE = (64, 64)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a network."""

    def urlopen(url: str, **_: Any) -> None:
        raise URLError(f"no route to {url}")

    monkeypatch.setattr(download.urllib.request, "urlopen", urlopen)


def pictures(size: tuple[int, int], count: int = 2) -> Any:
    return np.random.default_rng(0).uniform(0, 255, (count, *size, 3)).astype("float32")


def test_load__imagenet_as_keras_applications_has_it(real_weights: Path) -> None:
    model = graph.build(NAME, weights="imagenet", image_size=(96, 128))
    theirs = keras.applications.MobileNetV2(
        (96, 128, 3), alpha=0.35, include_top=False, weights=str(real_weights)
    )
    images = pictures((96, 128))
    scaled = keras.applications.mobilenet_v2.preprocess_input(images.copy())
    np.testing.assert_allclose(model(images), theirs(scaled), atol=1e-4)


def test_load__path_equals_imagenet(real_weights: Path) -> None:
    path = graph.build(NAME, weights=str(real_weights), image_size=SIZE)
    cache = graph.build(NAME, weights="imagenet", image_size=SIZE)
    assert graph.fingerprint(path) == graph.fingerprint(cache)


@pytest.mark.parametrize("ending", [".weights.h5", ".keras"])
def test_load__files_that_keras_saves(tmp_path: Path, ending: str) -> None:
    model, _ = built(NAME)
    path = tmp_path / f"mine{ending}"
    (model.save if ending == ".keras" else model.save_weights)(path)
    again = graph.build(NAME, weights=str(path), image_size=SIZE, seed=9)
    assert graph.fingerprint(again) == graph.fingerprint(model)


def test_load__efficientnet_file_as_its_own_builder_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keras adds a layer when it loads the file itself; so must we, from a path too."""
    path = tmp_path / "efficientnetb0.weights.h5"
    source = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=(*SIZE, 3)
    )
    mean, variance = np.float32([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
    source.set_weights([mean, variance, *source.get_weights()[2:]])
    source.save_weights(path)
    module = importlib.import_module("keras.src.utils.file_utils")
    monkeypatch.setattr(module, "get_file", lambda *_, **__: str(path))
    theirs = keras.applications.EfficientNetB0(
        include_top=False, weights="imagenet", input_shape=(*SIZE, 3)
    )
    model = graph.build("efficientnet_b0", weights=str(path), image_size=SIZE)
    images = pictures(SIZE)
    expected = np.asarray(theirs(images))
    np.testing.assert_allclose(model(images), expected, atol=1e-5 * expected.max())


def test_load__without_network_names_file_and_folder(
    keras_home: Path, offline: None
) -> None:
    with pytest.raises(WeightsError, match="no route to") as caught:
        graph.build(NAME, weights="imagenet", image_size=SIZE)
    assert catalogue.get(NAME).weights_file in caught.value.hint
    assert str(keras_home / "models") in caught.value.hint
    assert "random" in caught.value.hint


def test_load__failed_download_leaves_other_weights_alone(
    real_weights: Path, offline: None
) -> None:
    with pytest.raises(WeightsError, match="at hand") as caught:
        graph.build("mobilenet_v2_050", weights="imagenet", image_size=SIZE)
    assert catalogue.get(NAME).title in caught.value.hint
    assert real_weights.exists()


def test_load__damaged_cache_is_named_and_kept(keras_home: Path, offline: None) -> None:
    name = catalogue.get("mobilenet_v3_small").weights_file
    path = keras_home / "models" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half a file")
    with pytest.raises(WeightsError, match="damaged or outdated"):
        graph.build("mobilenet_v3_small", weights="imagenet", image_size=SIZE)
    assert path.exists()


def test_load__keras_home_is_a_file(keras_home: Path, offline: None) -> None:
    keras_home.write_text("in the way")
    with pytest.raises(StorageError, match="could not be written"):
        graph.build(NAME, weights="imagenet", image_size=SIZE)


def test_load__no_such_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no weights file .*none\.h5"):
        graph.build(NAME, weights=str(tmp_path / "none.h5"), image_size=SIZE)


def test_load__another_kind_of_file(tmp_path: Path) -> None:
    path = tmp_path / "weights.txt"
    path.write_text("0.1 0.2")
    with pytest.raises(WeightsError, match=r"expected a name ending in \.h5"):
        graph.build(NAME, weights=str(path), image_size=SIZE)


@pytest.mark.parametrize("ending", [".h5", ".weights.h5", ".keras"])
def test_load__broken_file(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"broken{ending}"
    path.write_bytes(random.Random(0).randbytes(1000))  # noqa: S311
    with pytest.raises(WeightsError, match="does not hold weights that fit"):
        graph.build(NAME, weights=str(path), image_size=SIZE)


def test_load__weights_of_another_backbone(real_weights: Path) -> None:
    with pytest.raises(WeightsError, match="fit mobilenet_v2_050"):
        graph.build("mobilenet_v2_050", weights=str(real_weights), image_size=SIZE)
