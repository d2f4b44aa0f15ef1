"""What a command tells of itself where it is a job."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.patience import PATIENCE
from tests.transfer.runs.processes_made import taken
from transfer import processes
from transfer.errors import DatasetError, RunError, StorageError
from transfer.runs import jobs
from transfer.runs.jobs import Reporter
from transfer.runs.kinds import KINDS
from transfer.store.runs import Store
from transfer.store.status import JobStatus


@pytest.fixture(autouse=True)
def as_nice_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C means here what it did."""
    monkeypatch.setattr(jobs.signal, "signal", lambda *_: None)


def test_reporter__progress_adds_up_and_is_read_by_others(store: Store) -> None:
    job = taken(store, "rank")
    reporter = Reporter(job.id)
    with reporter.telling():
        reporter.progress(step=1, steps=2)
        reporter.progress(step=2)
        deadline = time.monotonic() + PATIENCE
        while not store.get_job(job.id).progress and time.monotonic() < deadline:
            os.sched_yield()
        now = store.get_job(job.id)
        assert now.progress == {"step": 2, "steps": 2}
        assert now.pid == os.getpid() and now.heartbeat_at
        reporter.progress(step=3)
        reporter.finish({"answer": 1})
    ended = store.get_job(job.id)
    assert (ended.status, ended.result) == ("completed", {"answer": 1})
    assert ended.progress == {"step": 3, "steps": 2}


def test_reporter__tells_errors_in_words(store: Store) -> None:
    job = taken(store, "rank")
    with pytest.raises(DatasetError), Reporter(job.id).telling():
        raise DatasetError("No images.", "Bring some.")
    ended = store.get_job(job.id)
    assert (ended.status, ended.error["hint"]) == ("failed", "Bring some.")
    job = taken(store, "depths")
    with pytest.raises(ValueError), Reporter(job.id).telling():
        raise ValueError("odd")
    assert store.get_job(job.id).error["message"] == "It failed: ValueError: odd"


def test_telling__a_full_disk_is_named_whatever_the_library_calls_it(
    store: Store,
) -> None:
    job = taken(store, "export")
    with pytest.raises(RuntimeError), Reporter(job.id).telling():
        raise RuntimeError("Check failed: write(): No space left on device")
    assert "The disk is full" in store.get_job(job.id).error["message"]


def test_telling__an_end_that_cannot_be_written_leaves_a_word(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise StorageError("The database of the runs is locked.", "Close it.")

    job = taken(store, "rank")
    reporter = Reporter(job.id)
    monkeypatch.setattr(reporter._store, "finish", locked)
    with pytest.raises(StorageError), reporter.telling():
        reporter.finish({})
    assert jobs.take_word("rank", job.id)["hint"] == "Close it."


def test_reporter__of_a_job_that_was_given_up_does_nothing(store: Store) -> None:
    job = taken(store, "rank")
    store.finish(job.id, JobStatus.INTERRUPTED)
    with pytest.raises(RunError, match="is interrupted: no process"):
        Reporter(job.id)


def test_reporter__without_a_job_writes_nothing(workspace: Path) -> None:
    with Reporter().telling():
        Reporter().progress(step=1)
        Reporter().finish({})
    assert not (workspace / "store.sqlite").exists()


WAITS = """
import subprocess, sys
from transfer.runs.jobs import Reporter
from transfer.runs.kinds import KINDS
reporter = Reporter(sys.argv[1])
with reporter.telling():
    child = subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'])
    print(child.pid, flush=True)
    child.wait()
"""


@pytest.mark.parametrize("in_background", [False, True])
def test_reporter__a_request_to_stop_ends_the_process_and_what_it_started(
    store: Store, in_background: bool
) -> None:
    job = taken(store, "export")

    def ignore() -> None:  # as a shell does for what it starts in the background
        if in_background:
            signal.signal(signal.SIGINT, signal.SIG_IGN)

    with subprocess.Popen(
        [sys.executable, "-c", WAITS, job.id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=ignore,
    ) as process:
        assert process.stdout
        child = psutil.Process(int(process.stdout.readline()))
        store.request_stop(job.id)
        assert process.wait(PATIENCE) == 130
        child.wait(PATIENCE)
    ended = store.get_job(job.id)
    assert (ended.status, ended.error) == ("stopped", {})


def test_reporter__what_comes_no_further_shows_no_life(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_BEAT", 0.0)
    stuck = replace(KINDS["import"], must_tell=0.0)
    monkeypatch.setitem(KINDS, "import", stuck)
    job = taken(store, "import")
    beats: list[str] = []
    heartbeat = Store.heartbeat

    def beat(self: Store, *args: Any) -> JobStatus:
        beats.append(threading.current_thread().name)
        return heartbeat(self, *args)

    monkeypatch.setattr(Store, "heartbeat", beat)
    looks = threading.Semaphore(0)
    reporter = Reporter(job.id)
    stands_still = reporter._stands_still
    monkeypatch.setattr(
        reporter, "_stands_still", lambda: looks.release() or stands_still()
    )
    with reporter.telling():
        for _ in range(3):
            assert looks.acquire(timeout=PATIENCE)
        assert not beats
        monkeypatch.setitem(KINDS, "import", replace(stuck, must_tell=None))
        reporter._kind = KINDS["import"]
        for _ in range(3):
            assert looks.acquire(timeout=PATIENCE)
        assert beats
        reporter.finish({})


def test_reporter__what_strangers_bring_is_opened_with_little_memory(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int | None] = []
    monkeypatch.setattr(processes, "limit_memory", given.append)
    for kind in ("import", "rank"):
        with Reporter(taken(store, kind).id).telling():
            pass
    assert given == [KINDS["import"].memory, None]


def test_reporter__memory_that_is_not_given_is_told_in_words(store: Store) -> None:
    job = taken(store, "import")
    with pytest.raises(MemoryError), Reporter(job.id).telling():
        raise MemoryError
    assert "more memory" in store.get_job(job.id).error["message"]
