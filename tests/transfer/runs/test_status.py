import pytest

from transfer.errors import RunError
from transfer.runs.status import TRANSITIONS, RunStatus, check_transition


def test_transitions__every_status_has_its_row() -> None:
    assert set(TRANSITIONS) == set(RunStatus)


def test_transitions__only_an_interrupted_run_goes_on_after_its_end() -> None:
    going_on = {status for status in RunStatus if status.is_final} & {
        status for status, follows in TRANSITIONS.items() if follows
    }
    assert going_on == {RunStatus.INTERRUPTED}


@pytest.mark.parametrize("status", ["queued", "running", "stopping"])
def test_is_final__not_before_the_end(status: str) -> None:
    assert not RunStatus(status).is_final


def test_check_transition__says_the_state_and_what_can_follow() -> None:
    with pytest.raises(RunError, match="is queued, so .* completed.*running, stopped"):
        check_transition("ab", RunStatus.QUEUED, RunStatus.COMPLETED)


def test_check_transition__says_that_a_run_has_ended_for_good() -> None:
    with pytest.raises(RunError, match="is stopped, so .* ended for good"):
        check_transition("ab", RunStatus.STOPPED, RunStatus.RUNNING)
