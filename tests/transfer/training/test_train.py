"""A whole training with a real backbone at the smallest size."""

import errno
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.tiny import CHANNELS
from tests.transfer.training.failures import make_fail
from transfer.backbones import graph
from transfer.config import TrainConfig
from transfer.datasets import decoding, library
from transfer.datasets.revision import Revision
from transfer.errors import TrainingError
from transfer.features import cache, converted, extract, rows, speeds
from transfer.features.views import View
from transfer.training import examples, listener, train
from transfer.training.listener import Listener

pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture(scope="module", autouse=True)
def weights(tiny: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Weights for every test: random ones let features vanish, so BatchNorm scales."""
    model = graph.build("tiny", image_size=(32, 32))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(np.full(layer.gamma.shape, 3.0))
    path = tmp_path_factory.mktemp("weights") / "scaled.weights.h5"
    model.save_weights(path)
    _WEIGHTS.append(str(path))
    yield
    _WEIGHTS.clear()


_WEIGHTS: list[str] = []


def _config(**settings: Any) -> TrainConfig:
    given = {
        "dataset": "pets",
        "backbone": "tiny",
        "weights": _WEIGHTS[0],
        "image_size": 32,
        "head_epochs": 2,
        "fine_tune_epochs": 2,
        "batch_size": 8,
        "fine_tune_learning_rate": 1e-3,
    }
    return TrainConfig.of(**{**given, **settings})


def _untouched(config: TrainConfig) -> dict[str, Any]:
    model = graph.build(
        config.backbone, weights=config.weights, image_size=(32, 32), seed=config.seed
    )
    return {v.path: np.asarray(v) for v in model.variables}


@pytest.mark.parametrize("freeze", ["all", "last:1", "last:3", "none"])
def test_train__frozen_weights_are_bit_identical(
    revision: Revision, freeze: str
) -> None:
    config = _config(freeze=freeze)
    trained = train.train(config, revision, Listener())
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
    trained = train.train(_config(freeze="last:2"), revision, Listener())
    val = revision.of_split("val")
    pixels = [decoding.decode(library.image_path(i.sha256), (32, 32)) for i in val]
    probabilities = trained.model.predict(np.stack(pixels), verbose=0)
    labels = np.array([image.label for image in val])
    assert np.mean(probabilities.argmax(-1) == labels) == trained.best.accuracy
    loss = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
    assert float(np.mean(loss)) == pytest.approx(trained.best.loss, abs=1e-3)
    np.testing.assert_allclose(probabilities.sum(-1), 1, atol=1e-5)


def test_train__parameters_add_up(revision: Revision) -> None:
    trained = train.train(_config(freeze="last:1"), revision, Listener())
    total = trained.trainable_parameters + trained.frozen_parameters
    assert total == trained.model.count_params()


def test_train__without_the_cache_the_result_is_the_same(
    revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = train.train(_config(freeze="last:1"), revision, Listener())
    monkeypatch.setattr(rows, "MEMORY_BYTES", 0)
    monkeypatch.setattr(extract.Extractor, "compute", lambda *_: None)
    for segment in (Path(library.workspace.home()) / "features").rglob("*.features"):
        segment.unlink()
    pixels = train.train(_config(freeze="last:1"), revision, Listener())
    assert pixels.best.loss == pytest.approx(cached.best.loss, abs=1e-4)


class Recorder(Listener):
    """Notes lines of the log and the values of each epoch."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.epochs: list[tuple[str, int, dict[str, float]]] = []

    def log(self, line: str) -> None:
        self.lines.append(line)

    def epoch(self, phase: str, epoch: int, values: Mapping[str, float]) -> None:
        self.epochs.append((phase, epoch, dict(values)))


def test_train__instant_keeps_the_backbone_and_learns(revision: Revision) -> None:
    recorder = Recorder()
    config = _config(method="instant")
    trained = train.train(config, revision, recorder)
    assert [(phase, epoch) for phase, epoch, _ in recorder.epochs] == [("head", 1)]
    assert trained.best.loss < 0.6  # chance is 0.69
    assert trained.trainable_parameters == CHANNELS * 2 + 2
    before = _untouched(config)
    for variable in trained.model.get_layer("pooled_backbone").variables:
        np.testing.assert_array_equal(np.asarray(variable), before[variable.path])


def test_train__a_second_run_computes_no_feature_again(
    revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    train.train(_config(freeze="last:1"), revision, Listener())
    asked: list[View] = []

    def computed(_: object, __: object, views: Sequence[View]) -> Iterator[Any]:
        asked.extend(views)
        return iter(())

    monkeypatch.setattr(extract.Extractor, "_compute_batches", computed)
    train.train(_config(freeze="last:1", seed=5), revision, Listener())
    assert not asked


def test_train__bfloat16_where_it_is_faster_is_judged_in_float32(
    revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not converted.computes_bfloat16():
        pytest.skip("this processor does not compute in bfloat16")
    rates = {"keras": 1.0, "openvino": 2.0, "openvino-bfloat16": 3.0}
    record = speeds.rates_record("tiny", (32, 32))
    record.write_text(json.dumps(rates))
    monkeypatch.setattr(examples, "agree", lambda *_: True)  # 18 images tell too little
    recorder = Recorder()
    trained = train.train(_config(freeze="last:1"), revision, recorder)
    assert any("bfloat16: on 18 examples" in line for line in recorder.lines)
    val = revision.of_split("val")
    pixels = [decoding.decode(library.image_path(i.sha256), (32, 32)) for i in val]
    probabilities = trained.model.predict(np.stack(pixels), verbose=0)
    labels = np.array([image.label for image in val])
    loss = keras.losses.sparse_categorical_crossentropy(labels, probabilities)
    assert float(np.mean(loss)) == pytest.approx(trained.best.loss, abs=1e-3)


@pytest.mark.parametrize(
    ("precision", "used"),
    [("float32", ["openvino"]), ("bfloat16", ["openvino", "openvino-bfloat16"])],
)
def test_train__a_precision_can_be_forced(
    revision: Revision, precision: str, used: list[str]
) -> None:
    rates = {"keras": 1.0, "openvino": 2.0, "openvino-bfloat16": 3.0}
    record = speeds.rates_record("tiny", (32, 32))
    record.write_text(json.dumps(rates))
    recorder = Recorder()
    train.train(_config(precision=precision), revision, recorder)
    told = [line for line in recorder.lines if line.startswith("Features")]
    assert [line.split()[1].rstrip(",") for line in told] == used


@pytest.mark.parametrize("views", [0, 2])
def test_train__with_augmentation(revision: Revision, views: int) -> None:
    config = _config(freeze="last:1", augmentation="flip,colour", views=views)
    trained = train.train(config, revision, Listener())
    assert trained.best.accuracy > 0.5


def test_train__a_full_disk_does_not_end_it(
    revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _config(freeze="last:1")
    expected = train.train(config, revision, Listener())
    for segment in (Path(library.workspace.home()) / "features").rglob("*.features"):
        segment.unlink()

    def full(_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cache.Writer, "_open", full)
    recorder = Recorder()
    trained = train.train(config, revision, recorder)
    assert any("The disk is full" in line for line in recorder.lines)
    assert any("goes on without the cache" in line for line in recorder.lines)
    assert trained.best.loss == pytest.approx(expected.best.loss, abs=1e-4)


def test_train__fine_tuning_never_leaves_it_worse(revision: Revision) -> None:
    recorder = Recorder()
    config = _config(freeze="none", fine_tune_learning_rate=1.0)  # ruins it
    trained = train.train(config, revision, recorder)
    head = [v for phase, _, v in recorder.epochs if phase == "head"]
    assert trained.best.accuracy >= max(values["val_accuracy"] for values in head)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("nan", "became nan in epoch 2 of the fine-tuning phase"),
        ("memory", "even for one example per step"),
    ],
)
def test_train__a_failed_fine_tuning_leaves_the_best_until_then(
    revision: Revision, monkeypatch: pytest.MonkeyPatch, error: str, says: str
) -> None:
    make_fail(monkeypatch, "fine_tune", 2, error)
    recorder = Recorder()
    config = _config(freeze="last:1", batch_size=8 if error == "nan" else 1)
    trained = train.train(config, revision, recorder)
    done = [(phase, number) for phase, number, _ in recorder.epochs]
    assert done == [("head", 1), ("head", 2), ("fine_tune", 1)]
    assert says in trained.ended_early
    assert "Kept is the best until then" in trained.ended_early
    for variable in trained.model.variables:
        assert np.isfinite(np.asarray(variable)).all()


def test_train__a_failed_head_phase_leaves_the_closed_form(
    revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_fail(monkeypatch, "head", 1, "nan")
    trained = train.train(_config(freeze="last:1"), revision, Listener())
    assert (trained.best.phase, trained.best.epoch) == ("head", 0)
    assert "in epoch 1 of the head phase. Kept is" in trained.ended_early
    assert "closed form that it started from. Try a" in trained.ended_early


def test_train__a_failure_that_leaves_nothing_is_one(
    revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_fail(monkeypatch, "head", 1, "nan")
    with pytest.raises(TrainingError, match="nan in epoch 1 of the head phase"):
        train.train(_config(head="dense1024"), revision, Listener())


def test_train__a_stop_while_preparing_ends_it(revision: Revision) -> None:
    class Stopping(Listener):
        def stop_requested(self) -> bool:
            return True

    with pytest.raises(listener.StopRequested):
        train.train(_config(), revision, Stopping())
