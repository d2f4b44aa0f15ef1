"""What a run that ends puts in the place of what was there."""

import errno
from pathlib import Path

import pytest

from transfer import workspace as folders
from transfer.errors import StorageError
from transfer.worker import train


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
    train._save("r1", Model())
    assert (folder / "model.keras").read_text() == "new"
    assert [path.exists() for path in (stays, *goes)] == [True] + [False] * len(goes)


def test_save__a_full_disk_leaves_the_model_before(workspace: Path) -> None:
    folder = folders.folder("runs", "r1")
    (folder / "model.keras").write_text("old")
    with pytest.raises(StorageError, match="full"):
        train._save("r1", Model(OSError(errno.ENOSPC, "No space left on device")))
    assert (folder / "model.keras").read_text() == "old"


def test_cost_record__the_part_before_a_resumed_run_was_stopped_counts() -> None:
    earlier = {"seconds": {"head": 2.0, "total": 5.0}, "peak_memory_mb": 1e9}
    cost = train._cost_record({"import": 1.0, "total": 3.0}, earlier)
    assert cost["seconds"] == {"import": 1.0, "total": 8.0, "head": 2.0}
    assert cost["peak_memory_mb"] == 1e9
