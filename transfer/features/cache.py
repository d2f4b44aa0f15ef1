"""Rows of features on disk, keyed by image: written whole, checked at every read.

A *shelf* holds the output of one prefix for any number of images. It is a folder of
segment files; a segment is written under a temporary name and renamed when complete:

    rows, one after the other │ index (JSON) │ length and CRC of the index │ magic

Rows are read with plain reads rather than through `mmap`: the operating system's page
cache serves both alike, but a mapped file that somebody truncates kills the process
with SIGBUS, while a short read is only a missing row.
"""

import json
import os
import shutil
import struct
import time
import uuid
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer import workspace
from transfer.errors import ConfigError

_TAIL = struct.Struct("<QI8s")
_MAGIC = b"features"

#: A segment is closed at this size, so that a killed worker loses little.
_SEGMENT_BYTES = 256 << 20

#: How a segment's name ends while it is written, and after how many seconds without a
#: change its process must be dead.
_GROWING, _PATIENCE = ".writing", 3600.0

#: Room on the disk that features never take; models and checkpoints need some.
_LEFT_FREE = 1_000_000_000


class _Place(NamedTuple):
    segment: Path
    offset: int
    crc: int


class Shelf:
    """The kept features of one prefix.

    Args:
        key: Names the prefix and everything else that the features depend on.
        shape: Shape of one image's features.
        dtype: NumPy dtype name of the features.
        is_read: Whether it is read from, and not only written to: then what it has is
            looked up, which takes a while where that is much.
    """

    def __init__(
        self, key: str, shape: tuple[int, ...], dtype: str, is_read: bool = True
    ) -> None:
        self.folder = workspace.folder("features", key)
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.row_bytes = int(np.prod(shape)) * self.dtype.itemsize
        self._places: dict[str, _Place] = {}
        # In order, so that every process finds the same one of two equal rows.
        for segment in sorted(self.folder.glob("*.features")) if is_read else ():
            self._add(segment)

    def __contains__(self, sha256: str) -> bool:
        return sha256 in self._places

    def _add(self, segment: Path) -> None:
        try:
            index = _read_index(segment)
            os.utime(segment)  # it is in use: others go first where room is made
        except ValueError:
            segment.unlink(missing_ok=True)
            return
        except OSError:  # removed just now, or not to be read by this user
            return
        for row, (sha256, crc) in enumerate(index):
            self._places[sha256] = _Place(segment, row * self.row_bytes, crc)

    def read(self, hashes: Sequence[str]) -> tuple[NDArray[np.generic], list[int]]:
        """The features of these images, and which of them are not to be had.

        Returns:
            An array `(len(hashes), *shape)` and the positions in it that are missing
            or damaged; those rows hold anything.
        """
        rows = np.empty((len(hashes), *self.shape), self.dtype)
        by_segment: dict[Path, list[int]] = {}
        lost = []
        for position, sha256 in enumerate(hashes):
            if place := self._places.get(sha256):
                by_segment.setdefault(place.segment, []).append(position)
            else:
                lost.append(position)
        for segment, positions in by_segment.items():
            lost += self._read_segment(segment, positions, hashes, rows)
        return rows, lost

    def _read_segment(
        self,
        segment: Path,
        positions: list[int],
        hashes: Sequence[str],
        rows: NDArray[np.generic],
    ) -> list[int]:
        lost = []
        try:
            with segment.open("rb", buffering=0) as file:
                for position in positions:
                    place = self._places[hashes[position]]
                    file.seek(place.offset)
                    row = rows[position].view(np.uint8).reshape(-1)
                    # A disk that lies, or a file that somebody wrote to, must not teach
                    # the model anything: such a row is computed again.
                    read = file.readinto(row)
                    if read != self.row_bytes or zlib.crc32(row) != place.crc:
                        lost.append(position)
        except OSError:
            lost = positions
        # They count as missing from now on, so that `compute` writes them anew.
        for position in lost:
            self._places.pop(hashes[position], None)
        return lost

    @contextmanager
    def writer(self) -> Iterator["Writer"]:
        """Takes rows to keep; those given are kept even if the block fails.

        Raises:
            StorageError: The disk is full or the workspace cannot be written.
        """
        writer = Writer(self)
        try:
            yield writer
        finally:
            writer.close()

    def keep(self, segment: Path) -> None:
        """Makes a finished segment's rows readable."""
        self._add(segment)


@contextmanager
def writers(shelves: Sequence[Shelf]) -> Iterator[list["Writer"]]:
    """One for each of some shelves, as `Shelf.writer` gives it.

    Raises:
        StorageError: As there.
    """
    # On leaving, each writer closes its file: what was computed stays, even if the disk
    # is full now or the user has stopped the run.
    with ExitStack() as stack:
        yield [stack.enter_context(shelf.writer()) for shelf in shelves]


