"""A small backbone, and the images of a dataset."""

from pathlib import Path

import keras
import pytest
from keras import layers

from tests.pictures import make_pictures
from tests.transfer.features.computing import CUT
from transfer.classifier import model as classifier
from transfer.datasets.ingest import importer


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """Two convolutions with pooling on top; random, yet their output is not small."""
    keras.utils.set_random_seed(0)
    pixels = keras.Input((32, 32, 3), name="pixels")
    x = layers.Rescaling(1 / 127.5, -1.0)(pixels)
    x = layers.Conv2D(8, 3, 2, activation="relu", name=CUT)(x)
    x = layers.Conv2D(16, 3, 2, activation="relu")(x)
    return classifier.add_pooling(keras.Model(pixels, x), (1, 1))


@pytest.fixture
def hashes(workspace: Path, tmp_path: Path) -> list[str]:
    """The 20 images of a dataset."""
    make_pictures(tmp_path / "pets", {"cat": 10, "dog": 10})
    revision = importer.import_path(tmp_path / "pets", "pets")
    return [image.sha256 for image in revision.images]
