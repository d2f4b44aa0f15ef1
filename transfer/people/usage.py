"""How much one person has: on the disk, in the queue, at work."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from transfer import workspace
from transfer.datasets import library, manifest
from transfer.datasets.ingest import uploads
from transfer.errors import TransferError
from transfer.store import files
from transfer.store.runs import Store

_DAY = 86_400.0


class Usage(NamedTuple):
    """What somebody has; see `limits.Limits`."""

    disk: float = 0
    images: float = 0
    queued: float = 0
    running: float = 0
    hours: float = 0


def of(store: Store, owner: str) -> Usage:
    """What a person has now; what lies in the trash takes room until it is gone."""
    home = workspace.home()
    held = [
        _of_folder(home / "datasets" / one) for one in store.holdings.datasets(owner)
    ]
    thrown = [home / "trash" / one for one in store.holdings.trash(owner)]
    runs = map(files.of_run, store.holdings.runs(owner))
    disk = (
        sum(size for _, size in (*held, *map(_of_folder, thrown)))
        + sum(map(_size, (*runs, *thrown)))
        + uploads.bytes_of(owner)
    )
    images = sum(count for count, _ in held)
    return of_work(store, owner)._replace(disk=disk, images=images)


def of_work(store: Store, owner: str) -> Usage:
    """The same without the disk, which takes no time."""
    work = store.holdings.work(owner, time.time() - _DAY)
    return Usage(0, 0, work.queued, work.running, work.seconds / 3600)


def _of_folder(folder: Path) -> tuple[int, int]:
    """How many images the dataset of a folder has, and their bytes, each in full.

    Whoever else has the same pictures makes no difference, so nobody learns of it.
    """
    kept = folder / "pile" / library.KEPT
    try:
        piled = _of_list(kept, kept.stat().st_mtime_ns) if kept.exists() else (0, 0)
        images = _of_manifest(folder / f"{(folder / 'newest').read_text('utf-8')}.json")
        return images[0] + piled[0], images[1] + piled[1]
    except (OSError, ValueError, TransferError):  # no dataset, gone, or damaged
        return 0, 0


@lru_cache(maxsize=1000)
def _of_manifest(path: Path) -> tuple[int, int]:
    found = manifest.read(path)
    # Those that are left out are there all the same.
    hashes = [one.sha256 for one in (*found.images, *found.left_out)]
    return len(hashes), sum(_sizes(library.image_path(one) for one in hashes))


@lru_cache(maxsize=1000)
def _of_list(path: Path, _: int) -> tuple[int, int]:
    hashes = path.read_text("utf-8").split()
    return len(hashes), sum(_sizes(map(library.image_path, hashes)))


def _size(folder: Path) -> int:
    inside = os.walk(folder)
    return sum(_sizes(Path(at, name) for at, _, names in inside for name in names))


def _sizes(paths: Iterable[Path]) -> Iterator[int]:
    for path in paths:
        with suppress(OSError):  # it was removed since it was listed
            yield path.lstat().st_size
