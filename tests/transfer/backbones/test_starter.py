"""The starter: what ships loads and is what its card says; making it works."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from transfer.backbones import catalogue, graph, weights
from transfer.backbones.starter import network, pictures, pretrain, student
from transfer.config import TrainConfig
from transfer.errors import ConfigError, WeightsError

STARTER = catalogue.get(catalogue.STARTER)


@pytest.fixture
def tiles(tmp_path: Path) -> Path:
    """Three classes of 8 pictures for train and 4 for val, each class of a colour."""
    path = tmp_path / "tiles.zip"
    random = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny/classes.tsv", "")
        for split, columns in (("train", 4), ("val", 2)):
            for label in range(3):
                sheet = random.integers(0, 60, (128, 64 * columns, 3), np.uint8)
                sheet[..., label] += 150
                with io.BytesIO() as file:
                    Image.fromarray(sheet).save(file, "avif")
                    archive.writestr(f"tiny/{split}/{label}.avif", file.getvalue())
    return path


def recipe(epochs: int) -> student.Recipe:
    return student.Recipe(sizes=(32,) * epochs, batch_size=8, learning_rate=0.005)


def test_weights__ship_with_their_hash_and_few_bytes() -> None:
    content = weights.weights_file(STARTER).read_bytes()
    assert hashlib.sha256(content).hexdigest() == STARTER.weights_hash
    assert len(content) < 12e6


def test_weights__load_without_a_network_into_the_network(tmp_path: Path) -> None:
    model = graph.build("starter", weights="starter", image_size=(64, 64))
    assert model.count_params() == STARTER.parameters
    stored = np.load(weights.weights_file(STARTER))
    kernel = model.get_layer("block4_2_conv").kernel
    np.testing.assert_array_equal(kernel, stored["block4_2_conv/kernel"])
    assert stored["block4_2_conv/kernel"].dtype == np.float16


def test_weights__damaged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    damaged = tmp_path / "weights.npz"
    damaged.write_bytes(b"nothing")
    monkeypatch.setattr(weights, "weights_file", lambda backbone: damaged)
    with pytest.raises(WeightsError, match="damaged.*own repository"):
        graph.build("starter", weights="starter", image_size=(64, 64))


def test_structure__a_block_for_each_residual_block() -> None:
    model = graph.build("starter", image_size=(64, 64))
    read = graph.structure(model, "starter")
    assert list(read.blocks) == ["stem", "block1", "block2", "block3", "block4"]
    assert {"block1_relu", "block2_relu", "block3_relu"} <= {c.layer for c in read.cuts}
    assert model.output_shape == (None, 4, 4, network.CHANNELS)


def test_config__the_starter_has_weights_of_its_own() -> None:
    def weights_of(**settings: str) -> str:
        return TrainConfig.checked(dataset="pets", **settings).weights

    assert weights_of(backbone="starter") == "starter"
    assert weights_of(backbone="starter", weights="random") == "random"
    assert weights_of(backbone="mobilenet_v2") == "imagenet"
    with pytest.raises(ConfigError, match="starter has no weights `imagenet`"):
        weights_of(backbone="starter", weights="imagenet")
    with pytest.raises(ConfigError, match="resnet50 has no weights `starter`"):
        weights_of(backbone="resnet50", weights="starter")
    with pytest.raises(ConfigError, match="without the classification layer"):
        weights_of(backbone="starter", method="source")


def test_read__tiles_row_by_row(tiles: Path) -> None:
    images, labels = pictures.read(tiles, "train")
    assert (images.shape, images.dtype) == ((24, 64, 64, 3), np.uint8)
    assert labels.tolist() == [0] * 8 + [1] * 8 + [2] * 8
    assert images.mean((1, 2)).argmax(1).tolist() == labels.tolist()
    assert len(pictures.read(tiles, "val", limit=2)[0]) == 6


def test_boxes__lie_in_the_picture() -> None:
    boxes = pictures.boxes(1000, 0.4, (0,))
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    assert boxes.min() >= 0
    assert boxes.max() <= 1 + 1e-6
    assert 0.3 < areas.min() < areas.max() <= 1 + 1e-6


def test_pretrain__learns_and_writes_weights_that_load(
    tiles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = pretrain.pretrain(tiles, tmp_path / "out", recipe(4))
    log = [json.loads(x) for x in (tmp_path / "out" / "log.jsonl").open()]
    assert [line["epoch"] for line in log] == [1, 2, 3, 4]
    assert log[-1]["loss"] < log[0]["loss"]
    with np.load(made) as arrays:
        assert sum(array.size for array in arrays.values()) == STARTER.parameters


def test_pretrain__resumes_where_it_was_cut_off(
    tiles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pretrain.pretrain(tiles, tmp_path / "whole", recipe(3))

    keep = pretrain._keep

    def cut_off(whose: object, output: Path, epochs: int, line: object) -> None:
        keep(whose, output, epochs, line)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(pretrain, "_keep", cut_off)
    with pytest.raises(KeyboardInterrupt):
        pretrain.pretrain(tiles, tmp_path / "parts", recipe(3))
    monkeypatch.setattr(pretrain, "_keep", keep)
    parts = pretrain.pretrain(tiles, tmp_path / "parts", recipe(3))
    log = (tmp_path / "parts" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in log] == [1, 2, 3]
    assert np.load(parts).files == np.load(whole).files


def test_teacher__its_features_are_scaled_and_kept(
    tiles: Path, tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrain, "_TEACHER_SIZE", 32)
    random_weights(monkeypatch)
    images, _ = pictures.read(tiles, "train")
    taught = student.Recipe(sizes=(32,), teacher="mobilenet_v2_035")
    features = pretrain.Teacher(taught, images, tmp_path).features(0)
    assert features.shape == (24, 1280)
    assert abs(float(features.astype(np.float32).mean())) < 0.01
    again = pretrain.Teacher(taught, images[:0], tmp_path).features(0)
    np.testing.assert_array_equal(again, features)


def random_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The teacher is built without the ImageNet weights, which may not be here."""
    build: Callable[..., keras.Model] = graph.build

    def untrained(name: str, weights: str, **options: object) -> keras.Model:
        return build(name, **options)

    monkeypatch.setattr(pretrain.graph, "build", untrained)
