"""A worker shows that it lives, and what it does, in the store."""

import threading

import pytest

from transfer.config import TrainConfig
from transfer.store.runs import Store
from transfer.worker import listener


def test_listener__shows_life_after_an_error_that_nobody_foresaw(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create(TrainConfig(dataset="flowers"))
    run = store.claim_next("here", {("run",): 9})
    assert run
    again, heartbeat, tries = threading.Event(), store.heartbeat, []

    def fails_once(*given: object) -> object:
        tries.append(1)
        if len(tries) == 1:
            raise KeyError("nobody foresaw this")
        again.set()
        return heartbeat(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(listener, "_FLUSH_SECONDS", 0.01)
    monkeypatch.setattr(store, "heartbeat", fails_once)
    heard = listener.StoreListener(store, run)
    assert again.wait(60)
    heard.close()
