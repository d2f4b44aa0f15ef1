"""Processes that do jobs in tests, and jobs that were taken."""

import os

from transfer import processes
from transfer.config import TrainConfig
from transfer.processes import Watch
from transfer.runs.kinds import KINDS
from transfer.store.record import Job, Run
from transfer.store.runs import Store

FLOWERS = TrainConfig(dataset="flowers")
#: Room for jobs of any kind.
ROOM = {tuple(KINDS): 99}


class FakeProcess:
    """A process that does nothing but note what it was told."""

    def __init__(self, pid: int = 0) -> None:
        self.pid = pid or os.getpid()
        self.told: list[str] = []
        self.returncode: int | None = None

    def terminate(self) -> None:
        self.told.append("terminate")

    def kill(self) -> None:
        self.told.append("kill")

    def poll(self) -> int | None:
        return self.returncode


class Lasting(Watch):
    """A watch for which everything has lasted so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.lasts = seconds

    def seconds(self, name: str, sign: object) -> float:
        return self.lasts


def gone(_: Job) -> None:
    """As `find_process`, where there is none."""
    return None


def taken(
    store: Store, kind: str = "run", pid: int | None = None, host: str = ""
) -> Job:
    """A job that a queue has taken, here unless said, done by a process if given."""
    if kind == "run":
        job: Job = store.create(FLOWERS)
    else:
        job = store.add(kind, "flowers", {"words": [kind]})
    claimed = store.claim_next(host or processes.this_machine(), ROOM)
    assert claimed and claimed.id == job.id
    return store.begin(job.id, pid) if pid else claimed


def taken_run(store: Store, pid: int | None = None) -> Run:
    """A run that this machine's queue has taken."""
    run = taken(store, pid=pid)
    assert isinstance(run, Run)
    return run
