"""One range for the deep grey of a dataset, found where its pictures differ."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from transfer.datasets import decoding
from transfer.datasets.decoding import Levels
from transfer.datasets.ingest import grey
from transfer.datasets.ingest.importer import import_path
from transfer.datasets.library import image_path
from transfer.datasets.revision import Revision

Values = NDArray[np.float64]


def stripes(random: np.random.Generator, amplitude: float) -> Values:
    """Noise of a fifth of the amplitude, striped as high as the amplitude."""
    wave = np.sign(np.sin((np.arange(48) + random.integers(0, 12)) * np.pi / 6))
    return amplitude * (wave + random.normal(0, 0.2, (48, 48)))


def dataset(folder: Path, ending: str, of: Callable[[Values], Values]) -> Revision:
    """Plain and striped pictures of these values: noise alone, or with stripes."""
    random = np.random.default_rng(0)
    for name in ("plain", "striped"):
        (folder / name).mkdir(parents=True)
        for number in range(6):
            values = stripes(random, 1.0)
            if name == "plain":
                values = random.normal(0, 0.2, (48, 48))
            Image.fromarray(of(values)).save(folder / name / f"{number}{ending}")
    return import_path(folder, folder.name)


def contrast(revision: Revision, label: int) -> float:
    """Grey levels between the darkest and the brightest percents, on average."""
    paths = [image_path(one.sha256) for one in revision.images if one.label == label]
    pixels = [decoding.decode(path, (48, 48), revision.grey) for path in paths]
    return float(np.mean([np.ptp(np.percentile(one, (5, 95))) for one in pixels]))


def twelve_bits(values: Values) -> Values:
    return (1285 + 40 * values).astype(np.uint16)


def sixteen_times(values: Values) -> Values:
    return twelve_bits(values) * np.uint16(16)


def fractions(values: Values) -> Values:
    return np.clip(0.6 + 0.08 * values, 0, 0.99).astype(np.float32)


def beyond_one(values: Values) -> Values:
    """As floats in a narrow band, and one hot pixel above 1."""
    made = fractions(values) * np.float32(1.2)
    made[0, 0] = 1.19
    return made


def thermal(values: Values) -> Values:
    """Kelvin times 100, of a dead pixel and a hot one."""
    made = (29500 + 90 * values).astype(np.uint16)
    made[0, :2] = 0, 65535
    return made


@pytest.mark.parametrize(
    ("of", "ending"),
    [
        (twelve_bits, ".png"),
        (sixteen_times, ".png"),
        (thermal, ".png"),
        (fractions, ".tif"),
        (beyond_one, ".tif"),
    ],
)
def test_range_of__what_tells_the_classes_apart_is_seen(
    workspace: Path, tmp_path: Path, of: Callable[[Values], Values], ending: str
) -> None:
    revision = dataset(tmp_path / "deep", ending, of)
    assert contrast(revision, 1) > 40
    assert contrast(revision, 1) > 2 * contrast(revision, 0)
    assert not revision.flat


def test_range_of__16_bits_that_are_filled_stay_as_they_were(
    workspace: Path, tmp_path: Path
) -> None:
    revision = dataset(
        tmp_path / "filled",
        ".png",
        lambda values: np.clip(30000 + 15000 * values, 0, 65535).astype(np.uint16),
    )
    assert revision.grey == (0.0, 65535.0)
    path = image_path(revision.images[0].sha256)
    assert np.array_equal(
        decoding.decode(path), decoding.decode(path, None, revision.grey)
    )


def test_range_of__fractions_bytes_and_16_bits_have_a_white_of_their_own() -> None:
    for white in (1.0, 255.0, 65535.0):
        level = Levels(0.0, 0.05 * white, 0.9 * white, white)
        assert grey.range_of([level]) == (0.0, white)


def test_range_of__no_deep_grey() -> None:
    assert grey.range_of([]) is None


def test_range_of__one_strange_picture_of_twenty_changes_little() -> None:
    usual = [Levels(990, 1000, 1200, 1210)] * 19
    assert grey.range_of([*usual, Levels(0, 60000, 65000, 65535)]) == (900, 1300)


def test_range_of__all_values_alike() -> None:
    black, white = grey.range_of([Levels(7, 7, 7, 7)]) or (0, 0)
    assert black == 7 < white


def test_import_path__pictures_that_come_out_nearly_constant_are_named(
    workspace: Path, tmp_path: Path
) -> None:
    dataset(tmp_path / "first", ".png", twelve_bits)
    folder = tmp_path / "first" / "plain"
    Image.fromarray(np.full((48, 48), 1285, np.uint16)).save(folder / "off.png")
    Image.new("RGB", (48, 48), "blue").save(folder / "blue.png")
    fine = np.indices((256, 256)).sum(0) % 2 * np.uint8(255)  # grey once it is small
    Image.fromarray(fine.astype(np.uint8)).save(folder / "fine.png")
    revision = import_path(tmp_path / "first", "with flat ones")
    assert revision.flat == ("plain/blue.png", "plain/off.png")
    assert len(revision.images) == 15


def test_to_json__a_revision_keeps_its_range_and_old_ones_can_be_read(
    workspace: Path, tmp_path: Path
) -> None:
    revision = dataset(tmp_path / "deep", ".png", twelve_bits)
    assert Revision.from_json(revision.to_json()) == revision
    old = {k: v for k, v in revision.to_json().items() if k not in ("grey", "flat")}
    read = Revision.from_json(old)
    assert read.grey is None and read.flat == ()
    assert read.to_json() == old  # so that ids stay


def test_are_flat__is_a_matter_of_the_first_and_last_percent() -> None:
    random = np.random.default_rng(0)
    said = []
    for spread in np.linspace(0.2, 1.2, 200):
        values = 128 + random.normal(0, spread, (32, 32, 3))
        pixels = values.astype(np.uint8)
        low, high = np.percentile(pixels, (1, 99), axis=(0, 1))
        said.append(grey.are_flat(pixels))
        assert said[-1] == ((high - low).max() < 3)
    assert 20 < sum(said) < 180
