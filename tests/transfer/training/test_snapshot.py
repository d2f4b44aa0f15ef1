"""Snapshots on disk, and trainings that go on from them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from transfer.errors import StorageError
from transfer.training import snapshot
from transfer.training.snapshot import Snapshot


def _snapshot() -> Snapshot:
    return Snapshot(
        phase="head",
        epoch=3,
        step=2,
        images=16,
        sums=(1.5, 12.0, 16.0),
        batch_size=8,
        now={"logits/kernel": np.ones((2, 3), np.float32)},
        optimizer=(np.array(26), np.zeros((2, 3), np.float32)),
        best={"logits/kernel": np.zeros((2, 3), np.float32)},
        best_state={"phase": "head", "epoch": 2, "accuracy": 0.5, "loss": 0.7},
        start={"logits/kernel": np.full((2, 3), 2, np.float32)},
        mean={"logits/kernel": np.full((2, 3), 3, np.float32)},
    )


def test_read__gives_back_what_was_written(tmp_path: Path) -> None:
    written = _snapshot()
    snapshot.write(tmp_path / "c.npz", written)
    read = snapshot.read(tmp_path / "c.npz")
    assert read is not None
    for name in ("phase", "epoch", "step", "images", "sums", "batch_size"):
        assert getattr(read, name) == getattr(written, name)
    assert read.best_state == written.best_state
    assert [one.tolist() for one in read.optimizer] == [
        one.tolist() for one in written.optimizer
    ]
    for name in ("now", "best", "start", "mean"):
        np.testing.assert_array_equal(
            getattr(read, name)["logits/kernel"],
            getattr(written, name)["logits/kernel"],
        )


def test_read__none_where_there_is_none(tmp_path: Path) -> None:
    assert snapshot.read(tmp_path / "c.npz") is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"nonsense" * 9])
def test_read__a_damaged_file_is_named(tmp_path: Path, content: Any) -> None:
    (tmp_path / "c.npz").write_bytes(content)
    with pytest.raises(StorageError, match="c.npz cannot be read.*Start the run again"):
        snapshot.read(tmp_path / "c.npz")
