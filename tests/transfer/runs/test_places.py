"""The line of queued jobs."""

import time
from dataclasses import replace

import pytest

from tests.both_databases import on_postgresql
from tests.statements import statements
from tests.transfer.runs.processes_made import FLOWERS, FakeProcess, taken
from transfer.runs import kinds, places, queue
from transfer.runs.places import Place
from transfer.runs.requests import Request
from transfer.store.record import Job
from transfer.store.runs import Store
from transfer.store.status import JobStatus

ROOM = {kinds.HEAVY: 1, kinds.LIGHT: 2}


def job(name: str, status: str = "queued", **fields: object) -> Job:
    made = Job(id=name, status=JobStatus(status), created_at=0.0)
    return replace(made, **fields)  # type: ignore[arg-type]


def minute(_: Job) -> float:
    return 60.0


def test_line_up__in_the_order_in_which_they_came() -> None:
    line = [job("first"), job("later", kind="rank")]
    busy = job("busy", "running", started_at=80.0)
    found = places.line_up(line, [busy], ROOM, minute, now=100.0)
    assert found == {"first": Place(1, 40.0), "later": Place(2, 100.0)}


def test_line_up__a_free_slot_starts_at_once_and_light_work_beside_heavy() -> None:
    busy = job("busy", "running", started_at=100.0)
    export = job("export", "running", started_at=70.0, kind="export")
    line = [job("a"), job("b", kind="import"), job("c", kind="measure")]
    found = places.line_up(line, [busy, export], ROOM, minute, now=100.0)
    assert found == {"a": Place(1, 60.0), "b": Place(1, 0.0), "c": Place(2, 30.0)}


def test_line_up__a_phase_that_takes_longer_than_estimated_counts() -> None:
    busy = job("busy", "running", started_at=1.0, progress={"seconds_left": 33.0})
    found = places.line_up([job("a")], [busy], ROOM, minute, now=1000.0)
    assert found["a"] == Place(1, 33.0)


def test_line_up__unknown_where_nothing_is_known() -> None:
    busy = job("busy", "running", started_at=0.0)
    found = places.line_up([job("a"), job("b")], [busy], ROOM, lambda _: None, now=5.0)
    assert found == {"a": Place(1, None), "b": Place(2, None)}


def test_line_up__what_gives_way_comes_last() -> None:
    line = [job("a"), job("b", kind="evaluate", priority=kinds.GIVES_WAY)]
    found = places.line_up(line, [], ROOM, minute, now=5.0)
    assert found == {"a": Place(1, 0.0), "b": Place(2, None)}
    assert places.line_up(line[1:], [], ROOM, minute)["b"] == Place(1, 0.0)


def test_line_up__whose_job_ends_first_has_fewer_at_work() -> None:
    """Two places: once Bob's short one has ended, his next goes before Anna's third."""
    active = [
        job("a0", "running", started_at=90.0, owner="anna"),
        job("b0", "running", started_at=95.0, owner="bob", progress={}),
    ]
    line = [job("a1", owner="anna"), job("b1", owner="bob")]

    def takes(one: Job) -> float:
        return 20.0 if one.owner == "bob" else 1000.0

    began = {kinds.HEAVY: {"anna": 90.0, "bob": 95.0}}
    room = {kinds.HEAVY: 2}
    found = places.line_up(line, active, room, takes, began, now=100.0)
    assert found == {"b1": Place(1, 15.0), "a1": Place(2, 35.0)}


def test_line_up__more_at_work_than_there_are_places_for_now() -> None:
    active = [
        job(f"a{n}", "running", started_at=40.0 + 10 * n, kind="rank") for n in range(3)
    ]
    found = places.line_up([job("b")], active, ROOM, minute, now=100.0)
    assert found["b"] == Place(1, 20.0)


def test_places__told_in_the_order_in_which_jobs_are_taken(store: Store) -> None:
    took = [taken(store, "rank"), taken(store, "depths")]
    for one in took:
        store.finish(one.id, JobStatus.COMPLETED)
    asked = [
        queue.ask(store, Request("rank", f"r{number}", ("rank",)))
        for number in range(3)
    ]
    asked.append(queue.ask(store, Request("depths", "d", ("sweep",)), priority=1))
    asked.append(queue.ask(store, Request("export", "e", ("export",))))
    run = queue.submit(store, FLOWERS)
    found = places.places(store)
    assert [found[one.id].position for one in asked] == [2, 3, 4, 1, 1]
    assert found[run.id].position == 5
    assert found[asked[3].id].seconds == found[asked[4].id].seconds == 0.0
    begun = queue.dispatch(store, lambda _: FakeProcess())
    assert begun == [asked[3].id, asked[4].id]


def test_places__nobody_waits(store: Store) -> None:
    assert places.places(store) == {}


def test_median_seconds__a_clock_that_was_set_spoils_one_of_them() -> None:
    ended = [
        job("a", "completed", started_at=0.0, ended_at=took)
        for took in (30.0, 3_632.0, 31.0)
    ]
    assert places._median_seconds(ended) == 31.0
    back = [job("a", "completed", started_at=9_000.0, ended_at=5_400.0)]
    assert places._median_seconds(back) == 0.0
    assert places._median_seconds([]) is None


@on_postgresql
def test_places__machines_are_asked_for_once(store: Store) -> None:
    queue.ask(store, Request("rank", "it", ("rank",)))
    with statements(store) as asked:
        places.places(store)
    assert len([one for one in asked if "FROM machines" in one]) == 1


@on_postgresql
def test_places__the_clock_of_a_server_changes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_median_seconds", lambda _: 600.0)
    taken(store, "rank")
    waits = queue.ask(store, Request("rank", "it", ("rank",)))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600)
    assert 300 < (places.places(store)[waits.id].seconds or 0.0) <= 600
