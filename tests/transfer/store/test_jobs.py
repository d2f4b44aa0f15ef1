"""The life of a job."""

import pytest

from tests.transfer.store.runs_taken import FLOWERS, HOST, running
from transfer.errors import NotFoundError, RunError
from transfer.store.record import Metric
from transfer.store.runs import Store
from transfer.store.status import JobStatus


def test_transition__refuses_what_the_table_does_not_hold(store: Store) -> None:
    run = store.create(FLOWERS)
    with pytest.raises(RunError, match="is queued"):
        store.transition(run.id, JobStatus.COMPLETED)
    assert store.get(run.id) == run


def test_transition__of_an_unknown_run(store: Store) -> None:
    with pytest.raises(NotFoundError, match="may have been deleted"):
        store.transition("00000000", JobStatus.RUNNING)


def test_begin__notes_the_process(store: Store) -> None:
    run = store.begin(running(store).id)
    assert run.pid and run.pid_started_at and run.heartbeat_at


def test_begin__of_a_run_that_nobody_took(store: Store) -> None:
    with pytest.raises(RunError, match="is queued: no process"):
        store.begin(store.create(FLOWERS).id)


def test_heartbeat__keeps_the_progress_that_it_is_not_given(store: Store) -> None:
    run = running(store)
    store.heartbeat(run.id, {"epoch": 3})
    assert store.heartbeat(run.id) == "running"
    assert store.get(run.id).progress == {"epoch": 3}


def test_heartbeat_and_finish__what_is_not_finite_is_none(store: Store) -> None:
    run = running(store)
    store.heartbeat(run.id, {"loss": float("nan")})
    assert store.get(run.id).progress == {"loss": None}
    store.finish(run.id, JobStatus.COMPLETED, {"val_accuracy": float("inf")})
    assert store.summaries()[0].result.get("val_accuracy") is None


def test_heartbeat__tells_a_worker_that_the_run_is_not_its_own(store: Store) -> None:
    run = running(store)
    store.finish(run.id, JobStatus.INTERRUPTED)
    with pytest.raises(RunError, match="is interrupted"):
        store.heartbeat(run.id)


def test_claim__a_worker_that_was_taken_for_dead_changes_nothing(store: Store) -> None:
    old = running(store)
    store.finish(old.id, JobStatus.INTERRUPTED)
    store.resume(old.id)
    new = store.claim_next("there", {("run",): 9})
    assert new and new.id == old.id and new.started_at != old.started_at
    row = Metric(phase="head", epoch=1, name="loss", value=1.0)
    for late in (
        lambda: store.heartbeat(old.id, claim=old.started_at),
        lambda: store.metrics.tell(old.id, [row], {}, old.started_at),
        lambda: store.finish(old.id, JobStatus.FAILED, claim=old.started_at),
    ):
        with pytest.raises(RunError, match="another process"):
            late()
    store.heartbeat(new.id, claim=new.started_at)
    assert store.get(new.id).status is JobStatus.RUNNING
    assert not store.metrics.after(new.id)


def test_request_stop__a_queued_run_is_stopped_at_once(store: Store) -> None:
    run = store.request_stop(store.create(FLOWERS).id)
    assert run.status == "stopped" and run.ended_at


def test_request_stop__a_running_run_is_asked(store: Store) -> None:
    run = running(store)
    stopping = store.request_stop(run.id)
    assert stopping.status == "stopping" and stopping.stop_requested_at
    assert store.heartbeat(run.id) == "stopping"


def test_request_stop__says_what_an_ended_run_is(store: Store) -> None:
    run = running(store)
    store.finish(run.id, JobStatus.COMPLETED)
    with pytest.raises(RunError, match="is completed: only"):
        store.request_stop(run.id)


def test_finish__keeps_result_and_error(store: Store) -> None:
    error = {"kind": "TrainingError", "message": "not finite", "hint": "smaller"}
    run = store.finish(running(store).id, JobStatus.FAILED, {"best_epoch": 2}, error)
    assert (run.status, run.result, run.error) == ("failed", {"best_epoch": 2}, error)
    assert run.ended_at


def test_resume__queues_an_interrupted_run_without_its_worker(store: Store) -> None:
    run = store.begin(running(store).id)
    store.request_stop(run.id)
    store.finish(run.id, JobStatus.INTERRUPTED, error={"kind": "x"})
    again = store.resume(run.id)
    assert (again.status, again.pid, again.ended_at) == ("queued", None, None)
    assert (again.stop_requested_at, again.error) == (None, {})


def test_resume__not_a_completed_run(store: Store) -> None:
    run = running(store)
    store.finish(run.id, JobStatus.COMPLETED)
    with pytest.raises(RunError, match="is completed.*ended for good"):
        store.resume(run.id)


def test_finish__a_resumed_run_that_fails_keeps_the_model_it_had(store: Store) -> None:
    run = running(store)
    store.finish(run.id, JobStatus.STOPPED, {"class_names": ["a"]})
    store.resume(run.id)
    store.claim_next(HOST, {("run",): 9})
    ended = store.finish(run.id, JobStatus.FAILED, error={"kind": "x"})
    assert ended.result == {"class_names": ["a"]}
