"""Backbones that several tests read are built once; real weights if at hand."""

import functools
import shutil
from pathlib import Path

import keras
import pytest

from transfer.backbones import catalogue, graph
from transfer.backbones.structure import Structure

SHARED_WEIGHTS = Path(__file__).resolve().parents[4] / "shared" / "weights"


@functools.cache
def built(name: str) -> tuple[keras.Model, Structure]:
    """A backbone of random weights at a small size, and its structure."""
    size = max(64, catalogue.get(name).smallest_size)
    model = graph.build(name, image_size=(size, size), seed=1)
    return model, graph.structure(model, name)


@pytest.fixture
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, named by KERAS_HOME."""
    home = tmp_path / "keras"
    monkeypatch.setenv("KERAS_HOME", str(home))
    return home


@pytest.fixture
def real_weights(keras_home: Path) -> Path:
    """The real ImageNet weights of mobilenet_v2_035, put where Keras looks for them."""
    name = catalogue.get("mobilenet_v2_035").weights_file
    source = SHARED_WEIGHTS / name
    if not source.exists():
        pytest.skip(f"{name} is not in ../shared/weights")
    (keras_home / "models").mkdir(parents=True)
    return Path(shutil.copy(source, keras_home / "models" / name))
