"""Who is ended because nobody else would, and who is left alone."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from tests.transfer.runs.processes_made import (
    FLOWERS,
    ROOM,
    FakeProcess,
    Lasting,
    gone,
    taken,
    taken_run,
)
from tests.transfer.test_processes import set_clock
from transfer import processes
from transfer.errors import StorageError
from transfer.processes import Watch
from transfer.runs import jobs, kinds, queue, vanished
from transfer.runs.kinds import KINDS
from transfer.runs.requests import Request
from transfer.store.record import Job
from transfer.store.runs import Store
from transfer.store.status import JobStatus


def later(monkeypatch: pytest.MonkeyPatch, store: Store, seconds: float) -> None:
    """Sets the clock of the database forward."""
    now = store.machines.now
    monkeypatch.setattr(store.machines, "now", lambda: now() + seconds)


def test_sweep__a_worker_that_is_gone_is_noticed_at_once(
    store: Store, zombie: int
) -> None:
    run = taken(store, pid=zombie)
    vanished.sweep(store)
    ended = store.get(run.id)
    assert ended.status == "interrupted" and ended.ended_at
    assert "worker vanished" in ended.error["message"]
    assert "checkpoint is kept" in ended.error["hint"]


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_sweep__a_living_worker_is_left_alone_whatever_the_clock_says(
    store: Store, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    job = taken(store, "rank", os.getpid())
    far = taken(store, "depths", host="far-away")
    set_clock(monkeypatch, 3600.0 * hours)
    watch = Watch()
    for _ in range(3):
        vanished.sweep(store, watch=watch)
    assert store.get_job(job.id).status == "running"
    assert store.get_job(far.id).status == "running"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hours", [-1, 1])
def test_sweep__a_set_clock_hides_no_process_that_is_gone(
    store: Store, monkeypatch: pytest.MonkeyPatch, zombie: int, kind: str, hours: int
) -> None:
    job = taken(store, kind, zombie)
    set_clock(monkeypatch, 3600.0 * hours)
    vanished.sweep(store)
    ended = store.get_job(job.id)
    assert ended.status == "interrupted"
    assert "memory ran out" in ended.error["message"]


def test_sweep__a_job_that_never_began(store: Store) -> None:
    job = taken(store)
    vanished.sweep(store, watch=Lasting(vanished.START_TIMEOUT - 1))
    assert store.get_job(job.id).status == "running"
    vanished.sweep(store, watch=Lasting(vanished.START_TIMEOUT + 1))
    assert store.get_job(job.id).status == "interrupted"


def test_sweep__another_machine_that_fell_silent(store: Store) -> None:
    job = taken(store, host="far-away")
    vanished.sweep(store, gone, Lasting(vanished.HEARTBEAT_TIMEOUT - 1))
    assert store.get_job(job.id).status == "running"
    vanished.sweep(store, gone, Lasting(vanished.HEARTBEAT_TIMEOUT + 1))
    assert "far-away has been silent" in store.get_job(job.id).error["message"]


def test_sweep__what_a_machine_did_that_vanished_goes_on_elsewhere(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = taken(store, host="far-away")
    later(monkeypatch, store, vanished.HEARTBEAT_TIMEOUT + 9)
    # Whoever looks for the first time may have been asleep as well.
    vanished.sweep(store, gone, Lasting(0))
    assert store.get_job(job.id).status == "running"
    vanished.sweep(store, gone, Lasting(9))
    waits = store.get_job(job.id)
    assert (waits.status, waits.host) == ("queued", None)
    assert "goes on from its last checkpoint" in waits.error["hint"]
    again = store.claim_next("elsewhere", ROOM)
    assert again and again.id == job.id
    later(monkeypatch, store, 2 * vanished.HEARTBEAT_TIMEOUT + 99)
    vanished.sweep(store, gone, Lasting(9))
    ended = store.get_job(job.id)
    assert ended.status == "interrupted" and "second time" in ended.error["message"]


def test_sweep__a_machine_that_others_hear_of_is_left_alone(store: Store) -> None:
    job = taken(store, host="far-away")
    vanished.sweep(store, gone, Lasting(9))
    assert store.get_job(job.id).status == "running"


@pytest.mark.parametrize("kind", ["import", "add", "sort"])
def test_sweep__what_cannot_be_done_twice_is_interrupted(
    store: Store, kind: str
) -> None:
    job = taken(store, kind, host="far-away")
    vanished.sweep(store, gone, Lasting(vanished.HEARTBEAT_TIMEOUT + 1))
    assert store.get_job(job.id).status == "interrupted"


def test_sweep__of_a_machine_that_vanished_what_was_to_stop_ends(store: Store) -> None:
    job = store.request_stop(taken(store, host="far-away").id)
    vanished.sweep(store, gone, Lasting(vanished.HEARTBEAT_TIMEOUT + 1))
    assert store.get_job(job.id).status == "interrupted"


def test_sweep__what_another_has_begun_anew_meanwhile_goes_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = taken(store, "import", host="far-away")
    read = store.active()
    error = {"kind": "", "message": "", "hint": ""}
    store.begin_again(job.id, job.started_at, error)
    store.claim_next("elsewhere", ROOM)
    monkeypatch.setattr(store, "active", lambda: read)
    vanished.sweep(store, gone, Lasting(vanished.HEARTBEAT_TIMEOUT + 1))
    assert store.get_job(job.id).status == "running"


@pytest.mark.parametrize("kind", KINDS)
def test_sweep__who_does_not_stop_is_ended_by_force(store: Store, kind: str) -> None:
    job = store.request_stop(taken(store, kind, os.getpid()).id)
    process, grace = FakeProcess(), KINDS[kind]
    for seconds in (grace.stop_grace - 1, grace.stop_grace, grace.kill_grace):
        vanished.sweep(store, lambda _: process, Lasting(seconds))
    assert process.told == ["terminate", "kill"]
    vanished.sweep(store, gone, Lasting(grace.kill_grace + 1))
    ended = store.get_job(job.id)
    assert ended.status == "stopped"
    forced = "did not stop by itself within 30 seconds" in ended.error.get(
        "message", ""
    )
    assert forced == (kind == "run")


def test_sweep__who_vanished_when_it_was_to_stop(store: Store) -> None:
    run = store.request_stop(taken(store, pid=os.getpid()).id)
    rank = store.request_stop(taken(store, "rank", os.getpid()).id)
    vanished.sweep(store, gone)
    assert store.get(run.id).status == "interrupted"
    assert store.get_job(rank.id).status == "stopped"


def test_sweep__a_job_that_ended_while_it_was_looked_at(store: Store) -> None:
    job = taken(store, pid=os.getpid())

    def ends(_: Job) -> None:
        store.finish(job.id, JobStatus.COMPLETED)

    vanished.sweep(store, ends)
    assert store.get_job(job.id).status == "completed"


def test_sweep__a_worker_that_stops_dead_is_ended_and_its_run_goes_on_once(
    store: Store, stopped_dead: subprocess.Popen[bytes]
) -> None:
    run = taken_run(store, stopped_dead.pid)
    vanished.sweep(store, watch=Lasting(processes.LIMIT - 1))
    assert store.get(run.id).status == "running"
    vanished.sweep(store, watch=Lasting(processes.LIMIT))
    assert stopped_dead.wait(60) == -signal.SIGKILL
    again = store.get(run.id)
    assert (again.status, again.pid) == ("queued", None)
    assert "stood still" in again.error["message"]
    assert "goes on from its last checkpoint" in again.error["hint"]

    assert queue.dispatch(store, lambda _: FakeProcess()) == [run.id]
    process = FakeProcess()
    vanished.sweep(store, lambda _: process, Lasting(processes.LIMIT))
    assert process.told == ["kill"]
    ended = store.get(run.id)
    assert ended.status == "interrupted" and ended.ended_at
    assert "second time" in ended.error["message"]
    assert store.resume(run.id).error == {}, "a user may try as often as they like"


def test_sweep__another_job_that_stands_still_has_failed(store: Store) -> None:
    job, process = taken(store, "rank", os.getpid()), FakeProcess()
    vanished.sweep(store, lambda _: process, Lasting(processes.LIMIT))
    ended = store.get_job(job.id)
    assert (ended.status, process.told) == ("failed", ["kill"])
    assert "stood still" in ended.error["message"]


def test_sweep__a_worker_that_shows_signs_of_life(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, process, clock = taken(store, pid=os.getpid()), FakeProcess(), iter(range(99))
    watch = Watch(lambda: float(next(clock)))
    monkeypatch.setattr(processes, "LIMIT", 15.0)
    for _ in range(20):
        store.heartbeat(run.id)
        vanished.sweep(store, lambda _: process, watch)
    assert process.told == [] and store.get(run.id).status == "running"


def test_sweep__a_store_that_cannot_be_written_ends_no_worker(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise StorageError("The database of the runs is locked.")

    taken(store, pid=os.getpid())
    process, clock = FakeProcess(), iter(range(99))
    watch = Watch(lambda: float(next(clock)))
    monkeypatch.setattr(store, "begin_again", locked)
    monkeypatch.setattr(processes, "LIMIT", 5.0)
    for _ in range(5):
        vanished.sweep(store, lambda _: process, watch)
    with pytest.raises(StorageError):
        vanished.sweep(store, lambda _: process, watch)
    vanished.sweep(store, lambda _: process, watch)
    assert process.told == [], "counts anew"


def test_sweep__a_worker_that_could_not_write_its_end_left_a_word(
    store: Store, zombie: int
) -> None:
    run = taken(store, pid=zombie)
    word = StorageError("The database is locked.", "Close it.")
    jobs.leave_word("run", run.id, word)
    vanished.sweep(store)
    error = store.get(run.id).error
    assert error["kind"] == "StorageError"
    assert error["message"] == "The worker ended: The database is locked."
    assert jobs.take_word("run", run.id) == {}


def test_sweep__a_worker_that_ended_on_a_full_disk(
    store: Store, zombie: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = taken(store, pid=zombie)
    monkeypatch.setattr(vanished.workspace, "is_full", lambda: True)
    vanished.sweep(store)
    assert "The disk is full" in store.get(run.id).error["message"]


def test_give_way__begun_anew_after_all_else(store: Store) -> None:
    details = queue.ask(
        store, Request("evaluate", "a-val", ("evaluate",)), kinds.GIVES_WAY
    )
    process = FakeProcess()
    queue.dispatch(store, lambda _: process, kinds.GIVES_WAY)
    vanished.give_way(store, lambda _: process)
    assert process.told == [], "nothing else is to be done"
    old = store.get_job(details.id)
    run = store.create(FLOWERS)
    vanished.give_way(store, lambda _: process)
    waits = store.get_job(details.id)
    assert (waits.status, waits.pid, process.told) == ("queued", None, ["kill"])
    begun = queue.dispatch(store, lambda _: process, kinds.GIVES_WAY)
    assert begun == [run.id]
    store.finish(run.id, JobStatus.COMPLETED)
    begun = queue.dispatch(store, lambda _: process, kinds.GIVES_WAY)
    assert begun == [details.id]
    assert store.get_job(details.id).started_at != old.started_at, "a new claim"


def test_give_way__not_once_a_user_waits_for_it(store: Store) -> None:
    process = FakeProcess()
    queue.ask(store, Request("evaluate", "a-val", ("evaluate",)), kinds.GIVES_WAY)
    queue.dispatch(store, lambda _: process, kinds.GIVES_WAY)
    queue.ask(store, Request("evaluate", "a-val", ("evaluate",)))
    store.create(FLOWERS)
    vanished.give_way(store, lambda _: process)
    assert process.told == []


def test_find_process__ends_what_it_has_started(store: Store) -> None:
    inner = "import sys; sys.stdin.read()"
    starts = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', '{inner}'])\n"
        "print(child.pid, flush=True)\nchild.wait()"
    )
    command = [sys.executable, "-c", starts]
    with subprocess.Popen(command, stdin=-1, stdout=-1) as process:
        assert process.stdout
        child = psutil.Process(int(process.stdout.readline()))
        found = vanished.find_process(taken(store, "export", process.pid))
        assert found
        found.kill()
        child.wait(60)
