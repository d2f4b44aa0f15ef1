"""Rows of features: right whatever befalls the files, another view in every epoch."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from tests.transfer.features.computing import (
    count_computed,
    expected_of,
    extractor_of,
    segments,
)
from transfer.datasets import decoding, library
from transfer.features import rows
from transfer.features.rows import Features
from transfer.features.views import View


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def make_noise(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, path.stat().st_size)
    path.write_bytes(noise.astype(np.uint8).tobytes())


@pytest.mark.parametrize("harm", [truncate, make_noise, Path.unlink])
def test_rows__are_right_after_the_file_was_harmed_while_in_use(
    model: keras.Model,
    hashes: list[str],
    harm: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rows, "MEMORY_BYTES", 0)
    extractor = extractor_of(model)
    features = Features(extractor, "pooling", hashes)
    count_computed(extractor, features)
    features.load()
    expected = features.rows(np.arange(20))
    for segment in segments():
        harm(segment)
    again = features.rows(np.arange(20))
    assert expected.std() > 0.01
    np.testing.assert_allclose(again, expected, atol=1e-4)


def test_rows__every_epoch_shows_another_kept_view(
    model: keras.Model, hashes: list[str]
) -> None:
    extractor = extractor_of(model)
    features = Features(extractor, "pooling", hashes, ("crop", "colour"), 3)
    assert count_computed(extractor, features) == 60
    everything = np.arange(20)
    epochs = [features.rows(everything, epoch) for epoch in (1, 2, 3, 4)]
    np.testing.assert_array_equal(epochs[0], epochs[3])
    seen = np.stack(epochs[:3])
    plain = expected_of(model, hashes)
    is_plain = np.isclose(seen, plain, atol=1e-4).all(-1)
    assert (is_plain.sum(0) == 1).all()  # each image itself once in three epochs


def test_rows__views_made_anew_are_never_kept(
    model: keras.Model, hashes: list[str]
) -> None:
    extractor = extractor_of(model)
    features = Features(extractor, "pooling", hashes, ("flip", "colour"), 0)
    assert count_computed(extractor, features) == 0
    first, second = (features.rows(np.arange(20), epoch) for epoch in (1, 2))
    np.testing.assert_allclose(first, expected_of(model, hashes), atol=1e-4)
    assert not np.allclose(first, second, atol=1e-3)
    assert not segments()


def test_rows__of_pixels_are_changed_as_they_are_read(
    model: keras.Model, hashes: list[str]
) -> None:
    extractor = extractor_of(model, "pixels")
    features = Features(extractor, "pixels", hashes, ("flip", "colour"), 4)
    assert count_computed(extractor, features) == 20
    features.load()
    first, second = (features.rows(np.arange(20), epoch) for epoch in (1, 2))
    assert first.dtype == np.uint8
    expected = decoding.decode(library.image_path(hashes[0]), (32, 32))
    np.testing.assert_array_equal(first[0], expected)
    changed = View(hashes[0], 1, ("flip", "colour")).of(expected)
    np.testing.assert_array_equal(second[0], changed)
