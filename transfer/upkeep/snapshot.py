"""The workspace as it is at one moment, held in a folder while the work goes on."""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from transfer import workspace
from transfer.datasets.lock import one_writer
from transfer.errors import RunError
from transfer.store import carrying, copies, database
from transfer.store.database import UNUSABLE
from transfer.store.record import error_record
from transfer.store.runs import Store
from transfer.store.status import JobStatus

#: The name of the database in a snapshot.
STORE = "store.sqlite"
#: What can be made again: features and converted networks, thumbnails, zips, samples.
CACHES = ("features", "thumbnails", "dataset-exports", "samples")
#: Files at work, copies of the database, and uploads that are still on their way.
_LEFT_OUT_AT_TOP = (
    *("importing", "store", "inference.log", "tickets", "tmp"),
    "server.json",  # what the server was told here
)
_LEFT_OUT_FROM, _LEFT_OUT_TO = (".writing-", ".export-"), (".lock", ".writing", ".part")
_ON_ITS_WAY = "partial"


def take(folder: Path, caches: bool = True) -> None:
    """Puts the workspace into an empty folder of itself, within seconds.

    Files are linked, not copied: all that lasts is replaced as a whole when it changes,
    so a link keeps what it was. Jobs at work count as interrupted there. Of a database
    on a server the rows are there in a file, as of any other.

    Args:
        folder: Below the workspace, so that files can be linked.
        caches: Whether what can be made again is there too.

    Raises:
        StorageError: The workspace or its database cannot be read or written.
    """
    Store().close()  # made, or brought up to date, where it was not
    # Nobody brings, changes or removes pictures meanwhile.
    with one_writer(), workspace.writing(folder):
        # Checkpoints before the database: a run drops what it measured after its
        # checkpoint, but could not find what was measured before it.
        for path in workspace.home().glob("runs/*/checkpoint.npz"):
            _link(path, folder)
        _copy_database(folder / STORE)
        for path in _files(workspace.home(), caches):
            if path.name != "checkpoint.npz":
                _link(path, folder)
    _settle(folder / STORE)


def _copy_database(to: Path) -> None:
    url = database.default_url()
    if not (file := database.file_of(url)):
        carrying.to_file(url, to)
        return
    try:
        copies.copy(file, to)
    except UNUSABLE as error:
        raise database.unreachable(error) from error


def _files(home: Path, caches: bool) -> Iterator[Path]:
    for parent, folders, names in os.walk(home):
        at_top = Path(parent) == home
        folders[:] = [
            one
            for one in folders
            if not one.startswith(_LEFT_OUT_FROM)
            and not (at_top and one.startswith(_LEFT_OUT_AT_TOP))
            and not (at_top and one in CACHES and not caches)
            and not (one == _ON_ITS_WAY and Path(parent).parent.name == "uploads")
        ]
        for name in names:
            is_at_work = name.startswith(_LEFT_OUT_FROM) or name.endswith(_LEFT_OUT_TO)
            if not is_at_work and not (at_top and name.startswith(_LEFT_OUT_AT_TOP)):
                yield Path(parent, name)


def _link(path: Path, folder: Path) -> None:
    to = folder / path.relative_to(workspace.home())
    workspace.make_folder(to.parent)
    with suppress(FileNotFoundError):  # removed just now
        try:
            os.link(path, to)
        except FileNotFoundError:
            raise
        except OSError:  # a file system without links
            shutil.copy2(path, to)


def _settle(copy: Path) -> None:
    """Ends what is at work in the copy of the database; what is gone leaves it."""
    lost = RunError(
        "It was at work when the backup was made from which it was restored.",
        "Start it again.",
    )
    with closing(Store(f"sqlite:///{copy}")) as held, closing(Store()) as now:
        for job in held.active():
            why = error_record(lost)
            held.finish(job.id, JobStatus.INTERRUPTED, error=why)
        ids = [run.id for run in held.summaries()]
        # Their files may have been removed before they were linked.
        for gone in set(ids) - now.which_exist(ids):
            held.trash.remove(held.trash.put_job(held.get(gone), gone, gone))
