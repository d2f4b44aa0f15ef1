"""Whether the server can do its work: its store, its workspace, its supervisor."""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import closing

from transfer import workspace
from transfer.datasets.ingest import uploads
from transfer.errors import TransferError
from transfer.runs.supervisor import Supervisor
from transfer.store.runs import Store

#: Seconds without a round of the supervisor after which it counts as standing still: it
#: may wait for a store that is locked, and then says so.
STANDS_STILL = 60.0


def look(supervisor: Supervisor) -> dict[str, str]:
    """What is wrong with each part; nothing where all is well."""
    looks: dict[str, Callable[[], str]] = {
        "store": _store,
        "workspace": _workspace,
        "supervisor": lambda: _supervisor(supervisor),
    }
    found = {}
    for part, one in looks.items():
        try:
            found[part] = one()
        except TransferError as error:
            found[part] = str(error)
    return found


def _store() -> str:
    with closing(Store()) as store:  # refuses one that is not of this version
        store.waiting(limit=1)
    return ""


def _workspace() -> str:
    folder = workspace.folder()
    with workspace.writing(folder), tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"x")
    # Below that, uploads are refused.
    free = shutil.disk_usage(folder).free
    if free < uploads.SPARE_DISK:
        return f"The disk is nearly full: {workspace.amount(free)} are free."
    return ""


def _supervisor(one: Supervisor) -> str:
    if one.silent_seconds > STANDS_STILL:
        return f"It has not looked after the jobs for {one.silent_seconds:.0f} seconds."
    return one.problem
