"""Runs with a backbone that is gone: the model's file has all that answers need."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tests.pictures import make_pictures
from transfer import workspace
from transfer.classifier import model as classifier
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.datasets.ingest import importer
from transfer.evaluation.evaluator import Evaluator
from transfer.export import bundle, catalogue, parity
from transfer.features import speeds
from transfer.prediction import models
from transfer.store import record
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus

SIZE = 32
#: What an early version kept of a run's settings.
SETTINGS = {"backbone": "starter", "weights": "starter", "image_size": SIZE}


def network() -> keras.Model:
    """The starter's kinds of layers, by its names, and fewer of them."""
    pixels = keras.Input((SIZE, SIZE, 3), name="pixels")
    scaled = layers.Rescaling(1 / 127.5, -1.0, name="scaling")(pixels)
    x = convolve(scaled, 8, 2, "stem")
    y = convolve(x, 8, 2, "block1_1")
    x = layers.AveragePooling2D(2, padding="same", name="block1_pool")(x)
    x = layers.ReLU(name="block1_relu")(layers.Add(name="block1_add")([x, y]))
    top = convolve(x, 16, 1, "block4_top")
    features = layers.Concatenate(name="block4_features")([top, x])
    return keras.Model(pixels, features, name="starter")


def convolve(x: Any, channels: int, stride: int, name: str) -> Any:
    x = layers.Conv2D(channels, 3, stride, "same", use_bias=False, name=f"{name}_conv")(
        x
    )
    x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


@pytest.fixture
def run(store: Store, tmp_path: Path) -> Run:
    """A completed run as an early version left it."""
    make_pictures(tmp_path / "pets", {"cat": 6, "dog": 6})
    revision = importer.import_path(tmp_path / "pets", "pets", val=0.5)
    config = TrainConfig.of(dataset="pets", revision=revision.id, **SETTINGS)
    rates = {"keras": 2.0, "openvino": 1.0}  # else they would be measured
    speeds.rates_record("starter", (SIZE, SIZE)).write_text(json.dumps(rates))
    pooled = classifier.add_pooling(network(), (1, 1))
    head = classifier.head("linear", pooled.output_shape[-1], 2, seed=0)
    made = store.create(config)
    store.claim_next("here", {("run",): 9})
    store.begin(made.id)
    path = workspace.folder("runs", made.id) / "model.keras"
    classifier.assemble(pooled, head).save(path)
    result = {"val_accuracy": 0.5, "class_names": ["cat", "dog"]}
    return store.finish(made.id, JobStatus.COMPLETED, result)


def test_runs__keep_their_name_and_settings(store: Store, run: Run) -> None:
    kept = store.get(run.id)
    assert kept.name == record.default_name(kept.config) == "starter · head only"
    assert kept.config.model_dump().items() >= SETTINGS.items()
    assert kept.config.resizing == "stretch"  # the only way that there was


def test_predict_and_evaluate__say_what_the_model_says(run: Run) -> None:
    val = library.load("pets").of_split("val")
    paths: list[Path | bytes] = [library.image_path(one.sha256) for one in val]
    said = models.load(run.id).probabilities(paths)
    found = Evaluator(run, models.load_keras(run), print).evaluate("val")
    np.testing.assert_allclose(found.probabilities, said, atol=1e-5)
    assert np.ptp(said[:, 0]) > 0


def test_write__says_whose_weights_they_were(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers(_: Path, paths: list[Path], __: str) -> tuple[Any, float]:
        # The real ones come from a process of their own, which takes seconds.
        return models.load(run.id).probabilities(list(paths)), 1.0

    monkeypatch.setattr(parity, "exported_answers", answers)
    order = bundle.Order(run=run, chosen=catalogue.FORMATS["keras"], quantize="none")
    told = bundle.write(order, tmp_path / "out")
    card = (Path(told["output"]) / "MODEL_CARD.md").read_text("utf-8")
    assert "- Backbone: starter, weights `starter`, licence of its pretrained" in card
    assert "learnt from Tiny ImageNet: research use." in card
