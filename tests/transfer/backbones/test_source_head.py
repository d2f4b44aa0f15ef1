"""The source model's own classification layer, taken for classes that it knows."""

import importlib
import json
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.transfer.backbones.test_pretrained import offline
from transfer.backbones import catalogue, source_head
from transfer.errors import BackboneError, WeightsError

__all__ = ["offline"]

LABELS = ["tench", "tabby", "crane", "Egyptian_cat", "crane"]
NAME = "mobilenet_v2_035"
FULL = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_224.h5"


@pytest.fixture
def classes(keras_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keras' list of ImageNet's classes, shortened; Keras looks there as well."""
    config = importlib.import_module("keras.src.backend.config")
    monkeypatch.setattr(config, "_KERAS_DIR", str(keras_home))
    models = keras_home / "models"
    models.mkdir(parents=True)
    listed = {str(i): [f"n{i:08}", label] for i, label in enumerate(LABELS)}
    (models / "imagenet_class_index.json").write_text(json.dumps(listed))
    return models


@pytest.mark.filterwarnings("ignore:.*HDF5")
def test_classification_layer__is_the_source_models(classes: Path) -> None:
    full = keras.applications.MobileNetV2(alpha=0.35, weights=None)
    full.save(classes / FULL)  # where Keras would put its download
    kernel, bias = source_head.classification_layer(
        catalogue.get(NAME), ["Egyptian cat", "n00000000"]
    )
    theirs, their_bias = full.layers[-1].get_weights()
    np.testing.assert_array_equal(kernel, theirs[:, [3, 0]])
    np.testing.assert_array_equal(bias, their_bias[[3, 0]])


@pytest.mark.parametrize("name", ["rose", "crane"])  # unknown; two classes of that name
def test_classification_layer__names_strange_classes(classes: Path, name: str) -> None:
    with pytest.raises(BackboneError, match=f"none of ImageNet's 1,000: {name}"):
        source_head.classification_layer(catalogue.get(NAME), ["tabby", name])


def test_classification_layer__needs_one_layer_on_pooled_features(
    classes: Path,
) -> None:
    with pytest.raises(BackboneError, match="VGG16 does not end in one layer"):
        source_head.classification_layer(catalogue.get("vgg16"), ["tabby"])


@pytest.mark.usefixtures("offline")
def test_classification_layer__without_a_network(keras_home: Path) -> None:
    with pytest.raises(WeightsError, match="list of classes could not be downloaded"):
        source_head.classification_layer(catalogue.get(NAME), ["tabby"])


@pytest.mark.usefixtures("offline")
def test_classification_layer__without_the_weights(classes: Path) -> None:
    with pytest.raises(WeightsError, match="with its classification layer could not"):
        source_head.classification_layer(catalogue.get(NAME), ["tabby"])
