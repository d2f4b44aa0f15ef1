"""Which work there is, and how much of it at a time."""

import pytest

from transfer.errors import ConfigError
from transfer.runs import kinds


def test_max_running__one_unless_the_environment_says_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert kinds.max_running() == 1
    monkeypatch.setenv("TRANSFER_MAX_RUNNING", "3")
    assert kinds.max_running() == 3


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5"])
def test_max_running__what_is_no_number_of_jobs(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TRANSFER_MAX_RUNNING", value)
    with pytest.raises(ConfigError, match=f"{value}.*whole number of at least 1"):
        kinds.max_running()


def test_room__every_kind_has_its_place_once() -> None:
    every = [kind for of_room in kinds.room() for kind in of_room]
    assert sorted(every) == sorted(kinds.KINDS)
