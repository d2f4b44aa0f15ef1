"""A workspace that two machines share: locks hold on both, and what they write agrees.

The second machine is a process with another machine's name; nothing that it knows is in
this process' memory.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from tests.pictures import make_pictures
from transfer import processes
from transfer.datasets import library, lock, scratch
from transfer.datasets.ingest import importer
from transfer.errors import StorageError
from transfer.features.cache import Shelf

HOLDER = """
import sys
from transfer.datasets import lock, scratch
with lock.one_writer(), scratch.folder() as folder:
    (folder / "picture.jpg").write_bytes(b"on its way")
    print(folder, flush=True)
    sys.stdin.read()
"""
IMPORTER = """
import sys
from pathlib import Path
from transfer.datasets.ingest import importer
print("ready", flush=True)
sys.stdin.readline()
importer.import_path(Path(sys.argv[1]), sys.argv[2])
"""


@contextmanager
def elsewhere(code: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A process of another machine that does this."""
    environment = processes.environment() | {"TRANSFER_MACHINE": "elsewhere"}
    command = [sys.executable, "-c", code, *words]
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


def test_one_writer__holds_for_another_machine_until_that_is_lost(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "LOCK_SECONDS", 0.1)
    with elsewhere(HOLDER) as other:
        assert other.stdout
        held = Path(other.stdout.readline().strip())
        with pytest.raises(StorageError, match="Another import"), lock.one_writer():
            pass
        with scratch.folder():
            assert (held / "picture.jpg").exists(), "it is at work there"
        other.kill()
        other.wait()
    with lock.one_writer(), scratch.folder():
        assert not held.exists()


def test_import__two_machines_at_once_store_each_picture_once(
    workspace: Path, tmp_path: Path
) -> None:
    make_pictures(tmp_path / "pets", {"cat": 8, "dog": 8})
    with elsewhere(IMPORTER, str(tmp_path / "pets"), "theirs") as other:
        assert other.stdin and other.stdout and other.stdout.readline()
        other.stdin.write("go\n")
        other.stdin.flush()
        importer.import_path(tmp_path / "pets", "ours")
        assert other.wait() == 0
    found = [library.load(name) for name in ("ours", "theirs")]
    hashes = [{one.sha256 for one in revision.images} for revision in found]
    assert hashes[0] == hashes[1] and len(hashes[0]) == 16
    stored = [path for path in (workspace / "images").rglob("*") if path.is_file()]
    assert len(stored) == 16


def test_shelf__of_what_two_machines_computed_both_read_the_same(
    workspace: Path,
) -> None:
    rows = np.arange(12, dtype=np.float32).reshape(3, 4)
    one, other = (Shelf("net", (4,), "float32") for _ in range(2))
    with one.writer() as mine, other.writer() as theirs:
        mine.add(["a", "b"], rows[:2])
        theirs.add(["b", "c"], rows[1:])
    shelves = [Shelf("net", (4,), "float32") for _ in range(2)]
    for shelf in shelves:
        read, lost = shelf.read(["a", "b", "c"])
        assert lost == []
        np.testing.assert_array_equal(read, rows)
    assert shelves[0]._places == shelves[1]._places
