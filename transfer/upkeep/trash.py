"""The trash: what is deleted lies there for some days, and can be restored.

Of a dataset, and of an export, the folder is moved to `trash/KIND/ID`; that of a run
stays where it is, for nobody finds it without its record. The record changes first and
the folder is moved then, both while no other writer is at work, so that what a killed
process left half done can be told, and is ended by `settle`.
"""

import os
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from transfer import workspace
from transfer.datasets import library, names
from transfer.datasets.lock import one_writer
from transfer.errors import ConfigError, NameTakenError, NotFoundError, RunError
from transfer.export import keeping, orders
from transfer.runs import vanished
from transfer.store import files
from transfer.store.record import RUN
from transfer.store.runs import Store
from transfer.store.trash import DATASET, EXPORT, Trashed

#: Days for which what was deleted can be restored, if nobody says otherwise.
DAYS = 7.0
_DAY = 86_400.0


def days() -> float:
    """Days for which what was deleted stays: `TRANSFER_TRASH_DAYS`, else 7.

    Raises:
        ConfigError: The variable is no number of days.
    """
    named = os.environ.get("TRANSFER_TRASH_DAYS") or str(DAYS)
    if named.replace(".", "", 1).isdecimal():
        return float(named)
    raise ConfigError(
        f"TRANSFER_TRASH_DAYS is {named!r}, but a number of days was expected."
    )


def put_run(store: Store, run: str) -> Trashed:
    """A run, by id or name, with all that was done with it.

    Raises:
        NotFoundError: There is no such run.
        NotAllowedError: It is somebody else's.
        RunError: A worker has it.
    """
    vanished.sweep(store)
    found = store.get(run)
    store.check("delete", found.id)
    return store.trash.put_job(found, found.id, found.name)


def put_dataset(store: Store, name: str) -> Trashed:
    """A dataset; its name is free then, and models of it can still be exported.

    Raises:
        NotFoundError: There is no dataset of that name.
        NotAllowedError: It is somebody else's.
        RunError: A run goes on or waits that needs it.
        StorageError: The workspace cannot be written.
    """
    store.datasets.check("delete", name)
    keeping.keep_for_exports(store, name)
    with one_writer():
        place = library.folder_of(name)
        one = store.trash.put_dataset(store.datasets.get(name), names.title(name))
        _move(place, _folder(one))
    return one


def put_export(store: Store, key: str) -> Trashed:
    """The export of this key, of `orders.key`.

    Raises:
        NotFoundError: There is none.
        NotAllowedError: It is somebody else's.
        RunError: It is being made.
        StorageError: The workspace cannot be written.
    """
    job = store.find(EXPORT, key)
    if job is None:
        raise NotFoundError("There is no such export.")
    store.check("delete", job.id)
    with one_writer():
        title = orders.archive(key).stem
        one = store.trash.put_job(job, key, title)
        _move(_place(one), _folder(one))
    return one


def restore(store: Store, trash_id: str, name: str = "") -> Trashed:
    """What has this id in the trash, as it was.

    Args:
        name: For a dataset whose name was given again meanwhile.

    Raises:
        NotFoundError: There is nothing, or it is somebody else's.
        NameTakenError: There is something of that name.
        RunError: It is an export, and its run lies in the trash too.
        StorageError: The workspace cannot be written.
    """
    one = store.trash.get(trash_id)
    with one_writer():
        if one.kind == DATASET:
            one = _rename(store, one, name)
        if one.kind == EXPORT:
            _check_export(store, one)
        if _folder(one).exists():
            _move(_folder(one), _place(one))
        store.trash.restore(one)
    return one


def remove(store: Store, trash_id: str) -> Trashed:
    """What has this id in the trash, as it was before it was removed for good.

    Raises:
        NotFoundError: There is nothing, or it is somebody else's.
        StorageError: The workspace cannot be written.
    """
    one = store.trash.get(trash_id)
    with one_writer():
        if one.kind == RUN and _place(one).exists():
            _move(_place(one), _folder(one))
        # Without a record nobody can restore what may be half removed.
        store.trash.remove(one)
    _remove_folder(_folder(one))
    return one


def remove_all(store: Store, going: Iterable[Trashed]) -> None:
    """Removes things for good; what is gone already is passed over.

    Raises:
        StorageError: The workspace cannot be written.
    """
    # A run takes its exports along: these go first, so that their files go too.
    for one in sorted(going, key=lambda one: one.kind == RUN):
        with suppress(NotFoundError):
            remove(store, one.id)


def discard_old(store: Store, after: float | None = None) -> int:
    """Removes for good what lies in the trash for longer than `days`; how many.

    Args:
        after: Days, if others than those of the setting.
    """
    settle(store)
    before = time.time() - (days() if after is None else after) * _DAY
    old = [one for one in store.trash.all() if one.deleted_at <= before]
    remove_all(store, old)
    return len(old)


def settle(store: Store) -> None:
    """Ends what a process that was killed had begun."""
    left = []
    with one_writer():
        rows = {one.id: one for one in store.whole().trash.all()}
        for folder in workspace.home().glob("trash/*/*"):
            one = rows.get(folder.name)
            if one is None or one.kind == RUN:  # it was to be removed
                left.append(folder)
            if one and one.kind == RUN:
                store.whole().trash.remove(one)
        for one in rows.values():
            if one.kind != RUN and not _folder(one).exists() and _place(one).exists():
                _move(_place(one), _folder(one))
    for folder in left:
        _remove_folder(folder)


def size(one: Trashed) -> int:
    """Bytes of its files; of a dataset without its images, which others may have."""
    found = _place(one) if one.kind == RUN else _folder(one)
    return workspace.bytes_of(found)


def _rename(store: Store, one: Trashed, name: str) -> Trashed:
    """The dataset in the trash under the name that it is to be restored with."""
    wanted = names.kept_under(name, one.owner or "") if name else one.thing
    try:
        library.check_name(wanted)
    except NameTakenError as error:
        raise NameTakenError(error.message, "Give it another name.") from error
    if wanted == one.thing:
        return one
    revisions = [path.stem for path in _folder(one).glob("*.json")]
    store.trash.rename(one, wanted, revisions)
    return store.trash.get(one.id)


def _check_export(store: Store, one: Trashed) -> None:
    try:
        store.get(one.thing.partition("-")[0])
    except NotFoundError as error:
        raise RunError("Its run is not there.", "Restore that first.") from error
    if _place(one).exists():
        raise NameTakenError(
            "The run was exported in this format again.", "Delete that export first."
        )


def _place(one: Trashed) -> Path:
    """Where its files lie, or lay, outside of the trash."""
    if one.kind == DATASET:
        return workspace.home() / "datasets" / one.thing
    if one.kind == EXPORT:
        run, name, quantize = one.thing.split("-")
        return files.export(run, name, quantize)
    return files.of_run(one.thing)


def _folder(one: Trashed) -> Path:
    return files.in_trash(one.kind, one.id)


def _move(source: Path, target: Path) -> None:
    with workspace.writing(target):
        workspace.make_folder(target.parent)
        source.rename(target)


def _remove_folder(folder: Path) -> None:
    had_images = folder.parent.name == DATASET or (folder / library.KEPT).exists()
    with workspace.writing(folder):
        if folder.exists():
            shutil.rmtree(folder)
    if had_images:
        library.remove_unused_images()