class Writer:
    """Appends rows to a shelf, a segment at a time.

    Attributes:
        segments: The finished ones.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._file: BinaryIO | None = None
        self._path = Path()
        self._index: list[tuple[str, int]] = []
        self.segments: list[Path] = []

    def add(self, hashes: Sequence[str], rows: NDArray[np.generic]) -> None:
        """Keeps `rows` `(len(hashes), *shape)` as the features of these images.

        Raises:
            StorageError: The disk is full or the workspace cannot be written.
        """
        with workspace.writing(self._shelf.folder):
            if self._file is None:
                self._open()
            for sha256, row in zip(hashes, rows, strict=True):
                data = np.ascontiguousarray(row, self._shelf.dtype).tobytes()
                self._file.write(data)  # type: ignore[union-attr]
                self._index.append((sha256, zlib.crc32(data)))
        if len(self._index) * self._shelf.row_bytes >= _SEGMENT_BYTES:
            self.close()

    def _open(self) -> None:
        workspace.make_folder(self._shelf.folder)
        make_room(keep=self._shelf.folder)
        # Several runs may write to one shelf at once, each to a file of its own.
        self._path = self._shelf.folder / f"{uuid.uuid4().hex}{_GROWING}"
        self._file = self._path.open("wb")

    def close(self) -> None:
        """Makes the rows given so far readable, by this and every other process.

        Raises:
            StorageError: They cannot be written; the segment is removed.
        """
        if self._file is None:
            return
        file, self._file = self._file, None
        finished = self._path.with_suffix(".features")
        try:
            with workspace.writing(self._path):
                with file:
                    index = json.dumps(self._index).encode()
                    # Last, so that a file without its end is known to be half.
                    file.write(index)
                    file.write(_TAIL.pack(len(index), zlib.crc32(index), _MAGIC))
                os.replace(self._path, finished)
        except BaseException:
            self._path.unlink(missing_ok=True)
            raise
        finally:
            self._index = []
        self.segments.append(finished)
        self._shelf.keep(finished)


def _read_index(segment: Path) -> list[tuple[str, int]]:
    """The hash and CRC of each row; `ValueError` where the file is not whole."""
    size = segment.stat().st_size
    with segment.open("rb") as file:
        file.seek(max(0, size - _TAIL.size))
        tail = file.read()
        if len(tail) != _TAIL.size:
            raise ValueError("too short")
        length, crc, magic = _TAIL.unpack(tail)
        # The length is checked first: it says how much memory the index takes.
        if magic != _MAGIC or length > size:
            raise ValueError("no index")
        file.seek(size - _TAIL.size - length)
        index = file.read(length)
    if zlib.crc32(index) != crc:
        raise ValueError("damaged index")
    return [(sha256, row_crc) for sha256, row_crc in json.loads(index)]


def limit_bytes() -> int:
    """How large all caches together may grow: `TRANSFER_CACHE_GB`, else 20 GB.

    Raises:
        ConfigError: It is no number.
    """
    wanted = os.environ.get("TRANSFER_CACHE_GB", "20")
    try:
        return int(float(wanted) * 1e9)
    except (ValueError, OverflowError) as error:
        raise ConfigError(
            f"TRANSFER_CACHE_GB is {wanted!r}, but must be a number of gigabytes."
        ) from error


def room(keep: Collection[Path] = ()) -> int:
    """Bytes that new features may take: the limit, or what the disk has if less.

    Args:
        keep: Folders of shelves whose features stay; all else may make room.
    """
    folder = workspace.folder("features")
    sizes = {path: stat.st_size for path, stat in _files()}
    staying = sum(sizes[path] for path in sizes if path.parent in keep)
    free = shutil.disk_usage(folder).free + sum(sizes.values()) - staying - _LEFT_FREE
    return max(0, min(limit_bytes() - staying, free))


def make_room(keep: Path, needed: int = _SEGMENT_BYTES) -> None:
    """Removes the segments that were not used for longest, until `needed` bytes fit.

    Segments below `keep` stay. A run that still reads a removed segment computes its
    rows again.
    """
    files = sorted(_files(), key=lambda entry: entry[1].st_mtime)
    excess = sum(stat.st_size for _, stat in files) + needed - limit_bytes()
    for path, stat in files:
        if excess <= 0:
            return
        is_growing = path.suffix == _GROWING and time.time() - stat.st_mtime < _PATIENCE
        if keep not in path.parents and not is_growing:
            path.unlink(missing_ok=True)
            excess -= stat.st_size


def _files() -> Iterator[tuple[Path, os.stat_result]]:
    """Everything that is kept; other processes add and remove files meanwhile."""
    for path in workspace.folder("features").rglob("*.*"):
        with suppress(FileNotFoundError):
            yield path, path.stat()
