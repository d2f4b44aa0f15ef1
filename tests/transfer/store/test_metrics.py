"""What is measured is stored, read and dropped."""

import math

import pytest

from tests.jobs_made import measure
from tests.transfer.store.runs_taken import metric, running
from transfer.errors import NotFoundError, RunError
from transfer.store.runs import Store
from transfer.store.status import JobStatus


def test_drop__keeps_what_the_checkpoint_has_seen(store: Store) -> None:
    run = running(store)
    for phase in ("head", "fine_tune"):
        for epoch in (1, 2):
            rows = [metric(phase=phase, epoch=epoch, step=step) for step in (1, 2)]
            measure(store, run.id, [*rows, metric(phase=phase, epoch=epoch)])

    def left() -> list[tuple[str, int, int | None]]:
        return [(m.phase, m.epoch, m.step) for m in store.metrics.after(run.id)]

    head = [("head", epoch, step) for epoch in (1, 2) for step in (1, 2, None)]
    assert store.metrics.count_done(run.id) == (8, 4)
    store.metrics.drop(run.id, "fine_tune", epoch=0, step=1)
    assert left() == [*head, ("fine_tune", 1, 1)]
    store.metrics.drop(run.id, "head", epoch=1)
    assert left() == head[:3]
    store.metrics.drop(run.id)
    assert left() == []


def test_tell__values_come_back_in_order(store: Store) -> None:
    run = running(store)
    rows = [metric(step=1), metric("accuracy", 1e-12, step=1), metric(epoch=2)]
    store.metrics.tell(run.id, rows, {}, run.started_at)
    found = store.metrics.after(run.id)
    assert [(one.name, one.value, one.step, one.epoch) for one in found] == [
        ("loss", 0.5, 1, 1),
        ("accuracy", 1e-12, 1, 1),
        ("loss", 0.5, None, 2),
    ]
    assert [one.at for one in found] == [one.at for one in rows]


def test_tell__values_progress_and_a_sign_of_life_at_once(store: Store) -> None:
    run = running(store)
    told = store.metrics.tell(run.id, [metric(step=1)], {"step": 1}, run.started_at)
    assert told is JobStatus.RUNNING
    now = store.get(run.id)
    assert now.progress == {"step": 1} and now.heartbeat_at
    assert [one.step for one in store.metrics.after(run.id)] == [1]
    store.request_stop(run.id)
    assert store.metrics.tell(run.id, [], {}, run.started_at) is JobStatus.STOPPING


def test_tell__nothing_of_a_run_that_another_has_begun_anew(store: Store) -> None:
    run = running(store)
    with pytest.raises(RunError, match="started anew"):
        store.metrics.tell(run.id, [metric()], {"step": 9}, 1.0)
    assert store.metrics.after(run.id) == [] and store.get(run.id).progress == {}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_tell__values_that_are_not_finite_survive(store: Store, value: float) -> None:
    run = running(store)
    store.metrics.tell(run.id, [metric(value=value)], {}, run.started_at)
    assert math.isnan(store.metrics.after(run.id)[0].value)


def test_tell__of_a_run_that_was_deleted(store: Store) -> None:
    with pytest.raises(NotFoundError, match="may have been deleted"):
        store.metrics.tell("00000000", [metric()], {}, None)


def test_after__only_what_is_newer(store: Store) -> None:
    run, other = running(store), running(store)
    measure(store, run.id, [metric(step=step) for step in range(5)])
    measure(store, other.id, [metric(step=9)])
    seen = store.metrics.after(run.id, limit=2)
    assert [one.step for one in seen] == [0, 1]
    newer = store.metrics.after(run.id, seen[-1].id)
    assert [one.step for one in newer] == [2, 3, 4]


def test_after__ids_are_never_used_again(store: Store) -> None:
    run, other = running(store), running(store)
    measure(store, run.id, [metric()])
    last = store.metrics.after(run.id)[-1].id
    store.finish(run.id, JobStatus.STOPPED)
    store.trash.remove(store.trash.put_job(store.get(run.id), run.id, ""))
    measure(store, other.id, [metric()])
    assert store.metrics.after(other.id)[0].id > last


def test_of_epochs__without_steps_and_the_later_of_two(store: Store) -> None:
    run = running(store)
    measure(store, run.id, [metric(step=1), metric(value=3), metric(value=2)])
    assert [one.value for one in store.metrics.of_epochs(run.id)] == [2]
