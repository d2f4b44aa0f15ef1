"""A worker shows that it lives, and what it does, in the store."""

import threading

import pytest

from transfer.config import TrainConfig
from transfer.store.machines import Machines
from transfer.store.record import Run
from transfer.store.runs import Store
from transfer.training.snapshot import Snapshot
from transfer.worker import listener


def test_listener__shows_life_after_an_error_that_nobody_foresaw(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create(TrainConfig(dataset="flowers"))
    run = store.claim_next("here", {("run",): 9})
    assert run
    again, tell, tries = threading.Event(), store.metrics.tell, []

    def fails_once(*given: object) -> object:
        tries.append(1)
        if len(tries) == 1:
            raise KeyError("nobody foresaw this")
        again.set()
        return tell(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(listener, "_FLUSH_SECONDS", 0.01)
    monkeypatch.setattr(store.metrics, "tell", fails_once)
    heard = listener.StoreListener(store, run)
    assert again.wait(60)
    heard.close()


@pytest.mark.parametrize("silent", [0.0, 50.0])
def test_checkpoint__of_a_run_that_another_machine_may_have_none(
    store: Store, monkeypatch: pytest.MonkeyPatch, silent: float
) -> None:
    store.create(TrainConfig(dataset="flowers"))
    run = store.claim_next("here", {("run",): 9})
    assert isinstance(run, Run)
    written: list[object] = []
    monkeypatch.setattr(listener.checkpoints, "write", lambda *of: written.append(of))
    monkeypatch.setattr(listener, "_FLUSH_SECONDS", 600.0)
    monkeypatch.setattr(Machines, "are_many", True)
    heard = listener.StoreListener(store, run)
    heard._heard_at -= silent
    heard.checkpoint(Snapshot(phase="head", batch_size=1))
    assert len(written) == (0 if silent else 1)
    heard.close()
