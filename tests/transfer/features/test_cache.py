"""The feature cache: whole, checked, bounded."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from transfer.errors import ConfigError, StorageError
from transfer.features import cache
from transfer.features.cache import Shelf

HASHES = ["a", "b", "c"]
ROWS = np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def shelf(workspace: Path) -> Shelf:
    """A shelf with three rows of four numbers."""
    filled = Shelf("net", (4,), "float32")
    with filled.writer() as writer:
        writer.add(HASHES, ROWS)
    return filled


def _segment(shelf: Shelf) -> Path:
    (path,) = shelf.folder.glob("*.features")
    return path


def _reopened() -> Shelf:
    return Shelf("net", (4,), "float32")


def test_read__rows_come_back_in_the_order_asked_for(shelf: Shelf) -> None:
    rows, lost = _reopened().read(["c", "a"])
    assert lost == []
    np.testing.assert_array_equal(rows, ROWS[[2, 0]])


def test_read__unknown_images_are_named(shelf: Shelf) -> None:
    assert shelf.read(["a", "x"])[1] == [1]
    assert "x" not in shelf


def test_writer__rows_are_added_to_those_of_earlier_runs(shelf: Shelf) -> None:
    again = _reopened()
    with again.writer() as writer:
        writer.add(["d"], np.ones((1, 4), np.float32))
    rows, lost = _reopened().read(["a", "d"])
    assert lost == []
    np.testing.assert_array_equal(rows[1], np.ones(4))


def test_writer__keeps_what_was_given_before_an_error(workspace: Path) -> None:
    shelf = _reopened()
    with pytest.raises(RuntimeError), shelf.writer() as writer:
        writer.add(HASHES, ROWS)
        raise RuntimeError
    assert "b" in _reopened()


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20])


def _scribble(path: Path) -> None:
    noise = np.random.default_rng(0).bytes(path.stat().st_size)
    path.write_bytes(noise)


@pytest.mark.parametrize("harm", [_truncate, _scribble, Path.unlink])
def test_read__a_damaged_file_gives_no_wrong_row(shelf: Shelf, harm: object) -> None:
    harm(_segment(shelf))  # type: ignore[operator]
    rows, lost = shelf.read(HASHES)  # opened before the harm was done
    for position in set(range(3)) - set(lost):
        np.testing.assert_array_equal(rows[position], ROWS[position])
    assert lost
    assert not any(name in _reopened() for name in HASHES)


def test_read__one_flipped_bit_loses_one_row(shelf: Shelf) -> None:
    path = _segment(shelf)
    content = bytearray(path.read_bytes())
    content[17] ^= 1  # in the second row
    path.write_bytes(content)
    assert _reopened().read(HASHES)[1] == [1]


def test_shelf__a_file_that_was_never_finished_is_not_read(shelf: Shelf) -> None:
    path = _segment(shelf)
    path.rename(path.with_suffix(".writing"))
    assert "a" not in _reopened()


def test_writer__full_disk_leaves_no_file(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.os, "replace", full)
    with pytest.raises(StorageError, match="disk is full"), shelf.writer() as writer:
        writer.add(["z"], np.zeros((1, 4), np.float32))
    assert not list(shelf.folder.glob("*.writing"))


def _fill(key: str, megabytes: int) -> Shelf:
    shelf = Shelf(key, (1 << 20,), "uint8")
    rows: NDArray[np.uint8] = np.zeros((megabytes, 1 << 20), np.uint8)
    with shelf.writer() as writer:
        writer.add([f"{key}{i}" for i in range(megabytes)], rows)
    return shelf


def test_make_room__the_longest_unused_goes_first(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = _fill("old", 2), _fill("new", 2)
    monkeypatch.setenv("TRANSFER_CACHE_GB", "0.005")
    cache.make_room(keep=new.folder, needed=2 << 20)
    assert not list(old.folder.iterdir())
    assert len(list(new.folder.iterdir())) == 1


def test_make_room__what_is_being_written_stays(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_CACHE_GB", "0.001")
    shelf = Shelf("other", (1 << 20,), "uint8")
    with shelf.writer() as writer:
        writer.add(["a"], np.zeros((1, 1 << 20), np.uint8))
        cache.make_room(keep=workspace, needed=2 << 20)
    assert len(list(shelf.folder.glob("*.features"))) == 1


def test_room__a_shelf_makes_no_room_for_itself(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSFER_CACHE_GB", "0.01")
    shelf = _fill("own", 4)
    own = sum(path.stat().st_size for path in shelf.folder.iterdir())
    assert cache.room() == 10_000_000
    assert cache.room([shelf.folder]) == 10_000_000 - own


def test_room__files_that_vanish_are_passed_over(workspace: Path) -> None:
    shelf = _fill("own", 1)
    (shelf.folder / "gone.features").symlink_to(shelf.folder / "nowhere")
    assert cache.room() > 0


def test_limit_bytes__no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFER_CACHE_GB", "20GB")
    with pytest.raises(ConfigError, match="number of gigabytes"):
        cache.limit_bytes()


WRITER = """
import sys, numpy as np
from transfer.features.cache import Shelf
shelf = Shelf("net", (1000,), "float32")
with shelf.writer() as writer:
    for number in range(100_000):
        writer.add([str(number)], np.full((1, 1000), number, np.float32))
        if number == 500:
            print("writing", flush=True)
"""


def test_shelf__after_kill_9_while_writing_nothing_wrong_is_read(
    workspace: Path,
) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER], stdout=subprocess.PIPE)
    assert process.stdout and process.stdout.readline() == b"writing\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    shelf = Shelf("net", (1000,), "float32")
    rows, lost = shelf.read([str(number) for number in range(500)])
    for number in set(range(500)) - set(lost):
        assert (rows[number] == number).all()
    assert "0" not in shelf  # its segment was not complete
