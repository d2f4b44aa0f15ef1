"""Spare workers of the nodes of a cluster, without one."""

from collections.abc import Iterator

import pytest

from transfer.runs.engines import keeper
from transfer.runs.engines.keeper import SpareKeeper


class FakeWorker:
    """A spare worker, which notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.pid, self.ended = 4711, False

    def prepare(self) -> None:
        self.told.append("prepare")

    def close(self) -> None:
        self.told.append("close")

    def give(self, *about: object) -> "FakeWorker":
        return self

    def poll(self) -> int | None:
        return 0 if self.ended else None


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The time, which no thread sees passing."""
    now = [0.0]
    monkeypatch.setattr(keeper.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(SpareKeeper, "_look_after", lambda _: None)
    yield now


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> FakeWorker:
    made = FakeWorker()
    monkeypatch.setattr(keeper, "SpareWorker", lambda: made)
    return made


@pytest.mark.parametrize(("is_heavy", "beside"), [(True, 0), (False, 1)])
def test_spare_keeper__another_one_is_made_ready_after_heavy_work(
    worker: FakeWorker, is_heavy: bool, beside: int
) -> None:
    spare = SpareKeeper({})
    assert spare._is_of_use()
    assert spare.give("rank", "abc", ["-m", "transfer", "rank"], {}, is_heavy) == 4711
    worker.told.clear()
    assert spare._is_of_use()
    assert len(worker.told) == beside
    worker.ended = True
    assert spare._is_of_use()
    assert len(worker.told) == beside + 1


def test_spare_keeper__a_node_without_room_for_a_process_gets_one_later(
    worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError("Cannot allocate memory")

    spare = SpareKeeper({})
    with monkeypatch.context() as patch:
        patch.setattr(worker, "prepare", fail)
        assert spare._is_of_use()
    assert spare._is_of_use() and worker.told == ["prepare"]


def test_spare_keeper__ends_when_no_server_has_a_word_for_it(
    worker: FakeWorker, clock: list[float]
) -> None:
    spare = SpareKeeper({})
    clock[0] = keeper._STAYS - 1
    spare.stay()
    clock[0] = keeper._STAYS + 1
    assert spare._is_of_use()
    clock[0] = 3 * keeper._STAYS
    assert not spare._is_of_use()
    assert worker.told[-1] == "close"


def test_spare_keeper__stays_for_the_job_that_it_gave_a_process(
    worker: FakeWorker, clock: list[float]
) -> None:
    spare = SpareKeeper({})
    spare.give("run", "abc", ["-m", "transfer.worker", "abc"], {}, True)
    clock[0] = 3 * keeper._STAYS
    assert spare._is_of_use()
    worker.ended = True
    assert not spare._is_of_use()
