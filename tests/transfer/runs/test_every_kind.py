"""A job of every kind is killed, cancelled, and found again by the next server."""

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from tests.patience import PATIENCE
from tests.transfer.runs.processes_made import FLOWERS, Lasting
from tests.transfer.test_processes import set_clock
from transfer.runs import kinds, queue
from transfer.runs.requests import Request
from transfer.runs.supervisor import Supervisor
from transfer.store.record import Job
from transfer.store.runs import Store
from transfer.store.status import JobStatus

Processes = dict[str, subprocess.Popen[bytes]]


@pytest.fixture(autouse=True)
def room_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kind of work is done at once."""
    monkeypatch.setenv("TRANSFER_MAX_RUNNING", "99")
    monkeypatch.setattr(kinds, "LIGHT_AT_ONCE", 99)


@pytest.fixture
def processes() -> Iterator[Processes]:
    """Real processes by the id of their job, which do nothing until they are ended."""
    begun: Processes = {}
    yield begun
    for process in begun.values():
        process.kill()
        process.communicate()


@pytest.fixture
def jobs(store: Store, processes: Processes) -> list[Job]:
    """A job of every kind, each with a process that a first server has started."""
    asked = [
        queue.submit(store, FLOWERS)
        if kind == "run"
        else queue.ask(store, Request(kind, "it", (kind,)))
        for kind in kinds.KINDS
    ]

    def launch(job: Job) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-S", "-c", "import sys; sys.stdin.read()"]
        processes[job.id] = subprocess.Popen(command, stdin=subprocess.PIPE)
        return processes[job.id]

    first = Supervisor(launch=launch)
    first.tick()
    assert {store.get_job(job.id).pid for job in asked} == {
        process.pid for process in processes.values()
    }
    return asked


def tick(watch: Lasting | None = None) -> None:
    """A round of a server that was started anew, and knows only the store."""

    def refuse(job: Job) -> subprocess.Popen[bytes]:
        raise AssertionError(f"{job.label} is done already")

    server = Supervisor(launch=refuse)
    server._watch = watch or server._watch
    server.tick()


@pytest.mark.parametrize("hours", [-1, 1])
def test_every_kind__is_found_again_by_the_next_server_and_noticed_once_killed(
    store: Store,
    jobs: list[Job],
    processes: Processes,
    monkeypatch: pytest.MonkeyPatch,
    hours: int,
) -> None:
    set_clock(monkeypatch, 3600.0 * hours)
    tick()
    for job in jobs:
        found = store.find(job.kind, job.subject)
        assert found and (found.id, found.status) == (job.id, "running")
    for process in processes.values():
        process.kill()
    for process in processes.values():
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    tick()
    for job in jobs:
        found = store.find(job.kind, job.subject)
        assert found and found.status == "interrupted", job.kind
        assert "memory ran out" in found.error["message"] and found.error["hint"]


def test_every_kind__is_cancelled_under_another_server_and_another_clock(
    store: Store,
    jobs: list[Job],
    processes: Processes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for job in jobs:
        assert queue.stop(store, job.id).status == "stopping"
    set_clock(monkeypatch, 3600.0)
    tick()
    assert all(psutil.pid_exists(process.pid) for process in processes.values())
    tick(Lasting(60.0))  # the longest grace of all is over
    for process in processes.values():
        assert process.wait(PATIENCE) != 0
    tick(Lasting(60.0))
    for job in jobs:
        found = store.find(job.kind, job.subject)
        assert found and found.status is JobStatus.STOPPED, job.kind


def test_every_kind__cancelled_while_it_waits(store: Store) -> None:
    for kind in kinds.KINDS:
        job: Job = (
            queue.submit(store, FLOWERS)
            if kind == "run"
            else queue.ask(store, Request(kind, "it", (kind,)))
        )
        assert queue.stop(store, job.id).status == "stopped"
    tick()
