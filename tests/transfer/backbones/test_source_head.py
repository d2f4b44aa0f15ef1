"""The source model's own classification layer, taken for classes that it knows."""

import importlib
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.transfer.backbones.test_pretrained import offline
from transfer.backbones import catalogue, source_head
from transfer.errors import BackboneError, WeightsError

__all__ = ["offline"]

NAME = "mobilenet_v2_035"
FULL = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224.h5"


def test_classification_layer__of_the_default_needs_no_network(
    keras_home: Path,
) -> None:
    backbone = catalogue.get(catalogue.DEFAULT)
    layer = source_head.classification_layer(backbone, ["n02123045", "daisy"])
    head = source_head._from_package(backbone)
    for part, whole in zip(layer, head, strict=True):
        np.testing.assert_array_equal(part, whole[..., [281, 985]])


@pytest.fixture
def models(keras_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Keras too looks for weights."""
    config = importlib.import_module("keras.src.backend.config")
    monkeypatch.setattr(config, "_KERAS_DIR", str(keras_home))
    folder = keras_home / "models"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.filterwarnings("ignore:.*HDF5")
def test_classification_layer__is_the_source_models(models: Path) -> None:
    full = keras.applications.MobileNetV2(alpha=0.35, weights=None)
    full.save(models / FULL)  # where Keras would put its download
    kernel, bias = source_head.classification_layer(
        catalogue.get(NAME), ["Egyptian cat", "n01440764"]
    )
    theirs, their_bias = full.layers[-1].get_weights()
    np.testing.assert_array_equal(kernel, theirs[:, [285, 0]])
    np.testing.assert_array_equal(bias, their_bias[[285, 0]])


def test_classification_layer__names_strange_classes_before_it_reads(
    models: Path,
) -> None:
    with pytest.raises(BackboneError, match="none of ImageNet's 1,000: rose"):
        source_head.classification_layer(catalogue.get(NAME), ["tabby", "rose"])


def test_classification_layer__needs_one_layer_on_pooled_features(
    models: Path,
) -> None:
    with pytest.raises(BackboneError, match="VGG16 does not end in one layer"):
        source_head.classification_layer(catalogue.get("vgg16"), ["tabby"])


@pytest.mark.usefixtures("offline")
def test_classification_layer__without_the_weights(models: Path) -> None:
    with pytest.raises(WeightsError, match="with its classification layer could not"):
        source_head.classification_layer(catalogue.get(NAME), ["tabby"])
