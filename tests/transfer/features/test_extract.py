"""Features of images: computed once, in one pass, and only those that lack."""

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from tests.pictures import make_pictures
from tests.transfer.features.computing import (
    CUT,
    count_computed,
    expected_of,
    extractor_of,
    segments,
)
from transfer import workspace
from transfer.backbones import graph
from transfer.classifier import model as classifier
from transfer.datasets import decoding, library
from transfer.datasets.decoding import Resizing
from transfer.datasets.ingest import importer
from transfer.features import cache
from transfer.features.extract import Extractor
from transfer.features.rows import Features


def test_extractor__a_range_of_deep_grey_has_features_of_its_own(
    model: keras.Model, workspace: Path
) -> None:
    (plain,) = extractor_of(model).tensors.values()
    with_range = Extractor(model, ("pooling",), "net", print, rendering=(0.0, 4095.0))
    (deep,) = with_range.tensors.values()
    assert plain.key == plain.engine == deep.engine != deep.key


def test_extractor__keys_of_stretched_pictures_are_those_of_old(
    model: keras.Model, workspace: Path
) -> None:
    (pixels,) = extractor_of(model, "pixels").tensors.values()
    assert pixels.key == "pixels-32x32-stretch-1"
    content = f"32x32 stretch-1 {graph.fingerprint(model)}"
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    (plain,) = extractor_of(model).tensors.values()
    assert plain.key == plain.engine == f"net-pooling-{digest}"


def test_in_bfloat16__keeps_its_own_features_without_hashing_weights_again(
    model: keras.Model, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = extractor_of(model, "pooling", "pixels")
    monkeypatch.setattr(graph, "fingerprint", None)  # must not be asked
    twin = exact.in_bfloat16()
    assert twin.bfloat16 and not exact.bfloat16
    pooling = exact.tensors["pooling"]
    assert twin.tensors["pooling"].key == f"{pooling.key}-bfloat16"
    assert twin.tensors["pixels"] == exact.tensors["pixels"]
    assert twin.shelves["pooling"].folder != exact.shelves["pooling"].folder


@pytest.mark.parametrize("resizing", ["crop", "fit"])
def test_read__features_are_of_the_picture_as_it_was_resized(
    model: keras.Model, workspace: Path, tmp_path: Path, resizing: Resizing
) -> None:
    make_pictures(tmp_path / "long", {"cat": 3, "dog": 3}, (24, 90))
    revision = importer.import_path(tmp_path / "long", "long")
    hashes = [image.sha256 for image in revision.images]
    stretched, made = (
        Extractor(model, ("pooling",), "net", print, resizing=one)
        for one in ("stretch", resizing)
    )
    (plain,), (other,) = stretched.tensors.values(), made.tensors.values()
    # The same prefix runs for both, and none reads what the other has kept.
    assert other.engine == plain.engine and other.key == f"{plain.key}-{resizing}"
    assert count_computed(stretched, Features(stretched, "pooling", hashes)) == 6
    features = Features(made, "pooling", hashes)
    assert count_computed(made, features) == 6
    decode = partial(decoding.decode, size=(32, 32), resizing=resizing)
    pixels = np.stack([decode(library.image_path(one)) for one in hashes])
    expected = np.asarray(model(pixels.astype(np.float32), training=False))
    rows = features.rows(np.arange(6))
    np.testing.assert_allclose(rows, expected, atol=1e-4)


def test_compute__two_layers_in_one_pass_over_the_pictures(
    model: keras.Model, hashes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[Path] = []
    decode = decoding.decode

    def counted(path: Path, *rest: Any) -> Any:
        decoded.append(path)
        return decode(path, *rest)

    monkeypatch.setattr(decoding, "decode", counted)
    extractor = extractor_of(model, "pooling", CUT)
    of_layer = {n: Features(extractor, n, hashes) for n in ("pooling", CUT)}
    wanted = {name: one.kept_views for name, one in of_layer.items()}
    extractor.compute(wanted, lambda *_: None)
    assert len(decoded) == len(hashes)
    for name, features in of_layer.items():
        rows = features.rows(np.arange(len(hashes)))
        np.testing.assert_allclose(rows, expected_of(model, hashes, name), atol=1e-4)
    assert len(decoded) == 2 * len(hashes) + len(hashes)  # the rest is expected_of's


def test_compute__an_enlarged_dataset_computes_only_what_is_new(
    model: keras.Model, hashes: list[str]
) -> None:
    first = extractor_of(model)
    assert count_computed(first, Features(first, "pooling", hashes[:15])) == 15
    again = extractor_of(model)
    assert count_computed(again, Features(again, "pooling", hashes)) == 5
    last = extractor_of(model)
    assert count_computed(last, Features(last, "pooling", hashes)) == 0


def test_compute__what_is_too_large_for_the_disk_is_not_kept(
    model: keras.Model, hashes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "room", lambda _: 100)
    lines: list[str] = []
    extractor = Extractor(model, ("pooling",), "net", lines.append)
    features = Features(extractor, "pooling", hashes)
    assert count_computed(extractor, features) == 0
    assert "Training from the input" in lines[0]
    rows = features.rows(np.arange(20))
    np.testing.assert_allclose(rows, expected_of(model, hashes), atol=1e-4)


def test_compute__the_engine_of_many_layers_has_a_short_name(
    hashes: list[str],
) -> None:
    pixels = keras.Input((32, 32, 3), name="pixels")
    x, names = layers.Rescaling(1 / 127.5)(pixels), []
    for number in range(6):
        names.append(f"block_{number}_of_a_name_as_backbones_have_them")
        x = layers.Conv2D(4, 3, name=names[-1])(x)
    model = classifier.add_pooling(keras.Model(pixels, x), (1, 1))
    extractor = extractor_of(model, *names)
    views = {name: Features(extractor, name, hashes).kept_views for name in names}
    extractor.compute(views, lambda *_: None)
    folders = [*workspace.folder("features", "engines").iterdir()]
    assert [len(folder.name) < 100 for folder in folders] == [True]
    assert len(segments()) == 6
