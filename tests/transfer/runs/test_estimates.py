"""Estimates follow what a run does: way, disk, time."""

import json
from pathlib import Path
from typing import Any

import pytest

from transfer.backbones.freezing import FreezePlan
from transfer.backbones.structure import Cut, Layer, Structure
from transfer.config import TrainConfig
from transfer.features import cache, speeds
from transfer.runs import estimates

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
    config = TrainConfig.checked(dataset="pets", **settings)
    resolved = FreezePlan.parse(config.freeze).resolve(STRUCTURE)
    return estimates.estimate(config, resolved, (1000, 200))


def test_estimate__all_frozen_keeps_pooled_features_only(workspace: Path) -> None:
    told = _estimate()
    assert told.disk_bytes == 1200 * 32 * 4
    assert told.keeps and not told.measured
    assert "runs once per image" in told.why


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
    assert not told.keeps
    assert "would take 5 MB, and there is room for 1 MB" in told.why
    assert told.disk_bytes == 1200 * 32 * 4


def test_estimate__new_views_in_every_epoch_are_not_kept(workspace: Path) -> None:
    told = _estimate(freeze="last:1", augmentation="flip", views=0)
    assert not told.keeps
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
