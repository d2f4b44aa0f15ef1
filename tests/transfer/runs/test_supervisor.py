"""The thread that looks after all jobs."""

import logging
import os
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.both_databases import on_postgresql
from tests.patience import PATIENCE
from tests.pictures import make_pictures
from tests.transfer.runs.processes_made import FLOWERS, FakeProcess
from transfer import workspace as folders
from transfer.datasets import editing, history, manifest
from transfer.datasets.ingest.importer import import_path
from transfer.errors import StorageError
from transfer.runs import queue, supervisor
from transfer.runs.engines.local import SpareWorker
from transfer.runs.requests import Request
from transfer.runs.supervisor import Supervisor
from transfer.store import tables
from transfer.store.record import Job
from transfer.store.runs import Store
from transfer.store.status import JobStatus


@pytest.mark.parametrize(("said", "prepared"), [("", 1), ("0", 0)])
def test_supervisor__keeps_a_spare_worker_unless_told_not_to(
    store: Store, monkeypatch: pytest.MonkeyPatch, said: str, prepared: int
) -> None:
    called: list[SpareWorker] = []
    monkeypatch.setattr(SpareWorker, "prepare", lambda self: called.append(self))
    monkeypatch.setenv("TRANSFER_SPARE_WORKER", said)
    Supervisor().tick()
    assert len(called) == prepared


@pytest.mark.parametrize(("kind", "prepared"), [("export", 1), ("rank", 0)])
def test_supervisor__prepares_a_spare_worker_beside_light_work_only(
    store: Store, monkeypatch: pytest.MonkeyPatch, kind: str, prepared: int
) -> None:
    called: list[SpareWorker] = []
    process = FakeProcess(os.getpid())
    monkeypatch.setattr(SpareWorker, "start", lambda self, job: process)
    monkeypatch.setattr(SpareWorker, "prepare", lambda self: called.append(self))
    queue.ask(store, Request(kind, "it", (kind,)))
    Supervisor().tick()
    assert len(called) == prepared


@pytest.mark.parametrize(("kind", "started"), [("rank", "spare"), ("import", "new")])
def test_supervisor__keeps_the_spare_worker_for_what_needs_keras(
    store: Store, monkeypatch: pytest.MonkeyPatch, kind: str, started: str
) -> None:
    begun: list[str] = []

    def start(by: str) -> FakeProcess:
        begun.append(by)
        return FakeProcess(os.getpid())

    monkeypatch.setattr(SpareWorker, "prepare", lambda self: None)
    monkeypatch.setattr(SpareWorker, "start", lambda self, job: start("spare"))
    monkeypatch.setattr(supervisor.local, "start", lambda job: start("new"))
    queue.ask(store, Request(kind, "it", (kind,)))
    Supervisor().tick()
    assert begun == [started]


def test_supervisor__starts_the_next_run_when_one_has_ended(
    store: Store, zombie: int
) -> None:
    started: dict[str, FakeProcess] = {}

    def launch(job: Job) -> FakeProcess:
        started[job.id] = FakeProcess(zombie)
        return started[job.id]

    runs = [store.create(FLOWERS).id, store.create(FLOWERS).id]
    supervisor = Supervisor(launch=launch)
    supervisor.tick()
    assert [*started] == runs[:1]
    started[runs[0]].returncode = 1
    supervisor.tick()
    assert [*started] == runs
    assert store.get(runs[0]).status == "interrupted"


