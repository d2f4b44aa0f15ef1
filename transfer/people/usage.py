"""How much one person has: on the disk, in the queue, at work."""

from collections.abc import Collection
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


class Disk(NamedTuple):
    """Bytes of what somebody has, by kind; with the images of their datasets in full.

    Whoever else has the same pictures makes no difference, so nobody learns of it.
    """

    datasets: int = 0
    runs: int = 0
    exports: int = 0
    uploads: int = 0
    trash: int = 0


def of(store: Store, owner: str) -> Usage:
    """What a person has now; what lies in the trash takes room until it is gone."""
    images, disk = _holds(store, owner)
    return of_work(store, owner)._replace(disk=sum(disk), images=images)


def on_disk(store: Store, owner: str) -> Disk:
    """What takes how much, of a person; of everybody if the id is empty."""
    return _holds(store, owner)[1]


def _holds(store: Store, owner: str) -> tuple[int, Disk]:
    """How many images are in somebody's datasets, and what takes how much."""
    of_datasets = [*map(_of_folder, _datasets(store, owner))]
    thrown = [workspace.home() / "trash" / one for one in store.holdings.trash(owner)]
    is_thrown = store.holdings.runs(owner)
    runs = [files.of_run(run) for run, it_is in is_thrown.items() if not it_is]
    # Their files stay where they are until they are removed.
    thrown += [files.of_run(run) for run, it_is in is_thrown.items() if it_is]
    inside = list[Path]()
    for folder in runs:
        with suppress(OSError):  # it is removed just now
            inside += folder.iterdir()
    exports = [path for path in inside if path.name == files.EXPORTS]
    return sum(count for count, _ in of_datasets), Disk(
        datasets=sum(size for _, size in of_datasets),
        runs=workspace.bytes_of(*(one for one in inside if one.name != files.EXPORTS)),
        exports=workspace.bytes_of(*exports),
        uploads=uploads.bytes_of(owner),
        trash=workspace.bytes_of(*thrown)
        + sum(size for _, size in map(_of_folder, thrown)),
    )


def of_work(store: Store, owner: str) -> Usage:
    """The same without the disk, which takes no time."""
    return of_works(store, [owner])[owner]


def of_works(store: Store, owners: Collection[str]) -> dict[str, Usage]:
    """As `of_work`, of several people at once."""
    found = store.holdings.work(owners, _DAY)
    return {
        owner: Usage(0, 0, work.queued, work.running, work.seconds / 3600)
        for owner, work in found.items()
    }


def _datasets(store: Store, owner: str) -> list[Path]:
    # Without sign-in no row says that a dataset is there.
    found = store.holdings.datasets(owner) if owner else library.all_names()
    return [workspace.home() / "datasets" / one for one in found]


def _of_folder(folder: Path) -> tuple[int, int]:
    """How many images the dataset of a folder has, and their bytes."""
    kept = folder / "pile" / library.KEPT
    try:
        piled = _of_list(kept, kept.stat().st_mtime_ns) if kept.exists() else (0, 0)
        images = _of_manifest(library.newest_in(folder))
        return images[0] + piled[0], images[1] + piled[1]
    except (OSError, ValueError, TransferError):  # no dataset, gone, or damaged
        return 0, 0


@lru_cache(maxsize=1000)
def _of_manifest(path: Path) -> tuple[int, int]:
    found = manifest.read(path)
    # Those that are left out are there all the same.
    hashes = [one.sha256 for one in (*found.images, *found.left_out)]
    return len(hashes), workspace.bytes_of(*map(library.image_path, hashes))


@lru_cache(maxsize=1000)
def _of_list(path: Path, _: int) -> tuple[int, int]:
    hashes = path.read_text("utf-8").split()
    return len(hashes), workspace.bytes_of(*map(library.image_path, hashes))
