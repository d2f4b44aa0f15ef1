"""Features are pooled in cells, each by itself."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from transfer.backbones import graph
from transfer.backbones.catalogue import BACKBONES
from transfer.classifier import file_check, model


def _pooled(size: tuple[int, int], cells: tuple[int, int]) -> keras.Model:
    pixels = keras.Input((*size, 3))
    same = layers.Rescaling(1.0)(pixels)
    return model.add_pooling(keras.Model(pixels, same), cells)


def test_add_pooling__a_cell_hears_only_its_own_place() -> None:
    pooled = _pooled((10, 6), (5, 3))
    pixels = np.zeros((1, 10, 6, 3), np.float32)
    pixels[0, 2:4, 2:4, 1] = 7.0
    found = pooled(pixels).numpy().reshape(5, 3, 3)
    assert found[1, 1, 1] == pytest.approx(7.0)
    assert np.count_nonzero(found) == 1


def test_add_pooling__fewer_rows_than_cells_are_each_one() -> None:
    assert _pooled((2, 7), (5, 3)).output_shape == (None, 2 * 3 * 3)


def test_add_pooling__one_cell_is_as_ever() -> None:
    assert [one.name for one in _pooled((4, 4), (1, 1)).layers[2:]] == ["pooling"]


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_pooled_backbone__in_the_cells_of_the_catalogue(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = keras.Input((10, 6, 3))
    built = keras.Model(pixels, layers.Rescaling(1.0)(pixels))
    monkeypatch.setattr(graph, "build", lambda *_, **__: built)
    height, width = BACKBONES[name].cells
    expected = (None, height * width * 3)
    assert model.pooled_backbone(name).output_shape == expected


def test_check__a_classifier_with_cells_is_ours(tmp_path: Path) -> None:
    head = model.head("linear", 45, 2, 0)
    path = tmp_path / "model.keras"
    model.assemble(_pooled((10, 6), (5, 3)), head).save(path)
    file_check.check(path, (10, 6))