def test_supervisor__starts_nothing_while_the_last_process_still_gives_back_memory(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    process, started = FakeProcess(os.getpid()), list[str]()

    def launch(job: Job) -> FakeProcess:
        started.append(job.id)
        return process

    first, second = (store.create(FLOWERS).id for _ in range(2))
    looks_after = Supervisor(launch=launch)
    looks_after.tick()
    store.finish(first, JobStatus.COMPLETED)
    looks_after.tick()
    assert started == [first]
    monkeypatch.setattr(supervisor, "LEAVES_WITHIN", 1e-9)  # it never goes
    looks_after.tick()
    assert started == [first, second]


def test_supervisor__reaps_the_children_that_ended(store: Store) -> None:
    process = FakeProcess()
    store.create(FLOWERS)
    supervisor = Supervisor(launch=lambda _: process)
    supervisor.tick()
    assert [*supervisor._children.values()] == [process]
    process.returncode = 0
    supervisor.tick()
    assert not supervisor._children


def test_supervisor__survives_a_problem_and_logs_it_once(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    stores = iter([StorageError("no room"), StorageError("no room"), store])

    def open_store() -> Store:
        found = next(stores)
        if isinstance(found, StorageError):
            raise found
        return found

    store.create(FLOWERS)
    supervisor = Supervisor(open_store, launch=lambda _: FakeProcess())
    with caplog.at_level(logging.ERROR):
        supervisor.tick()
        supervisor.tick()
    assert len(caplog.records) == 1
    supervisor.tick()
    assert store.runs()[0].status == "running"


@pytest.mark.parametrize("asks", ["run", "export"])
def test_submit_and_ask__wake_the_supervisor(store: Store, asks: str) -> None:
    launched = threading.Event()

    def launch(_: Job) -> FakeProcess:
        launched.set()
        return FakeProcess()

    supervisor = Supervisor(interval=600.0, launch=launch)
    supervisor.start()
    job: Job = (
        queue.submit(store, FLOWERS, "mine")
        if asks == "run"
        else queue.ask(store, Request(asks, "one", (asks,)))
    )
    assert launched.wait(PATIENCE)
    supervisor.stop()
    assert store.get_job(job.id).status == "running"


@on_postgresql
def test_supervisor__is_woken_by_another_machine(store: Store) -> None:
    launched = threading.Event()

    def launch(_: Job) -> FakeProcess:
        launched.set()
        return FakeProcess()

    supervisor = Supervisor(interval=600.0, launch=launch)
    supervisor.start()
    store.create(FLOWERS)  # nothing in this process is told of it
    assert launched.wait(PATIENCE)
    supervisor.stop()


def test_supervisor__its_thread_works_until_it_is_stopped(store: Store) -> None:
    launched = threading.Event()
    process = FakeProcess()

    def launch(_: Job) -> FakeProcess:
        launched.set()
        return process

    store.create(FLOWERS)
    supervisor = Supervisor(interval=0.01, launch=launch)
    supervisor.start()
    assert launched.wait(PATIENCE)
    supervisor.stop()
    assert not supervisor._thread.is_alive()
    assert process.told == [], "the worker goes on"


def _age(store: Store, job: Job, days: float) -> None:
    """The job was asked for and ended so many days ago."""
    moved = {
        "created_at": tables.jobs.c.created_at - days * 86_400,
        "ended_at": tables.jobs.c.ended_at - days * 86_400,
    }
    with store._database.writing() as connection:
        row = sa.update(tables.jobs).where(tables.jobs.c.id == job.id)
        connection.execute(row.values(moved))


def test_tidy__old_jobs_go_but_the_newest_of_each_subject_and_all_runs(
    store: Store, workspace: Path
) -> None:
    stays, goes = [], []
    for subject, days, of in (
        ("a", 90, goes),
        ("a", 8, goes),
        ("a", 1, stays),
        ("b", 90, stays),
        ("c", 200, goes),
    ):
        job = store.add("rank", subject, {"words": []})
        store.request_stop(job.id)
        _age(store, job, days)
        folders.folder("jobs", job.id)
        of.append(job.id)
    run = store.create(FLOWERS)
    store.request_stop(run.id)
    _age(store, run, 999)
    waits = store.add("rank", "a", {"words": []})
    _age(store, waits, 999)
    for name, days in (("rank-0a1b", 99), ("rank-4e5f", 1)):
        folder = folders.folder("jobs", name)
        old = folder.stat().st_mtime - days * 86_400
        os.utime(folder, (old, old))
    supervisor.tidy(store)
    assert store.which_exist([*stays, *goes, run.id, waits.id]) == {
        *stays,
        run.id,
        waits.id,
    }
    left = {folder.name for folder in (workspace / "jobs").iterdir()}
    assert left == {*stays, "rank-4e5f"}


def test_tidy__more_than_are_removed_at_a_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transfer.store.line._BATCH", 2)
    for _ in range(5):
        job = store.add("rank", "a", {"words": []})
        store.request_stop(job.id)
        _age(store, job, 200)
    supervisor.tidy(store)
    assert store.find("rank", "a") is None
    assert store.add("rank", "a", {}).status is JobStatus.QUEUED


def test_tidy__never_prunes_a_revision_that_a_run_names(
    store: Store, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "MOST_STEPS", 1)  # none builds on another
    monkeypatch.setattr(history, "KEPT", 1)
    monkeypatch.setattr(history, "KEPT_DAYS", -1)
    first = import_path(make_pictures(tmp_path / "a", {"cat": 4, "dog": 4}), "pets")
    made = [editing.move("pets", [one.path], "dog") for one in first.images[:3]]
    named = FLOWERS.model_copy(update={"dataset": "pets", "revision": made[0].id})
    run = store.create(named)
    assert store.revisions("pets") == {made[0].id: [run.name]}
    supervisor.tidy(store)
    left = {one.id for one in history.heads("pets")}
    assert left == {first.id, made[0].id, made[2].id}
