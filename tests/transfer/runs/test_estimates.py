"""Estimates follow what a run does: way, disk, time."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from transfer.backbones import structures
from transfer.backbones.freezing import FreezePlan
from transfer.backbones.structure import Cut, Layer, Structure
from transfer.config import TrainConfig
from transfer.datasets import library
from transfer.features import cache, speeds
from transfer.runs import estimates
from transfer.store.runs import Store
from transfer.store.status import JobStatus

STRUCTURE = Structure(
    backbone="mobilenet_v2",
    image_size=(32, 32),
    layers=tuple(
        Layer(
            name=name,
            kind="Conv2D",
            block=name,
            parameters=1000 * (name != "pixels"),
            statistics=0,
            multiply_adds=10_000_000 * (name != "pixels"),
        )
        for name in ("pixels", "a", "b", "c")
    ),
    cuts=(
        Cut(layer="pixels", index=0, shape=(32, 32, 3)),
        Cut(layer="a", index=1, shape=(16, 16, 8)),
        Cut(layer="b", index=2, shape=(8, 8, 16)),
        Cut(layer="c", index=3, shape=(4, 4, 32)),
    ),
)


def _estimate(**settings: Any) -> estimates.Estimate:
    config = TrainConfig.of(dataset="pets", backbone="mobilenet_v2", **settings)
    resolved = FreezePlan.parse(config.freeze).resolve(STRUCTURE)
    return estimates.estimate(config, resolved, (1000, 200))


def test_estimate__all_frozen_keeps_pooled_features_only(workspace: Path) -> None:
    told = _estimate()
    assert told.disk_bytes == 1200 * 32 * 4
    assert not told.measured
    assert "the backbone runs once" in told.why


def test_estimate__an_unfrozen_block_keeps_the_cut_as_well(workspace: Path) -> None:
    told = _estimate(freeze="last:1")
    assert told.disk_bytes == 1200 * (32 + 8 * 8 * 16) * 4
    assert "b runs once" in told.why
    assert told.seconds > _estimate().seconds


def test_estimate__deeper_is_slower(workspace: Path) -> None:
    epochs = [_estimate(freeze=f"last:{n}").epoch_seconds for n in (1, 2)]
    assert epochs[0] < epochs[1] < _estimate(freeze="none").epoch_seconds


def test_estimate__every_kept_view_takes_room(workspace: Path) -> None:
    one = _estimate(freeze="last:1")
    four = _estimate(freeze="last:1", augmentation="flip", views=4)
    of_val = 200 * (32 + 8 * 8 * 16) * 4
    assert four.disk_bytes - of_val == 4 * (one.disk_bytes - of_val)


def test_estimate__too_large_for_the_disk_means_from_pixels(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "room", lambda: 1_000_000)
    told = _estimate(freeze="last:1")
    assert "would take 5 MB, and there is room for 1 MB" in told.why
    assert told.disk_bytes == 1200 * 32 * 4


def test_estimate__new_views_in_every_epoch_are_not_kept(workspace: Path) -> None:
    told = _estimate(freeze="last:1", augmentation="flip", views=0)
    assert "new views" in told.why


def test_estimate__follows_what_was_measured_here(workspace: Path) -> None:
    record = speeds.rates_record("mobilenet_v2", (32, 32))
    times = []
    for rate in (10.0, 1000.0):
        record.write_text(json.dumps({"keras": rate, "openvino": 2 * rate}))
        told = _estimate(freeze="last:1")
        assert told.measured
        times.append(told.seconds)
    assert times[0] > 5 * times[1]


def test_estimate__checkpoints_and_the_best_weights_take_memory(
    workspace: Path,
) -> None:
    def memory(parameters: int) -> int:
        layers = [replace(one, parameters=parameters) for one in STRUCTURE.layers]
        structure = replace(STRUCTURE, layers=tuple(layers))
        resolved = FreezePlan.parse("none").resolve(structure)
        config = TrainConfig(dataset="pets", freeze="none")
        return estimates.estimate(config, resolved, (1000, 200)).memory_bytes

    for_each = (memory(2_000_000) - memory(1_000_000)) / 4_000_000
    kept_and_written, trains, converted = 32, 16, 8
    assert for_each == pytest.approx(kept_and_written + trains + converted)


def test_learn_factors__by_what_the_last_runs_took(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimates, "duration", lambda _: 100.0)
    pets = TrainConfig(dataset="pets")
    birds = pets.model_copy(update={"dataset": "birds"})
    other = pets.model_copy(update={"backbone": "vgg16"})
    assert estimates.learn_factors(store)(pets) == 1.0
    for config, took in ((pets, 150.0), (pets, 160.0), (birds, 30.0), (other, 1.0)):
        store.create(config)
        run = store.claim_next("here", {("run",): 9})
        assert run
        result = {"seconds": {"total": took}}
        store.finish(run.id, JobStatus.COMPLETED, result)
    factor = estimates.learn_factors(store)
    assert factor(pets) == pytest.approx(1.55)
    assert factor(birds) == pytest.approx(0.3)
    assert factor(other) == 0.25, "one odd run shall not spoil the next one"
    flowers = pets.model_copy(update={"dataset": "flowers"})
    assert factor(flowers) == 1.5, "as the last of this backbone"
    unknown = flowers.model_copy(update={"backbone": "resnet50"})
    assert factor(unknown) == pytest.approx(0.9), "as the last of all"


@pytest.mark.parametrize("backbone", ["mobilenet_v2", "nonsense"])
def test_duration__none_for_a_dataset_or_backbone_that_is_not_here(
    workspace: Path, backbone: str
) -> None:
    config = TrainConfig(dataset="pets", backbone=backbone)
    assert estimates.duration(config) is None


def test_duration__what_was_measured_since_counts_at_once(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    revision = SimpleNamespace(of_split=lambda _: range(1000))
    monkeypatch.setattr(library, "load", lambda *_: revision)
    monkeypatch.setattr(structures, "read", lambda *_: STRUCTURE)
    config = TrainConfig(
        dataset="pets", backbone="mobilenet_v2", freeze="last:1", image_size=32
    )
    record = speeds.rates_record("mobilenet_v2", (32, 32))
    times = []
    for rate in (10.0, 1000.0):
        record.write_text(json.dumps({"keras": rate, "openvino": 2 * rate}))
        times.append(estimates.duration(config) or 0.0)
    assert times[0] > 5 * times[1] > 0
