"""Features of images: computed once, in one pass, right whatever befalls the files."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

from tests.pictures import make_pictures
from transfer import workspace
from transfer.backbones import graph
from transfer.classifier import model as classifier
from transfer.datasets import decoding, library
from transfer.datasets.ingest import importer
from transfer.features import cache, extract
from transfer.features.extract import Extractor, Features, agree
from transfer.features.views import View

CUT = "cut"


@pytest.fixture(scope="module")
def model() -> keras.Model:
    """Two convolutions with pooling on top; random, yet their output is not small."""
    keras.utils.set_random_seed(0)
    pixels = keras.Input((32, 32, 3), name="pixels")
    x = layers.Rescaling(1 / 127.5, -1.0)(pixels)
    x = layers.Conv2D(8, 3, 2, activation="relu", name=CUT)(x)
    x = layers.Conv2D(16, 3, 2, activation="relu")(x)
    return classifier.pooled(keras.Model(pixels, x))


@pytest.fixture
def hashes(workspace: Path, tmp_path: Path) -> list[str]:
    """The 20 images of a dataset."""
    make_pictures(tmp_path / "pets", {"cat": 10, "dog": 10})
    revision = importer.import_path(tmp_path / "pets", "pets")
    return [image.sha256 for image in revision.images]


def _extractor(model: keras.Model, *names: str) -> Extractor:
    return Extractor(model, names or ("pooling",), "net", lambda _: None)


def test_extractor__a_range_of_deep_grey_has_features_of_its_own(
    model: keras.Model, workspace: Path
) -> None:
    (plain,) = _extractor(model).tensors.values()
    with_range = Extractor(model, ("pooling",), "net", print, grey=(0.0, 4095.0))
    (deep,) = with_range.tensors.values()
    assert plain.key == plain.engine == deep.engine != deep.key


def _expected(
    model: keras.Model, hashes: list[str], layer: str = "pooling"
) -> NDArray[np.float32]:
    pixels = [decoding.decode(library.image_path(h), (32, 32)) for h in hashes]
    prefix = graph.prefix(model, layer)
    return np.asarray(prefix(np.stack(pixels).astype(np.float32), training=False))


def _computed(extractor: Extractor, features: Features) -> int:
    """How many views had to be computed."""
    counts = [0]
    wanted = {features.layer: features.kept_views}
    extractor.compute(wanted, lambda done, _: counts.append(done))
    return counts[-1]


def _segments() -> list[Path]:
    return [*workspace.folder("features").rglob("*.features")]


def test_compute__two_layers_in_one_pass_over_the_pictures(
    model: keras.Model, hashes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[Path] = []
    decode = decoding.decode

    def counted(path: Path, *rest: Any) -> Any:
        decoded.append(path)
        return decode(path, *rest)

    monkeypatch.setattr(decoding, "decode", counted)
    extractor = _extractor(model, "pooling", CUT)
    of_layer = {n: Features(extractor, n, hashes) for n in ("pooling", CUT)}
    wanted = {name: one.kept_views for name, one in of_layer.items()}
    extractor.compute(wanted, lambda *_: None)
    assert len(decoded) == len(hashes)
    for name, features in of_layer.items():
        rows = features.rows(np.arange(len(hashes)))
        np.testing.assert_allclose(rows, _expected(model, hashes, name), atol=1e-4)
    assert len(decoded) == 2 * len(hashes) + len(hashes)  # the rest is _expected's


def test_compute__an_enlarged_dataset_computes_only_what_is_new(
    model: keras.Model, hashes: list[str]
) -> None:
    first = _extractor(model)
    assert _computed(first, Features(first, "pooling", hashes[:15])) == 15
    again = _extractor(model)
    assert _computed(again, Features(again, "pooling", hashes)) == 5
    last = _extractor(model)
    assert _computed(last, Features(last, "pooling", hashes)) == 0


def test_compute__what_is_too_large_for_the_disk_is_not_kept(
    model: keras.Model, hashes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "room", lambda _: 100)
    lines: list[str] = []
    extractor = Extractor(model, ("pooling",), "net", lines.append)
    features = Features(extractor, "pooling", hashes)
    assert _computed(extractor, features) == 0
    assert "Training from pixels" in lines[0]
    rows = features.rows(np.arange(20))
    np.testing.assert_allclose(rows, _expected(model, hashes), atol=1e-4)


def test_compute__the_engine_of_many_layers_has_a_short_name(
    hashes: list[str],
) -> None:
    pixels = keras.Input((32, 32, 3), name="pixels")
    x, names = layers.Rescaling(1 / 127.5)(pixels), []
    for number in range(6):
        names.append(f"block_{number}_of_a_name_as_backbones_have_them")
        x = layers.Conv2D(4, 3, name=names[-1])(x)
    model = classifier.pooled(keras.Model(pixels, x))
    extractor = _extractor(model, *names)
    views = {name: Features(extractor, name, hashes).kept_views for name in names}
    extractor.compute(views, lambda *_: None)
    folders = [*workspace.folder("features", "engines").iterdir()]
    assert [len(folder.name) < 100 for folder in folders] == [True]
    assert len(_segments()) == 6


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def _noisy(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, path.stat().st_size)
    path.write_bytes(noise.astype(np.uint8).tobytes())


@pytest.mark.parametrize("harm", [_truncated, _noisy, Path.unlink])
def test_rows__are_right_after_the_file_was_harmed_while_in_use(
    model: keras.Model,
    hashes: list[str],
    harm: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(extract, "MEMORY_BYTES", 0)
    extractor = _extractor(model)
    features = Features(extractor, "pooling", hashes)
    _computed(extractor, features)
    features.load()
    expected = features.rows(np.arange(20))
    for segment in _segments():
        harm(segment)
    rows = features.rows(np.arange(20))
    assert expected.std() > 0.01
    np.testing.assert_allclose(rows, expected, atol=1e-4)


WRITER = """
import sys, numpy as np
from transfer.features.cache import Shelf
shelf = Shelf("net", (1000,), "float32")
with shelf.writer() as writer:
    for number in range(100_000):
        writer.add([str(number)], np.full((1, 1000), number, np.float32))
        if number == 500:
            print("writing", flush=True)
