"""What is known of each image from its file's head: size, bytes, when it was taken.

Read once, at the import or when it is first asked for, and kept beside the dataset.
"""

import calendar
import io
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer import shards, workspace
from transfer.datasets import library
from transfer.datasets.pixels import opening
from transfer.datasets.revision import Image
from transfer.errors import TransferError

#: EXIF: when the picture was taken, and where that part of it begins.
_TAKEN, _MODIFIED, _PART = 0x9003, 0x0132, 0x8769
_TYPES = np.dtype(
    [("key", "u8"), ("width", "u4"), ("height", "u4"), ("bytes", "u8"), ("taken", "f8")]
)


class Fact(NamedTuple):
    """What the head of one file says.

    Attributes:
        width: Pixels, as the file has them; 0 where it cannot be read.
        height: Pixels.
        bytes: Of the file.
        taken: When, in seconds since the epoch as if it were in UTC; 0 if unknown.
    """

    width: int
    height: int
    bytes: int
    taken: float


def read(source: Path | BinaryIO) -> Fact:
    """What a file's head says.

    Raises:
        ImageError: It is no picture.
    """
    with opening.open_picture(source) as image:
        exif = image.getexif()
        taken = exif.get_ifd(_PART).get(_TAKEN) if _PART in exif else None
        when = _seconds(taken or exif.get(_MODIFIED)) if exif else 0.0
        size = source.stat().st_size if isinstance(source, Path) else _length(source)
        return Fact(image.width, image.height, size, when)


def keep(dataset: str, known: Mapping[str, Fact]) -> NDArray[Any]:
    """All facts that are kept of a dataset, with these by SHA-256 among them.

    Raises:
        StorageError: The workspace cannot be written.
    """
    new = np.array([(_key(one), *fact) for one, fact in known.items()], _TYPES)
    every = np.concatenate([new, _read_kept(_path(dataset))])
    every = every[np.unique(every["key"], return_index=True)[1]]
    buffer = io.BytesIO()
    np.save(buffer, every)
    workspace.write_atomically(_path(dataset), buffer.getvalue())
    return every


def of(dataset: str, images: Sequence[Image]) -> NDArray[Any]:
    """Width, height, bytes and taken of each image, as a structured array.

    Those that are not known yet are read from the files, some thousands a second.

    Raises:
        StorageError: The workspace cannot be written.
    """
    keys = np.array([_key(one.sha256) for one in images], np.uint64)
    kept = _read_kept(_path(dataset))
    if not np.isin(keys, kept["key"]).all():
        known = {*kept["key"].tolist()}
        hashes = [one.sha256 for one in images if _key(one.sha256) not in known]
        # Here alone: it is asked for in the server, which joins no cluster.
        read_here = shards.each(_read_stored, hashes, task=0)
        kept = keep(dataset, dict(zip(hashes, read_here, strict=True)))
    rows: NDArray[Any] = kept[np.searchsorted(kept["key"], keys)]
    return rows


def shapes(dataset: str, images: Sequence[Image]) -> NDArray[np.float64]:
    """How many times as long as wide each image is; 1 where it cannot be read.

    Raises:
        StorageError: The workspace cannot be written.
    """
    known = of(dataset, images)
    sides = np.stack([known["width"], known["height"]]).astype(np.float64)
    return np.where(sides.min(0) > 0, sides.max(0) / np.maximum(sides.min(0), 1), 1.0)


def _read_stored(sha256: str) -> Fact:
    try:
        return read(library.image_path(sha256))
    except TransferError:  # damaged since it came; it is shown all the same
        return Fact(0, 0, 0, 0.0)


def _read_kept(path: Path) -> NDArray[Any]:
    try:
        kept: NDArray[Any] = np.load(path, allow_pickle=False)
        return kept if kept.dtype == _TYPES else np.empty(0, _TYPES)
    except (OSError, ValueError):  # not there yet, or damaged: read anew
        return np.empty(0, _TYPES)


def _path(dataset: str) -> Path:
    return library.folder_of(dataset) / "facts.npy"


def _key(sha256: str) -> int:
    # Half of its digits are enough: of a million images, two are the same with a
    # chance of one in 30 million.
    return int(sha256[:16], 16)


def _length(source: BinaryIO) -> int:
    at = source.tell()
    size = source.seek(0, os.SEEK_END)
    source.seek(at)
    return size


def _seconds(text: object) -> float:
    """The time that EXIF writes as 2026:01:31 12:00:00; 0 for anything else."""
    try:
        parts = time.strptime(str(text).strip("\0 ")[:19], "%Y:%m:%d %H:%M:%S")
        return float(calendar.timegm(parts))
    except ValueError:
        return 0.0
