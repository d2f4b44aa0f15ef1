"""What is asked for, taken, stopped and deleted."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.transfer.runs.processes_made import FLOWERS, FakeProcess, taken
from transfer.config import TrainConfig
from transfer.errors import BackboneError, RunError
from transfer.runs import kinds, places, queue
from transfer.runs.requests import Request
from transfer.store.people import Role
from transfer.store.record import Job
from transfer.store.runs import Store
from transfer.store.status import JobStatus

Launch = Callable[[Job], FakeProcess]


def launches(_: Job) -> FakeProcess:
    return FakeProcess()


def refuse(_: Job) -> FakeProcess:
    raise OSError(11, "Resource temporarily unavailable")


def test_dispatch__starts_as_many_as_there_is_room_for(store: Store) -> None:
    first, second = store.create(FLOWERS), store.create(FLOWERS)
    assert queue.dispatch(store, launches) == [first.id]
    assert store.get(first.id).status == "running"
    assert store.get(first.id).pid == os.getpid()
    assert store.get(second.id).status == "queued"


def test_dispatch__at_most_the_limit_of_heavy_work_and_light_work_beside_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_MAX_RUNNING", "2")
    asked = [
        queue.ask(store, Request(kind, f"{kind}-{number}", (kind,)))
        for number in range(3)
        for kind in ("rank", "depths", "export", "evaluate")
    ]
    run = queue.submit(store, FLOWERS)
    begun = queue.dispatch(store, launches)
    assert begun == [job.id for job in asked[:4]], "two heavy ones and two light ones"
    assert queue.dispatch(store, launches) == []
    store.finish(asked[0].id, JobStatus.COMPLETED)
    assert queue.dispatch(store, launches) == [asked[4].id], "the next heavy one"
    store.finish(asked[2].id, JobStatus.FAILED)
    assert queue.dispatch(store, launches) == [asked[6].id], "the next light one"
    assert store.get(run.id).status == "queued"


def test_dispatch__light_work_may_be_left_to_a_server(store: Store) -> None:
    rank, _ = (
        queue.ask(store, Request(one, one, (one,))) for one in ("rank", "export")
    )
    assert queue.dispatch(store, launches, light=False) == [rank.id]


def test_dispatch__what_gives_way_waits_until_all_else_is_done(store: Store) -> None:
    details = queue.ask(
        store, Request("evaluate", "a-val", ("evaluate",)), kinds.GIVES_WAY
    )
    export = queue.ask(store, Request("export", "a", ("export",)))
    run = queue.submit(store, FLOWERS)
    assert queue.dispatch(store, launches, kinds.GIVES_WAY) == [export.id, run.id]
    store.finish(run.id, JobStatus.COMPLETED)
    assert queue.dispatch(store, launches, kinds.GIVES_WAY) == []
    store.finish(export.id, JobStatus.COMPLETED)
    assert queue.dispatch(store, launches) == [], "not without somebody who looks on"
    assert queue.dispatch(store, launches, kinds.GIVES_WAY) == [details.id]


def test_dispatch__a_process_that_cannot_start_fails_its_job(store: Store) -> None:
    runs = [store.create(FLOWERS), store.create(FLOWERS)]
    assert queue.dispatch(store, refuse) == []
    for run in map(store.get, [run.id for run in runs]):
        assert run.status == "failed"
        assert "Resource temporarily unavailable" in run.error["message"]
        assert run.error["kind"] == "RunError" and run.error["hint"]


def test_dispatch__a_worker_that_has_ended_already_keeps_its_end(store: Store) -> None:
    def quick(job: Job) -> FakeProcess:
        store.finish(job.id, JobStatus.FAILED, error={"kind": "DatasetError"})
        return FakeProcess()

    run = store.create(FLOWERS)
    assert queue.dispatch(store, quick) == [run.id]
    assert store.get(run.id).error == {"kind": "DatasetError"}


def test_ask__the_same_work_twice_is_one_job(store: Store) -> None:
    first = queue.ask(
        store,
        Request(
            "rank",
            "r1",
            (
                "rank",
                "a",
            ),
        ),
        kinds.GIVES_WAY,
    )
    again = queue.ask(
        store,
        Request(
            "rank",
            "r1",
            (
                "rank",
                "b",
            ),
        ),
    )
    assert again.id == first.id and again.priority == 0
    assert again.settings["words"] == ["rank", "b"], "it has not begun"
    queue.dispatch(store, launches)
    working = queue.ask(
        store,
        Request(
            "rank",
            "r1",
            (
                "rank",
                "c",
            ),
        ),
        5,
    )
    assert (working.id, working.priority) == (first.id, 5)
    assert working.settings["words"] == ["rank", "b"]
    assert queue.ask(store, Request("rank", "r2", ("rank",))).id != first.id
    assert queue.ask(store, Request("depths", "r1", ("sweep",))).id != first.id
    store.finish(first.id, JobStatus.FAILED)
    new = queue.ask(store, Request("rank", "r1", ("rank",)))
    assert new.id != first.id
    found = store.find("rank", "r1")
    assert found and found.id == new.id


def test_submit__a_backbone_of_earlier_versions_is_refused(store: Store) -> None:
    gone = TrainConfig(dataset="flowers", backbone="starter", weights="starter")
    with pytest.raises(BackboneError, match="starter was one of earlier versions"):
        queue.submit(store, gone)
    run = store.create(gone)
    queue.stop(store, run.id)
    with pytest.raises(BackboneError, match="starter was one of earlier versions"):
        queue.resume(store, run.id)
    assert store.get(run.id).status == "stopped"


def test_stop__by_name(store: Store) -> None:
    store.create(FLOWERS, "mine")
    assert queue.stop(store, "mine").status == "stopped"


def test_stop__of_a_job_that_waits_or_works(store: Store) -> None:
    job = queue.ask(store, Request("rank", "r1", ("rank",)))
    assert queue.stop(store, job.id).status == "stopped"
    job = taken(store, "rank", os.getpid())
    assert queue.stop(store, job.id).status == "stopping"


def test_stop__of_a_vanished_worker_says_so(store: Store, zombie: int) -> None:
    run = taken(store, pid=zombie)
    with pytest.raises(RunError, match="is interrupted"):
        queue.stop(store, run.id)


def test_dispatch__eleven_runs_of_two_people_in_turn_with_a_restart_between(
    workspace: Path,
) -> None:
    """Anna asks for ten, then Bob for one: the order that was told is kept."""
    store = Store()
    role = Role.PARTICIPANT
    people = [store.people.add(subject=n, name=n, role=role) for n in ("a", "b", "c")]
    ids = {one.name: one.id for one in people if one}
    names = [*(f"a{n}" for n in range(10)), "b0", "c0", "b1"]
    asked = [store.create(FLOWERS, name, ids[name[0]]) for name in names]
    called = {one.id: one.name for one in asked}

    def told() -> list[str]:
        return [called[job_id] for job_id in places.places(store)]

    def done(count: int) -> list[str]:
        began = [job for _ in range(count) for job in one_after_another(store)]
        return [called[job_id] for job_id in began]

    order = ["a0", "b0", "c0", "a1", "b1", *(f"a{n}" for n in range(2, 10))]
    assert told() == order
    assert done(2) == order[:2]
    store.close()
    store = Store()  # the server was started anew
    assert told() == order[2:]
    assert done(11) == order[2:]
    store.close()


def one_after_another(store: Store) -> list[str]:
    """Ids of what is begun now; it is done at once."""
    begun = queue.dispatch(store, launches)
    for job_id in begun:
        store.finish(job_id, JobStatus.COMPLETED)
    return begun
