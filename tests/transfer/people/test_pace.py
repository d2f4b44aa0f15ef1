"""How often somebody may ask for what costs, of all servers together."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import sqlalchemy as sa

from tests.both_databases import on_postgresql
from transfer.errors import ConfigError, NotAllowedError, TooOftenError
from transfer.people import pace
from transfer.store import rows
from transfer.store.database import Database
from transfer.store.runs import Store

_NOW = time.time()


@pytest.fixture(autouse=True)
def rates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFER_RATES", "predict=100 import=2")
    later(monkeypatch, 0)


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(rows, "now", lambda _: sa.literal(_NOW + seconds))


@pytest.fixture
def another(store: Store) -> Iterator[Store]:
    """The store as another server has it."""
    with closing(Store()) as opened:
        yield opened


def test_spend__says_for_how_long_to_wait(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace.spend(store, "predict", "anna", 90)
    with pytest.raises(TooOftenError, match="at most 100 in 10 minutes") as caught:
        pace.spend(store, "predict", "anna", 40)
    assert caught.value.wait in (180, 181)  # until 30 of 100 are free again
    assert f"Wait {caught.value.wait} seconds" in caught.value.hint
    later(monkeypatch, 179)
    with pytest.raises(TooOftenError):
        pace.spend(store, "predict", "anna", 40)
    later(monkeypatch, 181)
    pace.spend(store, "predict", "anna", 40)


def test_spend__counts_each_person_and_each_thing_alone(store: Store) -> None:
    pace.spend(store, "predict", "anna", 100)
    pace.spend(store, "predict", "bob", 100)
    pace.spend(store, "import", "anna", 2)
    for what, who in (("predict", "anna"), ("predict", "bob"), ("import", "anna")):
        with pytest.raises(TooOftenError):
            pace.spend(store, what, who)


def test_spend__counts_what_other_servers_were_asked_for(
    store: Store, another: Store
) -> None:
    pace.spend(store, "import", "anna")
    pace.spend(another, "import", "anna")
    for one in (store, another):
        with pytest.raises(TooOftenError):
            pace.spend(one, "import", "anna")


@on_postgresql
def test_spend__the_clock_of_a_server_changes_nothing(
    store: Store, another: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace.spend(store, "import", "anna", 2)
    for hours in (-2, 2):
        monkeypatch.setattr(time, "time", lambda it=hours: _NOW + it * 3600)
        with pytest.raises(TooOftenError) as caught:
            pace.spend(another, "import", "anna")
        assert caught.value.wait <= pace.SPAN / 2


def test_spend__lets_no_more_pass_for_what_is_counted_in_memory(
    store: Store, another: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_RATES", "link=1000")
    passed = 0
    for number in range(1200):
        one = (store, another)[number % 2]
        try:
            pace.spend(one, "link", "anna")
            passed += 1
        except TooOftenError:
            continue
    assert passed == 1000


def test_spend__writes_seldom_for_what_is_small(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_RATES", "link=60000")
    writing, writes = Database.writing, list[bool]()

    def counted(self: Database, alone: bool = False) -> object:
        writes.append(alone)
        return writing(self, alone)

    monkeypatch.setattr(Database, "writing", counted)
    for _ in range(1201):
        pace.spend(store.whole(), "link", "anna")
    assert len(writes) == 3


def test_spend__lets_more_pass_than_there_is_in_all_once_there_was_nothing(
    store: Store,
) -> None:
    pace.spend(store, "predict", "anna", 1000)
    with pytest.raises(TooOftenError):
        pace.spend(store, "predict", "anna")


def test_spend__holds_nobody_up_for_long_where_the_clock_was_set_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace.spend(store, "import", "anna", 2)
    later(monkeypatch, -1e6)
    with pytest.raises(TooOftenError) as caught:
        pace.spend(store, "import", "anna")
    assert caught.value.wait <= 10 * pace.SPAN


def test_spend__holds_up_no_owner_and_nothing_without_limit(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        pace.spend(store, "import", "")
    monkeypatch.setenv("TRANSFER_RATES", "import=0")
    for _ in range(3):
        pace.spend(store, "import", "anna", 100)


def test_spend__counts_a_kind_of_job_without_a_rate_as_a_job(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_RATES", "job=2")
    pace.spend(store, "export", "anna")
    pace.spend(store, "rank", "anna")
    with pytest.raises(TooOftenError, match="jobs were asked for"):
        pace.spend(store, "job", "anna")


@pytest.mark.parametrize("named", ["predict", "predict=x", "guess=3", "predict=-1"])
def test_rate__refuses_what_is_no_rate(
    named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_RATES", named)
    with pytest.raises(ConfigError, match="TRANSFER_RATES has"):
        pace.rate("predict")


def test_check_tries__counts_wrong_ones_of_all_servers(
    store: Store, another: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(pace.TRIES["own"]):
        one = (store, another)[number % 2]
        pace.check_tries(one, "own", "anna")
        pace.count_wrong(one, "own", "anna")
    with pytest.raises(NotAllowedError, match="too many wrong tries") as caught:
        pace.check_tries(store, "own", "anna")
    assert caught.value.hint == "Wait 12 seconds."
    pace.check_tries(store, "own", "bob")
    later(monkeypatch, 13)
    pace.check_tries(another, "own", "anna")


def test_spend__keeps_nothing_of_who_has_not_come_for_long(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pace.count_wrong(store, "access", "192.0.2.7")
    later(monkeypatch, pace.TRIES_SPAN)
    pace.spend(store, "import", "anna")
    with store._database.reading() as connection:
        kept = connection.exec_driver_sql("SELECT who FROM tallies").scalars().all()
    assert kept == ["anna"]
