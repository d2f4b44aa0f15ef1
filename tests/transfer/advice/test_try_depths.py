"""Freeze depths: which are tried, on which images, and a whole sweep."""

from pathlib import Path

import numpy as np
import pytest

from tests.pictures import make_pictures
from transfer.advice import depths, try_depths
from transfer.advice.depths import Depth
from transfer.backbones.structure import Cut, Layer, Structure
from transfer.datasets.ingest import importer
from transfer.datasets.revision import Revision
from transfer.errors import DatasetError
from transfer.evaluation import intervals
from transfer.training.best import Best

pytestmark = pytest.mark.usefixtures("workspace", "tiny")


@pytest.fixture
def revision(workspace: Path, tmp_path: Path) -> Revision:
    """Two classes that differ in colour, 12 images each."""
    make_pictures(tmp_path / "pets", {"cat": 12, "dog": 12})
    return importer.import_path(tmp_path / "pets", "pets", val=0.25)


def structure(blocks: int) -> Structure:
    """So many blocks of one layer each."""
    names = [f"block_{number}" for number in range(blocks)]
    layers = [
        Layer(
            name=f"{name}_conv", kind="Conv2D", block=name, parameters=1, statistics=0
        )
        for name in names
    ]
    cuts = [
        Cut(layer=layer.name, index=index, shape=(1, 1, 1))
        for index, layer in enumerate(layers)
    ]
    return Structure(
        backbone="small", image_size=(32, 32), layers=tuple(layers), cuts=tuple(cuts)
    )


@pytest.mark.parametrize(
    ("blocks", "plans"),
    [
        (20, ["all", "last:1", "last:2", "last:4", "last:6", "last:8"]),
        (8, ["all", "last:1", "last:2", "last:3", "last:4", "last:5"]),
        (5, ["all", "last:1", "last:2", "last:3", "last:4", "none"]),
        (2, ["all", "last:1", "none"]),
    ],
)
def test_plans__are_six_where_there_are_the_blocks(
    blocks: int, plans: list[str]
) -> None:
    assert [str(plan) for plan, _ in depths.plans(structure(blocks))] == plans


def depth(blocks: int, accuracy: float, high: float) -> Depth:
    """What a depth came to."""
    return Depth(
        freeze=f"last:{blocks}",
        blocks=blocks,
        cut="x",
        trainable_parameters=1,
        images=100,
        accuracy=accuracy,
        low=0.0,
        high=high,
        epoch_seconds=1.0,
        seconds=1.0,
    )


def test_advise__is_the_shallowest_that_may_be_as_good() -> None:
    tried = [depth(0, 0.7, 0.78), depth(1, 0.75, 0.82), depth(2, 0.8, 0.86)]
    assert depths.advise(tried).blocks == 1
    assert depths.advise([*tried, depth(4, 0.9, 0.95)]).blocks == 4


def test_subset__is_at_most_a_thousand_of_train_and_val(
    revision: Revision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(try_depths, "MOST_IMAGES", 10)
    small = try_depths.subset(revision)
    assert (len(small.of_split("train")), len(small.of_split("val"))) == (6, 4)
    for split in ("train", "val"):
        hashes = {image.sha256 for image in revision.of_split(split)}
        assert {image.sha256 for image in small.of_split(split)} <= hashes


def test_subset__without_val_a_part_of_train_stands_in(
    workspace: Path, tmp_path: Path
) -> None:
    make_pictures(tmp_path / "all", {"cat": 10, "dog": 10})
    small = try_depths.subset(importer.import_path(tmp_path / "all", "all", val=0.0))
    assert (len(small.of_split("train")), len(small.of_split("val"))) == (12, 8)
    assert len({image.sha256 for image in small.images}) == 20


def test_subset__too_few_images_are_told(workspace: Path, tmp_path: Path) -> None:
    make_pictures(tmp_path / "few", {"cat": 3, "dog": 3})
    with pytest.raises(DatasetError, match="too few to compare depths"):
        try_depths.subset(importer.import_path(tmp_path / "few", "few"))


def test_interval__balanced_accuracy_is_less_certain_than_accuracy() -> None:
    labels = np.repeat(np.array([0, 1], np.int32), [96, 4])
    best = Best(accuracy=0.95, balanced_accuracy=0.75)
    assert try_depths._interval(best, labels) == intervals.wilson(95, 100)
    best.follows = "balanced_accuracy"
    # As on 4 / (1 / 96 + 1 / 4) images.
    assert try_depths._interval(best, labels) == intervals.wilson(0.75 * 15.36, 15.36)


def test_request__weighted_classes_are_another_sweep(revision: Revision) -> None:
    subjects = {
        depths.request(revision, "mobilenet_v2", "imagenet", None, weights).subject
        for weights in ("none", "balanced")
    }
    assert len(subjects) == 2


def test_request__cropped_pictures_are_another_sweep(revision: Revision) -> None:
    asked = revision, "mobilenet_v2", "imagenet", None, "none"
    plain, cropped = depths.request(*asked), depths.request(*asked, "crop")
    assert cropped.subject == f"{plain.subject}-crop"
    assert cropped.words[-2:] == ("--resizing", "crop")


def test_sweep__tries_six_depths_and_starts_each_from_the_same_weights(
    revision: Revision,
) -> None:
    told: list[dict[str, object]] = []
    settings = {"backbone": "tiny", "weights": "random", "image_size": 32}
    found = [*try_depths.sweep(revision, settings, lambda **v: told.append(v))]
    assert [one.freeze for one in found][:3] == ["all", "last:1", "last:2"]
    assert len({one.cut for one in found}) == 6
    sizes = [one.trainable_parameters for one in found]
    assert sizes == sorted(set(sizes))
    for one in found:
        assert 0 <= one.low <= one.accuracy <= one.high <= 1
        assert one.epoch_seconds > 0 and one.images == 6
        # Each begins at the end of the head phase, and keeps its best epoch.
        assert one.accuracy >= found[0].accuracy
    assert told[-1]["depths"] == 6
