"""Arrays of answers that may be larger than memory: a million images, 1,000 classes."""

import math
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from transfer import workspace
from transfer.datasets import scratch

#: Larger ones lie in files, out of which the system takes what is asked for.
_LARGE = 64 << 20
#: Images that are reckoned with at a time: of 1,000 classes 32 MB in float64.
_PIECE = 4096


def pieces(images: int, *arrays: NDArray[Any]) -> Iterator[slice]:
    """Some images at a time, until all had their turn; one piece of none.

    Args:
        images: Their number.
        arrays: What is read or written meanwhile: of one that lies in a file no more
            than a piece stays in memory.
    """
    for start in range(0, max(images, 1), _PIECE):
        yield slice(start, start + _PIECE)
        for one in arrays:
            scratch.forget(one)


def by_image(of: Callable[..., NDArray[Any]], *arrays: NDArray[Any]) -> NDArray[Any]:
    """What a function gives of some rows at a time of arrays `(images, ...)`."""
    some = pieces(len(arrays[0]), *arrays)
    # Copies, for a column of a piece would lie in the file still.
    return np.concatenate([np.array(of(*(one[at] for one in arrays))) for at in some])


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An array to be filled, in a file without a name if it is large.

    Raises:
        StorageError: The disk has no room for it.
    """
    if math.prod(shape) * np.dtype(dtype).itemsize < _LARGE:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile(dir=workspace.folder()) as file:
        return scratch.zeros_in(file, dtype, shape)


def fill(images: int, parts: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    """An array of so many rows, of which some come at a time; more are left out.

    Raises:
        StorageError: The disk has no room for it.
    """
    found, done = np.empty((0, 0), np.float32), 0
    for part in parts:
        if not done:
            found = empty((images, part.shape[1]), np.float32)
        end = min(done + len(part), images)
        found[done:end] = part[: end - done]
        scratch.forget(found)
        done = end
    return found


def texts(some: Sequence[str]) -> NDArray[np.str_]:
    """An array of texts: as wide as the longest, it may be large.

    Raises:
        StorageError: The disk has no room for it.
    """
    width = max(map(len, some), default=0)
    found = empty((len(some),), f"U{max(width, 1)}")
    for piece in pieces(len(some), found):
        found[piece] = some[piece]
    return found


def save(file: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Writes arrays as `numpy.savez` does, a piece at a time.

    Args:
        file: To be written to.
        arrays: By name.
    """
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as to:
                dtype = np.lib.format.dtype_to_descr(array.dtype)
                header: dict[str, Any] = {"descr": dtype, "fortran_order": False}
                header["shape"] = array.shape
                np.lib.format.write_array_header_1_0(to, header)
                rows = np.atleast_1d(array)
                for some in pieces(len(rows), array):
                    to.write(rows[some].tobytes())


def member(path: Path, name: str) -> NDArray[Any] | None:
    """An array of an `.npz` where it lies in the file; `None` if it is not large.

    Raises:
        OSError, ValueError, KeyError, BadZipFile: The file is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        found = archive.getinfo(f"{name}.npy")
    # Small ones are read, by which their checksum is looked at. On Windows a file that
    # is mapped could not be replaced by the next evaluation.
    if found.file_size < _LARGE or found.compress_type or os.name == "nt":
        return None
    with path.open("rb") as file:
        file.seek(found.header_offset + 26)
        lengths = np.frombuffer(file.read(4), "<u2")
        file.seek(int(lengths.sum()), os.SEEK_CUR)
        # As `save` writes it, whatever the numbers.
        if np.lib.format.read_magic(file) != (1, 0):
            return None
        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(file)
        if by_columns:
            return None
        return np.memmap(path, dtype, "r", file.tell(), shape)
