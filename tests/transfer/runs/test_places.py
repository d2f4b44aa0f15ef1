"""The line of queued runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from transfer.config import TrainConfig
from transfer.runs import places as waiting
from transfer.runs.places import Place
from transfer.store.record import Run
from transfer.store.status import JobStatus


def run(name: str, status: str = "queued", at: float = 0.0, **fields: object) -> Run:
    made = Run(
        id=name,
        name=name,
        status=JobStatus(status),
        config=TrainConfig(dataset="pets"),
        dataset="pets",
        revision="",
        created_at=at,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


def minute(_: TrainConfig) -> float:
    return 60.0


def test_places__in_the_order_in_which_they_came() -> None:
    line = [run("late", at=2), run("done", "completed"), run("soon", at=1)]
    busy = run("busy", "running", started_at=80.0)
    places = waiting.places([busy, *line], 1, minute, now=100.0)
    assert places == {"soon": Place(1, 40.0), "late": Place(2, 100.0)}


def test_places__a_free_slot_starts_at_once() -> None:
    busy = run("busy", "running", started_at=100.0)
    line = [run("a", at=1), run("b", at=2)]
    places = waiting.places([busy, *line], 2, minute, now=100.0)
    assert places == {"a": Place(1, 0.0), "b": Place(2, 60.0)}


def test_places__a_phase_that_takes_longer_than_estimated_counts() -> None:
    busy = run("busy", "running", started_at=1.0, progress={"seconds_left": 33.0})
    places = waiting.places([busy, run("a")], 1, minute, now=1000.0)
    assert places["a"] == Place(1, 33.0)


def test_places__unknown_where_nothing_is_known() -> None:
    busy = run("busy", "running", started_at=0.0)
    places = waiting.places([busy, run("a"), run("b", at=1)], 1, lambda _: None, 5.0)
    assert places == {"a": Place(1, None), "b": Place(2, None)}


@pytest.mark.parametrize("backbone", ["mobilenet_v2", "nonsense"])
def test_duration__none_for_a_backbone_never_looked_at(
    workspace: Path, backbone: str
) -> None:
    config = TrainConfig(dataset="pets", backbone=backbone)
    assert waiting.duration(config) is None
