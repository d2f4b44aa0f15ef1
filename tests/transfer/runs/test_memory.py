"""Whether there is memory for one more job."""

from pathlib import Path

import pytest

from tests.transfer.runs.processes_made import FLOWERS, FakeProcess
from tests.transfer.runs.test_places import job
from transfer import processes
from transfer.runs import kinds, memory, places, queue
from transfer.runs.requests import Request
from transfer.store.record import Job
from transfer.store.runs import Store
from transfer.store.status import JobStatus


def launches(_: Job) -> FakeProcess:
    return FakeProcess()


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """How much memory there is; a run needs 2 GB, else 0.5, and has taken none yet."""
    told = {"free": 3.0}
    monkeypatch.setattr(processes, "available_memory", lambda: 1e9 * told["free"])
    monkeypatch.setattr(memory, "need", lambda job: 2e9 if job.kind == "run" else 5e8)
    monkeypatch.setattr(memory, "_resident", lambda _: 0.0)
    monkeypatch.setenv("TRANSFER_MAX_RUNNING", "3")
    return told


def test_shortage__what_was_begun_has_not_taken_yet_what_it_will(
    free: dict[str, float],
) -> None:
    at_work = [job("a", "running")]
    assert "needs about 2.0 GB" in memory.shortage(job("b"), at_work)
    free["free"] = 4.4
    assert "1.9 GB are left" in memory.shortage(job("b"), at_work)
    free["free"] = 4.6
    assert not memory.shortage(job("b"), at_work)


def test_shortage__alone_it_is_begun_in_any_case(free: dict[str, float]) -> None:
    free["free"] = 0.1
    assert not memory.shortage(job("a"), [])


def test_dispatch__never_more_than_memory_allows(
    store: Store, free: dict[str, float]
) -> None:
    runs = [store.create(FLOWERS) for _ in range(3)]
    assert queue.dispatch(store, launches) == [runs[0].id]
    told = places.places(store)[runs[1].id]
    assert told.seconds is None and "needs about 2.0 GB" in told.why
    assert not places.places(store)[runs[2].id].why, "it waits for the one before it"
    store.finish(runs[0].id, JobStatus.COMPLETED)
    assert queue.dispatch(store, launches) == [runs[1].id]


def test_dispatch__light_work_goes_on_while_a_run_waits_for_another(
    store: Store, free: dict[str, float]
) -> None:
    free["free"] = 3.6
    first, second = store.create(FLOWERS), store.create(FLOWERS)
    export = queue.ask(store, Request("export", "e", ("export",)))
    assert queue.dispatch(store, launches) == [first.id, export.id]
    assert store.get(second.id).status == "queued"


def test_dispatch__nobody_takes_the_memory_that_a_run_waits_for(
    store: Store, free: dict[str, float]
) -> None:
    free["free"] = 2.8
    first = queue.ask(store, Request("export", "a", ("export",)))
    assert queue.dispatch(store, launches) == [first.id]
    run = store.create(FLOWERS)
    second = queue.ask(store, Request("export", "b", ("export",)))
    assert queue.dispatch(store, launches) == []
    store.finish(first.id, JobStatus.COMPLETED)
    assert queue.dispatch(store, launches) == [run.id]
    free["free"] = 4.0
    assert queue.dispatch(store, launches) == [second.id]


def test_room__by_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, heavy, light in ((1, 1, 2), (2, 1, 2), (8, 2, 2), (16, 4, 4)):
        monkeypatch.setattr(processes, "cores", lambda cores=cores: cores)
        assert kinds.room() == {kinds.HEAVY: heavy, kinds.LIGHT: light}


def test_available_memory__of_a_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("700000\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 200000\n")
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    monkeypatch.setattr(processes, "CGROUP", tmp_path)
    assert processes.available_memory() == 500_000
    assert processes.cores() == 1
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert processes.available_memory() > 1e6
    assert processes.cores() >= 1
