"""Jobs: a command in a process of its own, found again by its name."""

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.patience import PATIENCE
from transfer.errors import DatasetError
from transfer.processes import Watch
from transfer.runs import jobs
from transfer.runs.jobs import Reporter

pytestmark = pytest.mark.usefixtures("workspace")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits for the end of its input."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def running(name: str, process: subprocess.Popen[bytes], **progress: object) -> None:
    """A job of this name that the process does."""
    jobs._write(name, jobs.Job(state="running", progress=progress))
    jobs._note_process(name, process.pid)


def test_status__of_no_job_is_none() -> None:
    assert jobs.status("rank-none") is None


def test_start__the_command_ends_and_its_words_are_read() -> None:
    jobs.start("rank-1", ["rank", "--dataset", "gone", "--backbones", "vgg16"])
    psutil.Process(jobs._process("rank-1").pid).wait(PATIENCE)  # type: ignore[union-attr]
    job = jobs.status("rank-1")
    assert job and job.state == "failed"
    assert "gone" in job.error["message"] and job.error["kind"] == "NotFoundError"


def test_start__a_running_job_is_not_started_twice(
    sleeper: subprocess.Popen[bytes], workspace: Path
) -> None:
    running("rank-1", sleeper, found=[1])
    jobs.start("rank-1", ["rank"])
    job = jobs.status("rank-1")
    assert job and (job.state, job.progress) == ("running", {"found": [1]})
    assert not (workspace / "jobs" / "rank-1" / "log.txt").exists()


def test_start__of_many_at_once_starts_one(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []

    def popen(*args: object, **_: object) -> subprocess.Popen[bytes]:
        started.append(args)
        return sleeper

    monkeypatch.setattr(jobs.subprocess, "Popen", popen)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: jobs.start("rank-1", ["rank"]), range(8)))
    assert len(started) == 1


def test_status__a_process_that_stands_still_is_ended(
    sleeper: subprocess.Popen[bytes],
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = iter(range(1000))
    monkeypatch.setattr(jobs, "_watch", Watch(lambda: float(next(seconds))))
    monkeypatch.setattr(jobs.processes, "LIMIT", 5.0)
    running("rank-1", sleeper, found=[1])
    for _ in range(10):
        assert jobs.is_running("rank-1"), "before its first sign it may take its time"
    sign = workspace / "jobs" / "rank-1" / "alive"
    sign.touch()
    for second in range(10):
        os.utime(sign, (second, second))
        assert jobs.is_running("rank-1")
    for _ in range(5):
        job = jobs.status("rank-1")
    assert job and (job.state, job.progress) == ("failed", {"found": [1]})
    assert "stood still" in job.error["message"]
    assert sleeper.poll() is not None


def test_show_life__until_its_folder_is_gone(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign, times = workspace / "jobs" / "rank-1" / "alive", []

    def sleep(_: float) -> None:
        times.append(sign.stat().st_mtime)
        if len(times) == 1:
            os.utime(sign, (5.0, 5.0))
        else:
            sign.unlink()

    sign.parent.mkdir(parents=True)
    monkeypatch.setattr(jobs.time, "sleep", sleep)
    jobs._show_life("rank-1")
    assert len(times) == 2 and times[1] > 5.0


def test_status__a_process_that_vanished_on_a_full_disk(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    running("rank-1", sleeper)
    sleeper.kill()
    sleeper.wait()
    monkeypatch.setattr(jobs.workspace, "is_full", lambda: True)
    job = jobs.status("rank-1")
    assert job and "The disk is full" in job.error["message"]


def test_telling__a_full_disk_is_named_whatever_the_library_calls_it() -> None:
    with pytest.raises(RuntimeError), Reporter("rank-1").telling():
        raise RuntimeError("Check failed: write(): No space left on device")
    job = jobs.status("rank-1")
    assert job and "The disk is full" in job.error["message"]


def test_status__a_process_that_vanished_has_failed(
    sleeper: subprocess.Popen[bytes],
) -> None:
    running("rank-1", sleeper, found=[1])
    sleeper.kill()
    sleeper.wait()
    job = jobs.status("rank-1")
    assert job and (job.state, job.progress) == ("failed", {"found": [1]})
    assert "ended before it was done" in job.error["message"]


def test_status__another_process_of_the_same_number_is_not_it(workspace: Path) -> None:
    jobs._write("rank-1", jobs.Job(state="running"))
    record = workspace / "jobs" / "rank-1" / "process.json"
    record.write_text(f'{{"pid": {os.getpid()}, "started_at": 1.0}}')
    job = jobs.status("rank-1")
    assert job and job.state == "failed"


def test_cancel__ends_the_process_and_keeps_what_was_found(
    sleeper: subprocess.Popen[bytes],
) -> None:
    running("rank-1", sleeper, found=[1])
    jobs.cancel("rank-1")
    assert not psutil.pid_exists(sleeper.pid)
    job = jobs.status("rank-1")
    assert job and (job.state, job.progress) == ("cancelled", {"found": [1]})


def test_cancel__ends_what_the_process_started() -> None:
    waits = "import sys; sys.stdin.read()"
    starts = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', '{waits}'])\n"
        "print(child.pid, flush=True)\nchild.wait()"
    )
    command = [sys.executable, "-c", starts]
    with subprocess.Popen(command, stdin=-1, stdout=-1) as process:
        assert process.stdout
        child = psutil.Process(int(process.stdout.readline()))
        running("export-1", process)
        jobs.cancel("export-1")
        child.wait(60)


def test_cancel__leaves_a_job_that_is_done() -> None:
    Reporter("rank-1").done({"answer": 1})
    jobs.cancel("rank-1")
    job = jobs.status("rank-1")
    assert job and (job.state, job.result) == ("done", {"answer": 1})


def test_forget__removes_a_job_that_has_ended(workspace: Path) -> None:
    Reporter("rank-1").done({})
    jobs.forget("rank-1")
    assert jobs.status("rank-1") is None


def test_forget__leaves_a_running_job(sleeper: subprocess.Popen[bytes]) -> None:
    running("rank-1", sleeper)
    jobs.forget("rank-1")
    job = jobs.status("rank-1")
    assert job and job.state == "running"


def test_reporter__progress_adds_up_and_is_read_by_others() -> None:
    reporter = Reporter("rank-1")
    reporter._last = -10.0  # nothing was written for long
    reporter.progress(step=1, steps=2)
    reporter._last = math.inf  # it is always too soon: kept for later
    reporter.progress(step=2)
    job = jobs.status("rank-1")
    assert job and job.progress == {"step": 1, "steps": 2}
    reporter.done({})
    job = jobs.status("rank-1")
    assert job and job.progress == {"step": 2, "steps": 2}


def test_reporter__tells_errors_in_words() -> None:
    with pytest.raises(DatasetError), Reporter("rank-1").telling():
        raise DatasetError("No images.", "Bring some.")
    job = jobs.status("rank-1")
    assert job and job.error["hint"] == "Bring some."
    with pytest.raises(ValueError), Reporter("rank-2").telling():
        raise ValueError("odd")
    job = jobs.status("rank-2")
    assert job and job.error["message"] == "It failed: ValueError: odd"


def test_reporter__without_a_name_writes_nothing(workspace: Path) -> None:
    with Reporter().telling():
        Reporter().progress(step=1)
        Reporter().done({})
    assert not (workspace / "jobs").exists()
