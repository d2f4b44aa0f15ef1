"""What of a workspace may go: listed first, then removed, caches before all else."""

import math
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from transfer import workspace
from transfer.datasets import history, library, names
from transfer.errors import StorageError
from transfer.people import codes
from transfer.store import files
from transfer.store.datasets import Owned
from transfer.store.runs import Store
from transfer.store.summaries import Summary
from transfer.store.trash import Trashed
from transfer.upkeep import trash
from transfer.upkeep.snapshot import CACHES

_DAY = 86_400.0
#: Seconds for which an upload of somebody else counts as on its way.
_STILL_COMING = 3600.0


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
    stays and that was started from it. Of all that follows: what whoever sees the
    store may delete.
    """
    every = store.summaries()
    old = {run.id for run in every if _is_old(run, days)}
    # What those that stay were started from stays too.
    whole = store.whole().summaries()
    while needed := old & {one.config.start_from for one in whole if one.id not in old}:
        old -= needed
    return [_run(store, run) for run in _own(store, every) if run.id in old]


def datasets(store: Store, days: float, going: Collection[str] = ()) -> list[Part]:
    """Datasets that nobody has changed for so many days, and no run names.

    Args:
        going: Ids of runs that go too.
    """
    whole = store.whole().summaries()
    named = {run.dataset for run in whole if run.id not in going}
    before = time.time() - days * _DAY
    return [
        _dataset(store, name)
        for name in _own_datasets(store)
        if name not in named
        and max(one.created_at for one in history.heads(name)) < before
    ]


def uploads(store: Store) -> list[Part]:
    """Uploads that became no dataset, and that no import waits for."""
    waits = str([job.settings for job in (*store.active(), *store.waiting())])
    actor = store.scope.actor
    found = []
    for folder in _inside(workspace.home() / "uploads"):
        owner = folder / "owner"
        of = owner.read_text("utf-8") if owner.exists() else None
        thing = Owned(folder.name, of, "private")
        is_new = folder.stat().st_mtime > time.time() - _STILL_COMING
        if folder.name not in waits and (not is_new or of == actor.id):
            if store.scope.may("delete", thing):
                found.append(_folder(f"upload {folder.name[:8]}", folder))
    return found


def in_trash(store: Store) -> list[Part]:
    """What was deleted and could be restored."""
    return [_in_trash(store, one) for one in store.trash.all()]


def everything(store: Store, people: bool = False, log: bool = False) -> list[Part]:
    """All that people have made: the end of a workshop.

    Args:
        people: Whether they go too, with their codes, tokens and what they did in the
            lesson; but not whoever asks.
        log: Whether it is forgotten who deleted, shared, signed in.
    """
    brought = _inside(workspace.home() / "uploads")
    parts = [
        *caches(),
        *in_trash(store),
        *(_run(store, run) for run in store.summaries()),
        *(_dataset(store, name) for name in library.all_names()),
        *(_folder(f"upload {one.name[:8]}", one) for one in brought),
        *_other_work(store),
    ]
    if people:
        count = len(store.people.all())
        parts.append(Part(what=f"{count} people", bytes=0, remove=_part(store)))
    if log:
        remove = store.people.remove_events
        parts.append(Part(what="the log of who did what", bytes=0, remove=remove))
    return parts


def remove(store: Store, parts: Sequence[Part]) -> None:
    """Removes them all for good, in their order, and notes that it was done.

    Raises:
        RunError: One of them is needed, or at work.
        StorageError: One of them cannot be removed.
    """
    for part in parts:
        part.remove()
    store.people.note(store.scope.actor, "clean", f"{len(parts)} things")


def _other_work(store: Store) -> list[Part]:
    """Records and logs of jobs that are no runs: of imports, evaluations and so on."""
    folder = files.all_jobs()

    def remove_it() -> None:
        while store.prune(math.inf, math.inf):
            pass
        shutil.rmtree(folder, ignore_errors=True)

    found = [
        Part(
            what="logs of other work",
            bytes=workspace.bytes_of(folder),
            remove=remove_it,
        )
    ]
    return found if folder.is_dir() or store.counts() else []


def _part(store: Store) -> Callable[[], None]:
    def part() -> None:
        store.people.remove_all(but=store.scope.actor.id)
        codes.forget()

    return part


def _own(store: Store, found: Sequence[Summary]) -> list[Summary]:
    return [run for run in found if store.scope.may("delete", run)]


def _own_datasets(store: Store) -> list[str]:
    owned = store.datasets.of(library.all_names())
    return [one.name for one in owned if store.scope.may("delete", one)]


def _in_trash(store: Store, one: Trashed) -> Part:
    return Part(
        what=f"{one.kind} {one.title}, deleted",
        bytes=trash.size(one),
        remove=lambda: trash.remove_all(store, [one]),
    )


def _inside(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _is_old(run: Summary, days: float) -> bool:
    is_over = run.ended_at is not None and run.ended_at < time.time() - days * _DAY
    return is_over and run.status.is_final and not run.note and not run.tags


def _run(store: Store, run: Summary) -> Part:
    return Part(
        what=f"run {run.id}, {run.name}",
        bytes=workspace.bytes_of(files.of_run(run.id)),
        remove=lambda: trash.remove(store, trash.put_run(store, run.id).id),
        id=run.id,
    )


def _dataset(store: Store, name: str) -> Part:
    return Part(
        what=f"dataset {names.title(name)}",
        bytes=workspace.bytes_of(*_images(name)),
        remove=lambda: trash.remove(store, trash.put_dataset(store, name).id),
    )


def _images(name: str) -> Iterator[Path]:
    """Its images; those that another dataset has as well stay."""
    with suppress(StorageError):  # a damaged one goes too
        for image in library.load(name).images:
            yield library.image_path(image.sha256)


def _folder(what: str, path: Path) -> Part:
    size = workspace.bytes_of(path)
    return Part(what=what, bytes=size, remove=lambda: shutil.rmtree(path, True))
