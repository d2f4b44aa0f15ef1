"""What is computed of a finished run while nothing else is to be done.

Spoilt pictures and the map take longer than all the rest of an evaluation, and nobody
who waits for the run, or for the next one, needs them at once. So they are a job, one
at a time, that gives way to every run and is begun anew after it.
"""

from pathlib import Path

from transfer import workspace
from transfer.evaluation import results
from transfer.runs import jobs
from transfer.store.runs import Store

#: What the file of a run holds before its job was begun, and from then on.
_ASKED_FOR, _BEGUN = b"", b"begun"


def ask_for(run_id: str) -> None:
    """Notes that a run is to be given its details.

    Raises:
        StorageError: The disk is full or the folder cannot be written.
    """
    workspace.write_atomically(_folder() / run_id, _ASKED_FOR)


def tend(store: Store) -> None:
    """Begins, ends or postpones what is to be done; to be called again and again.

    Raises:
        RunError: The system cannot start another process.
        StorageError: The workspace cannot be written.
    """
    if not (files := sorted(_folder().glob("[!.]*"))):
        return
    is_idle = not store.active() and not store.waiting()
    for file in files:
        job = results.job_name(file.name, "val")
        began = file.read_bytes() == _BEGUN  # else the job is one that a user started
        if began and jobs.is_running(job):
            if not is_idle:
                workspace.write_atomically(file, _ASKED_FOR)
                jobs.cancel(job)
                jobs.forget(job)
            return
        if began:  # it is done, failed, or a user cancelled it
            file.unlink(missing_ok=True)
        elif is_idle and not jobs.is_running(job):
            workspace.write_atomically(file, _BEGUN)
            results.start(file.name, "val")
            return


def _folder() -> Path:
    return workspace.home() / "details"
