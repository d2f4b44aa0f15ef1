"""What of a workspace may go: listed first, then removed, caches before all else."""

import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from transfer import workspace
from transfer.datasets import history, library
from transfer.store import files
from transfer.store.runs import Store
from transfer.store.summaries import Summary
from transfer.upkeep import trash
from transfer.upkeep.snapshot import CACHES

_DAY = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Part:
    """Something that may go.

    Attributes:
        what: In words for the user.
        id: Of a run.
        bytes: What it takes on the disk.
        remove: Removes it.
    """

    what: str
    bytes: int
    remove: Callable[[], object]
    id: str = ""


def caches() -> list[Part]:
    """What can be made again: whoever needs it waits for it once more."""
    folders = [workspace.home() / name for name in CACHES]
    return [_folder(f"cache {one.name}", one) for one in folders if one.is_dir()]


def runs(store: Store, days: float) -> list[Part]:
    """Runs that ended so many days ago, and that nobody cares for.

    Whoever has tagged one or noted something about it does, and so does a run that
    stays and that was started from it.
    """
    every = store.summaries()
    old = {run.id for run in every if _is_old(run, days)}
    # What those that stay were started from stays too.
    while needed := old & {one.config.start_from for one in every if one.id not in old}:
        old -= needed
    return [_run(store, run) for run in every if run.id in old]


def datasets(store: Store, days: float, going: Collection[str] = ()) -> list[Part]:
    """Datasets that nobody has changed for so many days, and no run names.

    Args:
        going: Ids of runs that go too.
    """
    named = {run.dataset for run in store.summaries() if run.id not in going}
    before = time.time() - days * _DAY
    return [
        _dataset(store, name)
        for name in library.all_names()
        if name not in named
        and max(one.created_at for one in history.heads(name)) < before
    ]


def everything(store: Store) -> list[Part]:
    """All that people have made: the end of a workshop. People and their log stay."""
    sent = workspace.home() / "uploads"
    return [
        *caches(),
        *(_run(store, run) for run in store.summaries()),
        *(_dataset(store, name) for name in library.all_names()),
        *(_folder(f"upload {one.name[:8]}", one) for one in _inside(sent)),
    ]


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _is_old(run: Summary, days: float) -> bool:
    is_over = run.ended_at is not None and run.ended_at < time.time() - days * _DAY
    return is_over and run.status.is_final and not run.note and not run.tags


def _run(store: Store, run: Summary) -> Part:
    return Part(
        what=f"run {run.id}, {run.name}",
        bytes=_size(files.of_run(run.id)),
        remove=lambda: trash.remove(store, trash.put_run(store, run.id).id),
        id=run.id,
    )


def _dataset(store: Store, name: str) -> Part:
    return Part(
        what=f"dataset {name}",
        bytes=sum(_of_images(name)),
        remove=lambda: trash.remove(store, trash.put_dataset(store, name).id),
    )


def _of_images(name: str) -> Iterator[int]:
    """Bytes of its images; of one that another dataset has as well they stay."""
    for image in library.load(name).images:
        path = library.image_path(image.sha256)
        yield path.stat().st_size if path.exists() else 0


def _folder(what: str, path: Path) -> Part:
    return Part(what=what, bytes=_size(path), remove=lambda: shutil.rmtree(path, True))


def _size(path: Path) -> int:
    total = 0
    for parent, _, names in os.walk(path):
        for name in names:
            one = Path(parent, name)
            total += one.stat().st_size if one.exists() else 0
    return total
