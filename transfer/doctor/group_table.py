"""Groups that a table gives: a column with the subject or session of each image."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from transfer.datasets.ingest import hearing
from transfer.datasets.revision import Image
from transfer.errors import ConfigError

#: Share of the images that a table must know.
_KNOWN = 0.5


def read(table: Path, column: str, images: Sequence[Image]) -> NDArray[np.int64]:
    """The group of each image by a table; what it does not know is alone.

    Args:
        table: A CSV file with a header. Images are known by whichever column holds
            their paths, or the names of their files.
        column: That of the groups.
        images: The images.

    Raises:
        ConfigError: The file cannot be read, has no such column, or knows too few of
            the images.
    """
    rows = _rows(table)
    names = [*rows[0]] if rows else []
    if column not in names:
        raise ConfigError(
            f'{table.name} has no column "{column}".',
            f"Its columns: {', '.join(names) or 'none'}.",
        )
    best: list[str] = []
    for name in names:
        group = {_key(row[name] or ""): row[column] or "" for row in rows}
        found = [
            next((group[one] for one in _endings(image) if one in group), "")
            for image in images
        ]
        best = max(best, found, key=lambda one: sum(map(bool, one)))
    known = sum(map(bool, best))
    if known < _KNOWN * len(images):
        raise ConfigError(
            f"{table.name} knows {known:,} of {len(images):,} files.",
            "One of its columns must hold their paths or the names of their files.",
        )
    keys = [one or f"\0{at}" for at, one in enumerate(best)]
    return np.unique(keys, return_inverse=True)[1].astype(np.int64)


def columns(content: bytes) -> list[str]:
    """Names of a table's columns; none of what is no table."""
    try:
        return list(_parse(content).fieldnames or ())
    except (UnicodeDecodeError, csv.Error):
        return []


def _rows(table: Path) -> list[dict[str, str]]:
    try:
        return [*_parse(table.read_bytes())]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{table} cannot be read: {error}.") from error


def _parse(content: bytes) -> "csv.DictReader[str]":
    text = content.decode("utf-8-sig")
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    return csv.DictReader(text.splitlines(), delimiter=delimiter)


def _key(path: str) -> str:
    return path.strip().replace("\\", "/").removeprefix("./")


def _endings(image: Image) -> Iterator[str]:
    """Its path, then without its first folders one by one, at last its file's name.

    An upload's paths begin with the folder that was chosen, which no table knows; nor
    does it know the windows that a recording was cut into.
    """
    parts = PurePosixPath(_key(hearing.recording_of(image.path))).parts
    return ("/".join(parts[at:]) for at in range(len(parts)))
