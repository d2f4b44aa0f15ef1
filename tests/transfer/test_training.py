"""A whole training with a real backbone at the smallest size."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.pictures import make_pictures
from transfer import callbacks, training
from transfer.backbones import graph
from transfer.callbacks import Listener
from transfer.config import TrainConfig
from transfer.datasets import images, ingest, library
from transfer.datasets.revision import Revision
from transfer.features import extract


@pytest.fixture
def revision(workspace: Path, tmp_path: Path) -> Revision:
    """Two classes that differ in colour, 12 images each."""
    make_pictures(tmp_path / "pets", {"cat": 12, "dog": 12})
    return ingest.import_path(tmp_path / "pets", "pets", val=0.25)


def _config(**settings: Any) -> TrainConfig:
    given = {
        "dataset": "pets",
        "backbone": "mobilenet_v2_035",
        "weights": "random",
        "image_size": 32,
        "head_epochs": 2,
        "fine_tune_epochs": 2,
        "batch_size": 8,
        "fine_tune_learning_rate": 1e-3,
    }
    return TrainConfig.checked(**{**given, **settings})


def _untouched(config: TrainConfig) -> dict[str, Any]:
    model = graph.build(
        config.backbone, weights="random", image_size=(32, 32), seed=config.seed
    )
    return {v.path: np.asarray(v) for v in model.variables}


@pytest.mark.parametrize("freeze", ["all", "last:1", "last:3", "none"])
def test_train__frozen_weights_are_bit_identical(
    revision: Revision, freeze: str
) -> None:
    config = _config(freeze=freeze)
    trained = training.train(config, revision, Listener())
    before, changed = _untouched(config), set()
    backbone = trained.model.get_layer("pooled_backbone")
    for variable in backbone.variables:
        if not np.array_equal(np.asarray(variable), before[variable.path]):
            changed.add(variable.path.split("/")[0])
    allowed = {layer.name for layer in backbone.layers if layer.trainable}
    assert changed <= allowed
    assert bool(allowed) == (freeze != "all")
    statistics = [v for v in backbone.variables if "moving_" in v.path]
    for variable in statistics:
        np.testing.assert_array_equal(np.asarray(variable), before[variable.path])


def test_train__the_whole_model_scores_what_the_features_scored(
    revision: Revision,
) -> None:
    trained = training.train(_config(freeze="last:2"), revision, Listener())
    val = revision.of_split("val")
    pixels = [images.decode(library.image_path(i.sha256), (32, 32)) for i in val]
    probabilities = trained.model.predict(np.stack(pixels), verbose=0)
    labels = np.array([image.label for image in val])
    assert np.mean(probabilities.argmax(-1) == labels) == trained.best.accuracy
    loss = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
    assert float(np.mean(loss)) == pytest.approx(trained.best.loss, abs=1e-3)
    np.testing.assert_allclose(probabilities.sum(-1), 1, atol=1e-5)


def test_train__parameters_add_up(revision: Revision) -> None:
    trained = training.train(_config(freeze="last:1"), revision, Listener())
    total = trained.trainable_parameters + trained.frozen_parameters
    assert total == trained.model.count_params()


def test_train__without_the_cache_the_result_is_the_same(
    revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = training.train(_config(freeze="last:1"), revision, Listener())
    monkeypatch.setattr(extract, "MEMORY_BYTES", 0)
    monkeypatch.setattr(extract.Extractor, "compute", lambda *_: None)
    for segment in (Path(library.workspace.home()) / "features").rglob("*.features"):
        segment.unlink()
    pixels = training.train(_config(freeze="last:1"), revision, Listener())
    assert pixels.best.loss == pytest.approx(cached.best.loss, abs=1e-4)


def test_train__fine_tuning_never_leaves_it_worse(revision: Revision) -> None:
    class Recorder(Listener):
        head: list[float] = []

        def epoch(self, phase: str, epoch: int, values: Any) -> None:
            if phase == "head":
                self.head.append(values["val_accuracy"])

    recorder = Recorder()
    config = _config(freeze="none", fine_tune_learning_rate=1.0)  # ruins it
    trained = training.train(config, revision, recorder)
    assert trained.best.accuracy >= max(recorder.head)


def test_train__a_stop_while_preparing_ends_it(revision: Revision) -> None:
    class Stopping(Listener):
        def stop_requested(self) -> bool:
            return True

    with pytest.raises(callbacks.StopRequested):
        training.train(_config(), revision, Stopping())


def test_read_checkpoint__gives_back_weights_and_state(tmp_path: Path) -> None:
    weights = {"logits/kernel": np.ones((2, 3), np.float32)}
    callbacks.write_checkpoint(tmp_path / "c.npz", weights, {"epoch": 4})
    read, state = callbacks.read_checkpoint(tmp_path / "c.npz")
    np.testing.assert_array_equal(read["logits/kernel"], weights["logits/kernel"])
    assert state == {"epoch": 4}
