"""Summaries say of a run what the whole of it says."""

from typing import Any

import pytest

from transfer.config import TrainConfig
from transfer.store import outcome
from transfer.store.record import default_name
from transfer.store.runs import Store
from transfer.store.status import JobStatus

LARGEST = {"class": "ok", "accuracy": 0.927, "balanced_accuracy": 0.5}
SOUND = [16_000, 1.0, 0.025, 0.01, 64, 20.0, 8_000.0, 60.0]
RESULTS: dict[str, dict[str, Any]] = {
    "plain": {"val_accuracy": 0.9, "val_balanced_accuracy": 0.8},
    "skewed": {"val_accuracy": 0.95, "val_largest_class": LARGEST},
    "in vain": {"val_accuracy": 0.5, "best_phase": "head", "best_epoch": 2},
    "short": {"best_phase": "head", "best_epoch": 2, "epochs_fine_tuned": 1},
    "sounds": {"val_accuracy": 0.5, "sound": SOUND},
    "early": {"val_accuracy": 0.5, "ended_early": "no room"},
    "no val": {"val_accuracy": None, "val_largest_class": None},
}


@pytest.mark.parametrize("kind", RESULTS)
@pytest.mark.parametrize("weights", ["none", "balanced"])
def test_summaries__say_what_the_run_says(
    store: Store, kind: str, weights: str
) -> None:
    config = TrainConfig(dataset="parts", freeze="last:2", class_weights=weights)
    run = store.create(config, "mine")
    store.claim_next("here", {("run",): 1})
    store.heartbeat(run.id, {"phase": "head"})
    result = RESULTS[kind] | {"class_names": ["ok"], "seconds": {"total": 2.5}}
    store.finish(run.id, JobStatus.COMPLETED, result)
    run = store.describe(run.id, note="look", tags=["b", "a"])
    (listed,) = store.summaries()
    for name in ("id", "name", "status", "dataset", "revision", "note", "tags"):
        assert getattr(listed, name) == getattr(run, name)
    times = ("created_at", "started_at", "ended_at")
    assert all(getattr(listed, name) == getattr(run, name) for name in times)
    for says in (outcome.headline_in_words, outcome.headline, outcome.remarks):
        assert says(listed) == says(run)
    assert default_name(listed.config) == default_name(run.config)
    assert (listed.has_model, listed.seconds) == (True, 2.5)
    assert listed.dataset_kind == run.dataset_kind
    assert listed.progress == {}


def test_summaries__newest_first_limited_and_those_with_a_model(store: Store) -> None:
    runs = [store.create(TrainConfig(dataset="parts")) for _ in range(3)]
    store.add("rank", "parts", {"words": []})
    assert [one.id for one in store.summaries(limit=2)] == [
        runs[2].id,
        runs[1].id,
    ]
    store.claim_next("here", {("run",): 9})
    store.heartbeat(runs[0].id, {"epoch": 3})
    assert store.summaries()[-1].progress == {"epoch": 3}
    assert store.summaries(with_model=True) == []
    store.finish(runs[0].id, JobStatus.STOPPED, {"class_names": ["cat"]})
    assert [one.id for one in store.summaries(with_model=True)] == [runs[0].id]


def test_summaries__of_some_ids(store: Store) -> None:
    ids = [store.create(TrainConfig(dataset="parts")).id for _ in range(3)]
    found = store.summaries(ids=[ids[0], "deleted", ids[2]])
    assert [one.id for one in found] == [ids[2], ids[0]]


def test_going_on__runs_that_wait_or_work(store: Store) -> None:
    ended, works, waits = (store.create(TrainConfig(dataset="parts")) for _ in range(3))
    store.add("rank", "parts", {"words": []})
    for _ in (ended, works):
        store.claim_next("here", {("run",): 9})
    store.finish(ended.id, JobStatus.COMPLETED, {})
    assert [one.id for one in store.going_on()] == [waits.id, works.id]
