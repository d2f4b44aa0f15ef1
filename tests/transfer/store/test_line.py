"""Who waits, who is taken next."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from tests.both_databases import on_postgresql
from tests.transfer.store.runs_taken import FLOWERS, HOST
from transfer.store import rows
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.store.status import JobStatus


def test_claim_next__takes_the_oldest_and_keeps_the_limit(store: Store) -> None:
    first, second = store.create(FLOWERS), store.create(FLOWERS)
    claimed = store.claim_next(HOST, {("run",): 1})
    assert claimed and (claimed.id, claimed.status) == (first.id, JobStatus.RUNNING)
    assert claimed.host == HOST and claimed.started_at
    assert store.claim_next(HOST, {("run",): 1}) is None
    store.request_stop(first.id)
    assert store.claim_next(HOST, {("run",): 1}) is None, (
        "a stopping run still takes its place"
    )
    other = store.claim_next("elsewhere", {("run",): 1})
    assert other and other.id == second.id


def test_claim_next__threads_at_once_get_each_run_once(store: Store) -> None:
    for _ in range(6):
        store.create(FLOWERS)
    together = threading.Barrier(8)

    def claim(_: int) -> Run | None:
        together.wait()
        return store.claim_next(HOST, {("run",): 4})

    with ThreadPoolExecutor(8) as pool:
        claimed = [run.id for run in pool.map(claim, range(8)) if run]
    assert len(claimed) == len(set(claimed)) == 4


def test_claim_next__processes_at_once_get_each_run_once(store: Store) -> None:
    for _ in range(3):
        store.create(FLOWERS)
    code = (
        "import sys; from transfer.store.runs import Store\n"
        "store = Store(); print('ready', flush=True); sys.stdin.readline()\n"
        "found = [store.claim_next('here', {('run',): 2}) for _ in range(3)]\n"
        "print(*[run.id for run in found if run])"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", code]
    workers = [subprocess.Popen(command, **pipes) for _ in range(2)]
    for worker in workers:
        worker.stdout.readline()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    claimed = [one for worker in workers for one in worker.communicate()[0].split()]
    assert len(claimed) == len(set(claimed)) == 2


@on_postgresql
def test_claim_next__what_is_being_stopped_is_not_taken(store: Store) -> None:
    run = store.create(FLOWERS)
    with store._database.writing() as other:
        rows.lock(other, run.id)
        assert store.claim_next(HOST, {("run",): 1}) is None
        rows.change(other, run.id, status=JobStatus.STOPPED.value)
    assert store.get(run.id).status == "stopped"


@on_postgresql
def test_line__times_are_those_of_the_database(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 3600)
    store.create(FLOWERS)
    run = store.claim_next(HOST, {("run",): 1})
    assert run
    store.heartbeat(run.id)
    run = store.finish(run.id, JobStatus.STOPPED)
    told = (run.created_at, run.started_at, run.heartbeat_at, run.ended_at)
    assert all(at and at < now + 1800 for at in told)
    assert list(told) == sorted(told)


def test_line__nothing_reads_all_that_has_ended(store: Store, database: str) -> None:
    """With 5,000 runs a look at the few that wait or work stays a look at these."""
    seen: list[tuple[str, Any]] = []

    def note(_c: object, _k: object, text: str, values: Any, *_: object) -> None:
        if text.lstrip().startswith(("SELECT", "UPDATE")) and "jobs" in text:
            seen.append((text, values))

    run = store.create(FLOWERS)
    engine = store._database._engine
    sa.event.listen(engine, "before_cursor_execute", note)
    store.active()
    store.waiting()
    store.find("rank", "r1")
    store.add("rank", "r1", {})
    store.last_ended("run", 5)
    store.last_begun(("run", "rank"), {None, "a", "b"})
    store.last_begun(("run", "rank"), {"a", "b"})
    store.claim_next(HOST, {("run", "rank"): 1})
    store.heartbeat(run.id, {})
    store.which_exist([run.id])
    store.going_on()
    store.summaries(limit=20)
    sa.event.remove(engine, "before_cursor_execute", note)
    assert len(seen) > 12
    explain, all_rows = "EXPLAIN QUERY PLAN", "SCAN"
    with store._database.reading() as connection:
        if database == "postgresql":
            explain, all_rows = "EXPLAIN", "Seq Scan"
            # So few rows are quicker read than looked up.
            connection.exec_driver_sql("SET enable_seqscan = off")
        for text, values in seen:
            plan = str(connection.exec_driver_sql(f"{explain} {text}", values).all())
            assert all_rows not in plan, (text, plan)


def test_add__the_one_of_a_subject_that_goes_on_is_not_asked_for_again(
    store: Store,
) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda _: store.add("rank", "r1", {"words": []}), range(8))
        assert len({job.id for job in made}) == 1


def test_find__the_newest_whatever_became_of_it(store: Store) -> None:
    assert store.find("rank", "r1") is None
    first = store.add("rank", "r1", {"words": ["rank"]})
    store.request_stop(first.id)
    found = store.find("rank", "r1")
    assert found and (found.id, found.status) == (first.id, "stopped")
    again = store.add("rank", "r1", {"words": ["rank"]})
    found = store.find("rank", "r1")
    assert found and found.id == again.id != first.id


def test_last_queued__is_another_once_a_job_was_queued(store: Store) -> None:
    assert store.last_queued() == (0, None)
    first = store.create(FLOWERS)
    assert store.last_queued() == (1, first.created_at)
    store.create(FLOWERS)
    assert store.last_queued()[0] == 2