"""


def test_shelf__after_kill_9_while_writing_nothing_wrong_is_read(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER], stdout=subprocess.PIPE)
    assert process.stdout and process.stdout.readline() == b"writing\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    shelf = cache.Shelf("net", (1000,), "float32")
    rows, lost = shelf.read([str(number) for number in range(500)])
    for number in set(range(500)) - set(lost):
        assert (rows[number] == number).all()
    assert "0" not in shelf  # its segment was not complete


def test_rows__every_epoch_shows_another_kept_view(
    model: keras.Model, hashes: list[str]
) -> None:
    extractor = _extractor(model)
    features = Features(extractor, "pooling", hashes, ("crop", "colour"), 3)
    assert _computed(extractor, features) == 60
    everything = np.arange(20)
    epochs = [features.rows(everything, epoch) for epoch in (1, 2, 3, 4)]
    np.testing.assert_array_equal(epochs[0], epochs[3])
    seen = np.stack(epochs[:3])
    plain = _expected(model, hashes)
    is_plain = np.isclose(seen, plain, atol=1e-4).all(-1)
    assert (is_plain.sum(0) == 1).all()  # each image itself once in three epochs


def test_rows__views_made_anew_are_never_kept(
    model: keras.Model, hashes: list[str]
) -> None:
    extractor = _extractor(model)
    features = Features(extractor, "pooling", hashes, ("flip", "colour"), 0)
    assert _computed(extractor, features) == 0
    first, second = (features.rows(np.arange(20), epoch) for epoch in (1, 2))
    np.testing.assert_allclose(first, _expected(model, hashes), atol=1e-4)
    assert not np.allclose(first, second, atol=1e-3)
    assert not _segments()


def test_rows__of_pixels_are_changed_as_they_are_read(
    model: keras.Model, hashes: list[str]
) -> None:
    extractor = _extractor(model, "pixels")
    features = Features(extractor, "pixels", hashes, ("flip", "colour"), 4)
    assert _computed(extractor, features) == 20
    features.load()
    first, second = (features.rows(np.arange(20), epoch) for epoch in (1, 2))
    assert first.dtype == np.uint8
    expected = decoding.decode(library.image_path(hashes[0]), (32, 32))
    np.testing.assert_array_equal(first[0], expected)
    changed = View(hashes[0], 1, ("flip", "colour")).of(expected)
    np.testing.assert_array_equal(second[0], changed)


def _classes(noise: float) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 200).astype(np.int32)
    centres = rng.normal(0, 1, (3, 10))
    rows = centres[labels] + rng.normal(0, 0.5, (200, 10))
    return (rows + rng.normal(0, noise, rows.shape)).astype(np.float32), labels


def test_agree__small_errors_do_not_matter_large_ones_do() -> None:
    exact, labels = _classes(0.0)
    assert agree(exact, exact * 1.003, labels, 3)
    assert not agree(exact, _classes(5.0)[0], labels, 3)
    assert not agree(exact[:20], exact[:20], labels[:20], 3)  # too few to tell
