import pytest

from transfer.errors import RunError
from transfer.store.status import TRANSITIONS, JobStatus, check_transition


def test_transitions__every_status_has_its_row() -> None:
    assert set(TRANSITIONS) == set(JobStatus)


def test_is_resumable__all_that_ended_before_their_time() -> None:
    again = {status for status in JobStatus if status.is_resumable}
    assert again == {JobStatus.STOPPED, JobStatus.FAILED, JobStatus.INTERRUPTED}
    for status in JobStatus:
        if status.is_final:
            follows = {JobStatus.QUEUED} if status in again else set()
            assert TRANSITIONS[status] == follows


@pytest.mark.parametrize("status", ["queued", "running", "stopping"])
def test_is_final__not_before_the_end(status: str) -> None:
    assert not JobStatus(status).is_final


def test_check_transition__says_the_state_and_what_can_follow() -> None:
    with pytest.raises(RunError, match="is queued, so .* completed.*running, stopped"):
        check_transition("ab", JobStatus.QUEUED, JobStatus.COMPLETED)


def test_check_transition__says_that_a_run_has_ended_for_good() -> None:
    with pytest.raises(RunError, match="is completed, so .* ended for good"):
        check_transition("ab", JobStatus.COMPLETED, JobStatus.QUEUED)
