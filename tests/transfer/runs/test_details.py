"""Details of an evaluation are computed while no run waits."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from transfer.config import TrainConfig
from transfer.evaluation import results
from transfer.runs import details, jobs
from transfer.store.runs import Store

RUN = "abcdef01"
JOB = results.job_name(RUN, "val")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Runs whose evaluation was started; a process that does nothing stands for it."""
    runs: list[str] = []
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:

        def start(run_id: str, split: str) -> None:
            runs.append(run_id)
            jobs._write(results.job_name(run_id, split), jobs.Job(state="running"))
            jobs._note_process(results.job_name(run_id, split), process.pid)

        monkeypatch.setattr(results, "start", start)
        yield runs
        process.kill()


def end(state: jobs.State) -> None:
    jobs._write(JOB, jobs.Job(state=state))


def test_tend__begins_what_was_asked_for_while_no_run_waits(
    store: Store, started: list[str]
) -> None:
    run = store.create(TrainConfig(dataset="flowers"))
    details.ask_for(RUN)
    details.tend(store)
    assert started == []
    store.request_stop(run.id)
    details.tend(store)
    details.tend(store)
    assert started == [RUN]


def test_tend__gives_way_to_a_run_and_begins_anew_after_it(
    store: Store, started: list[str]
) -> None:
    details.ask_for(RUN)
    details.tend(store)
    run = store.create(TrainConfig(dataset="flowers"))
    details.tend(store)
    assert jobs.status(JOB) is None, "its process was ended"
    store.request_stop(run.id)
    details.tend(store)
    assert started == [RUN, RUN]


def test_tend__leaves_alone_what_a_user_started(
    store: Store, started: list[str]
) -> None:
    results.start(RUN, "val")
    details.ask_for(RUN)
    store.create(TrainConfig(dataset="flowers"))
    details.tend(store)
    assert jobs.is_running(JOB)


@pytest.mark.parametrize("state", ["done", "failed", "cancelled"])
def test_tend__what_has_ended_is_not_begun_again(
    store: Store, started: list[str], state: jobs.State
) -> None:
    details.ask_for(RUN)
    details.tend(store)
    end(state)
    details.tend(store)
    details.tend(store)
    assert started == [RUN]


def test_tend__what_an_earlier_job_found_of_the_run_does_not_count(
    store: Store, started: list[str]
) -> None:
    end("done")
    details.ask_for(RUN)
    details.tend(store)
    assert started == [RUN]


def test_tend__one_at_a_time(store: Store, started: list[str]) -> None:
    details.ask_for(RUN)
    details.ask_for("abcdef02")
    details.tend(store)
    details.tend(store)
    assert started == [RUN]
    end("done")
    details.tend(store)
    assert started == [RUN, "abcdef02"]
