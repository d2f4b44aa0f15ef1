"""What a worker leaves behind when a run that was resumed ends."""

import errno
import os
import threading
from pathlib import Path

import pytest

from transfer import workspace as folders
from transfer.config import TrainConfig
from transfer.errors import StorageError
from transfer.runs.engines import local
from transfer.store.runs import Store
from transfer.store.status import JobStatus
from transfer.worker import __main__


class Model:
    """Stands for a Keras model."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error

    def save(self, path: Path) -> None:
        path.write_text("half")
        if self._error:
            raise self._error
        path.write_text("new")


def test_save__what_was_said_of_the_model_before_goes(workspace: Path) -> None:
    folder = folders.folder("runs", "r1")
    stays, *goes = [
        folder / name
        for name in ("watched.json", "evaluation-test.npz", "neighbours.npz")
    ] + [folder / "threshold.json", folders.folder("runs", "r1", "exports") / "x.zip"]
    for path in (stays, *goes, folder / "model.keras"):
        path.write_text("old")
    __main__._save("r1", Model())
    assert (folder / "model.keras").read_text() == "new"
    assert [path.exists() for path in (stays, *goes)] == [True] + [False] * len(goes)


def test_save__a_full_disk_leaves_the_model_before(workspace: Path) -> None:
    folder = folders.folder("runs", "r1")
    (folder / "model.keras").write_text("old")
    with pytest.raises(StorageError, match="full"):
        __main__._save("r1", Model(OSError(errno.ENOSPC, "No space left on device")))
    assert (folder / "model.keras").read_text() == "old"


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
    assert local.take_word("abcdef01")["message"] == "The disk is full."


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

    monkeypatch.setattr(__main__, "_FLUSH_SECONDS", 0.01)
    monkeypatch.setattr(store, "heartbeat", fails_once)
    listener = __main__.StoreListener(store, run)
    assert again.wait(60)
    listener.close()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        RuntimeError("ResourceExhaustedError: /x/y; No space left on device"),
    ],
)
def test_named__a_full_disk_is_no_lack_of_memory(
    workspace: Path, error: Exception
) -> None:
    assert "The disk is full" in __main__._named(error).message
