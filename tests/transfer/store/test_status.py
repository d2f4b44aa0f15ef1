import pytest

from transfer.errors import RunError
from transfer.store.status import TRANSITIONS, RunStatus, check_transition


def test_transitions__every_status_has_its_row() -> None:
    assert set(TRANSITIONS) == set(RunStatus)


def test_is_resumable__all_that_ended_before_their_time() -> None:
    again = {status for status in RunStatus if status.is_resumable}
    assert again == {RunStatus.STOPPED, RunStatus.FAILED, RunStatus.INTERRUPTED}
    for status in RunStatus:
        if status.is_final:
            follows = {RunStatus.QUEUED} if status in again else set()
            assert TRANSITIONS[status] == follows


@pytest.mark.parametrize("status", ["queued", "running", "stopping"])
def test_is_final__not_before_the_end(status: str) -> None:
    assert not RunStatus(status).is_final


def test_check_transition__says_the_state_and_what_can_follow() -> None:
    with pytest.raises(RunError, match="is queued, so .* completed.*running, stopped"):
        check_transition("ab", RunStatus.QUEUED, RunStatus.COMPLETED)


def test_check_transition__says_that_a_run_has_ended_for_good() -> None:
    with pytest.raises(RunError, match="is completed, so .* ended for good"):
        check_transition("ab", RunStatus.COMPLETED, RunStatus.QUEUED)
