"""What is known of each image from its file's head: size, bytes, when it was taken.

Read once, at the import or when it is first asked for, and kept beside the dataset.
"""

import calendar
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from transfer.datasets import library
from transfer.datasets.kept_rows import KeptRows
from transfer.datasets.pixels import opening
from transfer.datasets.revision import Image
from transfer.errors import TransferError

#: EXIF: when the picture was taken, and where that part of it begins.
_TAKEN, _MODIFIED, _PART = 0x9003, 0x0132, 0x8769
_KEPT = KeptRows(
    "facts.npy", (("width", "u4"), ("height", "u4"), ("bytes", "u8"), ("taken", "f8"))
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


def keep(dataset: str, known: Mapping[str, Fact]) -> None:
    """Keeps facts by SHA-256 with those of the dataset.

    Raises:
        StorageError: The workspace cannot be written.
    """
    _KEPT.keep(dataset, known)


def of(dataset: str, images: Sequence[Image]) -> NDArray[Any]:
    """Width, height, bytes and taken of each image, as a structured array.

    Those that are not known yet are read from the files, some thousands a second.

    Raises:
        StorageError: The workspace cannot be written.
    """
    return _KEPT.of(dataset, [one.sha256 for one in images], _read_stored)


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
