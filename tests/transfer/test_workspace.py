"""The workspace is its owner's alone."""

import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from tests.pictures import make_pictures
from tests.transfer.datasets.ingest.test_uploads import piece
from transfer import workspace
from transfer.datasets import scratch
from transfer.datasets.ingest import importer, uploads
from transfer.errors import StorageError
from transfer.evaluation import large
from transfer.people import links
from transfer.store.runs import Store


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folders__are_for_their_owner_only(workspace: Path, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        importer.import_path(make_pictures(tmp_path / "pets", {"a": 2, "b": 2}), "pets")
        uploads.store(uploads.start(), [piece("cat/a.jpg", b"1")])
        links.sign("image", "0")
        Store().close()
    finally:
        os.umask(before)
    folders = [workspace, *(path for path in workspace.rglob("*") if path.is_dir())]
    assert len(folders) > 8
    assert {path: oct(mode(path)) for path in folders} == dict.fromkeys(
        folders, oct(0o700)
    )


def test_allocate__a_full_disk_is_said_before_a_file_is_mapped(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    assert scratch.array(tmp_path, "some", np.float32, (3, 2)).tolist() == [[0, 0]] * 3
    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    monkeypatch.setattr(large, "_LARGE", 1)
    with pytest.raises(StorageError, match="disk is full"):
        scratch.array(tmp_path, "more", np.float32, (3, 2))
    with pytest.raises(StorageError, match="disk is full"):
        large.empty((3, 2), np.float32)


@pytest.mark.parametrize(("before", "after"), [(0o755, 0o700), (0o1777, 0o1777)])
def test_close_to_others__an_older_workspace_but_not_a_shared_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int, after: int
) -> None:
    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path))
    tmp_path.chmod(before)
    workspace.close_to_others()
    assert mode(tmp_path) == after
    tmp_path.chmod(before)
    monkeypatch.setenv("HOME", str(tmp_path))
    workspace.close_to_others()
    assert mode(tmp_path) == before


def test_close_to_others__a_workspace_that_is_not_there_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_HOME", str(tmp_path / "none"))
    workspace.close_to_others()
    assert not (tmp_path / "none").exists()
