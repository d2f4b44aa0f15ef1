import time
from collections.abc import Iterator

import pytest

from transfer.errors import ConfigError, TooOftenError
from transfer.people import pace


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TRANSFER_RATES", "predict=100 import=2")
    pace._used.clear()
    yield
    pace._used.clear()


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = time.monotonic() + seconds
    monkeypatch.setattr(time, "monotonic", lambda: now)


def test_spend__says_for_how_long_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    later(monkeypatch, 0)
    pace.spend("predict", "anna", 90)
    with pytest.raises(TooOftenError, match="at most 100 in 10 minutes") as caught:
        pace.spend("predict", "anna", 40)
    assert caught.value.wait == 180  # until 30 of 100 are free again
    assert "Wait 180 seconds" in caught.value.hint
    later(monkeypatch, 179)
    with pytest.raises(TooOftenError):
        pace.spend("predict", "anna", 40)
    later(monkeypatch, 2)
    pace.spend("predict", "anna", 40)


def test_spend__counts_each_person_and_each_thing_alone() -> None:
    pace.spend("predict", "anna", 100)
    pace.spend("predict", "bob", 100)
    pace.spend("import", "anna", 2)
    for what, who in (("predict", "anna"), ("predict", "bob"), ("import", "anna")):
        with pytest.raises(TooOftenError):
            pace.spend(what, who)


def test_spend__lets_more_pass_than_there_is_in_all_once_there_was_nothing() -> None:
    pace.spend("predict", "anna", 1000)
    with pytest.raises(TooOftenError):
        pace.spend("predict", "anna")


def test_spend__holds_up_no_owner_and_nothing_without_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(3):
        pace.spend("import", "")
    monkeypatch.setenv("TRANSFER_RATES", "import=0")
    for _ in range(3):
        pace.spend("import", "anna", 100)


def test_spend__counts_a_kind_of_job_without_a_rate_as_a_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRANSFER_RATES", "job=2")
    pace.spend("export", "anna")
    pace.spend("rank", "anna")
    with pytest.raises(TooOftenError, match="jobs were asked for"):
        pace.spend("job", "anna")


@pytest.mark.parametrize("named", ["predict", "predict=x", "guess=3", "predict=-1"])
def test_rate__refuses_what_is_no_rate(
    named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_RATES", named)
    with pytest.raises(ConfigError, match="TRANSFER_RATES has"):
        pace.rate("predict")


def test_spend__forgets_who_has_not_come_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(1001):
        pace.spend("predict", str(number))
    later(monkeypatch, pace.SPAN + 1)
    pace.spend("predict", "anna")
    assert len(pace._used) == 1
