"""Folders for files that are not a dataset's yet."""

import math
import mmap
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import DTypeLike, NDArray

from transfer import workspace

#: Rows that are read at a time, around each of which the system may hold 2 MB.
_ROWS = 128


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder of the workspace that is gone afterwards, whatever happens."""
    path = workspace.folder("importing") / uuid.uuid4().hex
    _remove_abandoned(path.parent)
    with _sign_of_life(path):
        try:
            yield workspace.folder("importing", path.name)
        finally:
            shutil.rmtree(path, ignore_errors=True)


def array(
    place: Path | None, name: str, dtype: DTypeLike, shape: tuple[int, ...]
) -> NDArray[Any]:
    """An array of zeros in a file of the folder, which takes memory that is free.

    Args:
        place: The folder; in memory of the process if not given.
        name: Of the file.
        dtype: Of the numbers.
        shape: Of the array.

    Raises:
        StorageError: The disk has no room for it.
    """
    if place is None:
        return np.zeros(shape, dtype)
    with (place / name).open("w+b") as file:
        return zeros_in(file, dtype, shape)


def zeros_in(file: BinaryIO, dtype: DTypeLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """An array of zeros that lies in an open file, with its room on the disk.

    Args:
        file: Empty, to be read and written.
        dtype: Of the numbers.
        shape: Of the array.

    Raises:
        StorageError: The disk has no room for it.
    """
    workspace.allocate(file, math.prod(shape) * np.dtype(dtype).itemsize)
    opened: Any = file
    return np.memmap(opened, dtype, "w+", shape=shape)


def gather(rows: NDArray[Any], positions: NDArray[np.int64]) -> NDArray[Any]:
    """Rows of an array that may lie in a file, in whatever order, in little memory.

    Args:
        rows: The array, `(rows, ...)`.
        positions: Of those that are wanted.
    """
    found = np.empty((len(positions), *rows.shape[1:]), rows.dtype)
    for start in range(0, len(positions), _ROWS):
        some = slice(start, start + _ROWS)
        found[some] = rows[positions[some]]
        forget(rows)
    return found


def forget(rows: object) -> None:
    """Takes an array that lies in a file out of the process's memory, not of the file.

    What was read of it counts as the process's until somebody else needs the memory; of
    single rows whole megabytes around each.

    Args:
        rows: The array, or some rows of one; of what lies in no file nothing is
            forgotten.
    """
    while hasattr(rows, "base"):
        rows = rows.base
    if isinstance(rows, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        rows.madvise(mmap.MADV_DONTNEED)


@contextmanager
def _sign_of_life(folder: Path) -> Iterator[None]:
    """Holds a lock beside the folder; the system frees it should this process die."""
    path = folder.with_suffix(".lock")
    with workspace.writing(path):
        lock = FileLock(path, timeout=10)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
        path.unlink(missing_ok=True)


def _remove_abandoned(importing: Path) -> None:
    """Removes what imports left behind that were killed."""
    for path in importing.glob("*.lock"):
        try:
            with FileLock(path, timeout=0):
                shutil.rmtree(path.with_suffix(""), ignore_errors=True)
                path.unlink(missing_ok=True)
        except Timeout:
            continue  # another import, at work
