"""A worker that the store keeps waiting, and what it says of errors."""

import errno
import os
from pathlib import Path

import pytest

from transfer.config import TrainConfig
from transfer.errors import StorageError
from transfer.runs import jobs
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.worker import __main__


def test_finish__tries_again_while_the_store_is_locked(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create(TrainConfig(dataset="flowers"))
    run = store.claim_next("here", {("run",): 9})
    assert run
    finish, failed = store.finish, []

    def locked_once(*given: object, **named: object) -> object:
        if not failed:
            failed.append(1)
            raise StorageError("The database is locked.")
        return finish(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "finish", locked_once)
    monkeypatch.setattr(__main__, "_TRY_AGAIN", 0.0)
    __main__._finish(store, run, JobStatus.COMPLETED, result={"val_accuracy": 0.5})
    assert store.get(run.id).result == {"val_accuracy": 0.5}


def test_main__waits_for_a_store_that_is_locked_at_the_start(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(TrainConfig(dataset="flowers"))
    store.claim_next("here", {("run",): 9})
    opened, failed = Store, []

    def locked_twice() -> Store:
        if len(failed) < 2:
            failed.append(1)
            raise StorageError("The database is locked.")
        return opened()

    done: list[str] = []
    monkeypatch.setattr(__main__, "Store", locked_twice)
    monkeypatch.setattr(__main__, "work", lambda _, run: done.append(run.id))
    monkeypatch.setattr(__main__, "_TRY_AGAIN", 0.0)
    __main__.main(run.id)
    assert done == [run.id] and store.get(run.id).pid == os.getpid()


def test_main__says_what_kept_it_from_beginning(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> Store:
        raise StorageError("The disk is full.", "Free some space.")

    monkeypatch.setattr(__main__, "Store", full)
    monkeypatch.setattr(__main__, "_TRY_AGAIN", 0.0)
    with pytest.raises(StorageError):
        __main__.main("abcdef01")
    assert jobs.take_word("run", "abcdef01")["message"] == "The disk is full."


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("ResourceExhaustedError: /x/y; No space left on device"),
    ],
)
def test_in_words__a_full_disk_is_no_lack_of_memory(
    workspace: Path, error: Exception
) -> None:
    assert "The disk is full" in __main__._in_words(error).message
