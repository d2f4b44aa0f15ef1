"""The program that made the starter's weights, on a few tiny pictures."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from transfer.backbones import catalogue, graph
from transfer.training.starter import pictures, pretrain, student

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
