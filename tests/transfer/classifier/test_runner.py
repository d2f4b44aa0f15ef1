"""A classifier runs without Keras, once it was converted."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests import tiny
from tests.pictures import make_pictures
from transfer.classifier import converting, runner
from transfer.classifier import model as classifier
from transfer.datasets import decoding
from transfer.features import converted, engines
from transfer.processes import environment

pytestmark = pytest.mark.usefixtures("tiny", "workspace")


def _model(head: classifier.Head = "linear") -> keras.Model:
    pooled = classifier.pooled_backbone(tiny.NAME, image_size=(32, 32))
    return classifier.assemble(pooled, classifier.head(head, tiny.CHANNELS, 3, seed=0))


def _make(model: keras.Model, record: Path) -> runner.Runner:
    return converting.make(model, tiny.NAME, record, lambda line: None)


def _picture(folder: Path) -> Path:
    make_pictures(folder / "pets", {"cat": 1})
    return next((folder / "pets").rglob("*.png"))


@pytest.mark.parametrize("head", ["linear", "dense1024"])
def test_read__answers_as_the_model_of_which_it_was_made(
    tmp_path: Path, head: classifier.Head
) -> None:
    model, record, picture = _model(head), tmp_path / "r.npz", _picture(tmp_path)
    made = _make(model, record)
    kept = runner.read(record)
    assert kept and kept.image_size == made.image_size == (32, 32)
    pixels = decoding.decode(picture, (32, 32))
    expected = np.asarray(model(pixels[np.newaxis].astype(np.float32)))
    for one in (made, kept):
        said = one.run([picture])
        np.testing.assert_allclose(said.probabilities, expected, atol=1e-4)
        means = one.feature_map(pixels).mean((0, 1))
        np.testing.assert_allclose(means, said.features[0], atol=1e-4)


def test_gradient__of_a_hidden_layer_is_that_of_the_logit(tmp_path: Path) -> None:
    head = _make(_model("dense1024"), tmp_path / "r.npz").head
    features = np.random.default_rng(0).normal(size=tiny.CHANNELS).astype(np.float32)
    step = 1e-2 * np.eye(tiny.CHANNELS, dtype=np.float32)
    up, down = (head._outputs(features + one)[-1][:, 1] for one in (step, -step))
    measured = (up - down) / 2e-2
    np.testing.assert_allclose(head.gradient(features, 1), measured, atol=2e-2)


@pytest.mark.parametrize("damaged", ["record", "engine", "weights"])
def test_read__nothing_where_a_part_is_gone(tmp_path: Path, damaged: str) -> None:
    record = tmp_path / "r.npz"
    key = _make(_model(), record)._key
    engine = converted.file(key)
    if damaged == "record":
        record.write_bytes(b"damaged")
    elif damaged == "engine":
        engine.write_text("damaged")
    else:
        engine.with_suffix(".bin").unlink()
    assert runner.read(record) is None


def test_make__keras_where_the_backbone_cannot_be_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("no such operation")

    monkeypatch.setattr(engines, "convert", refuse)
    model, record, picture = _model(), tmp_path / "r.npz", _picture(tmp_path)
    made = _make(model, record)
    assert not record.exists()
    pixels = decoding.decode(picture, (32, 32))
    expected = np.asarray(model(pixels[np.newaxis].astype(np.float32)))
    found = made.run([picture])
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)
    means = made.feature_map(pixels).mean((0, 1))
    np.testing.assert_allclose(means, found.features[0], atol=1e-5)


def test_read__a_process_without_keras(tmp_path: Path) -> None:
    record = tmp_path / "r.npz"
    _make(_model(), record)
    code = (
        "import sys; from pathlib import Path\n"
        "from transfer.classifier import runner\n"
        "kept = runner.read(Path(sys.argv[1])); kept.warm()\n"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(record)]
    assert subprocess.run(command, env=environment()).returncode == 0


def test_run__a_picture_that_several_questions_are_about_is_computed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, picture = _make(_model(), tmp_path / "r.npz"), _picture(tmp_path)
    computed: list[int] = []
    run = made._engine.run

    def counted(pixels: runner.Pixels) -> converted.Outputs:
        computed.append(len(pixels))
        return run(pixels)

    monkeypatch.setattr(made._engine, "run", counted)
    first = made.run([picture])
    means = made.feature_map(made.decode(picture)).mean((0, 1))
    np.testing.assert_allclose(means, first.features[0], atol=1e-4)
    np.testing.assert_array_equal(made.run([picture]).features, first.features)
    both = made.run([picture, picture]).features
    np.testing.assert_allclose(both[1], first.features[0], atol=1e-4)
    assert computed == [1, 2]
