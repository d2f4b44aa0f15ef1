"""Exports as jobs, and the zip that each leaves below `runs/RUN/exports`."""

import re
import shutil
from pathlib import Path

from transfer.errors import NotFoundError
from transfer.export import catalogue
from transfer.runs import jobs
from transfer.store import files
from transfer.store.record import Run

_KEY = re.compile(r"([0-9a-f]{8})-([a-z]+)-([a-z0-9]+)", re.ASCII)
#: Characters of the dataset's name in that of the zip: file systems have a limit.
_LONGEST = 40


def key(run_id: str, name: str, quantize: str) -> str:
    """Names one export, in links too."""
    return f"{run_id}-{name}-{quantize}"


def job_name(run_id: str, name: str, quantize: str) -> str:
    """The job that makes this export."""
    return f"export-{key(run_id, name, quantize)}"


def start(run: Run, name: str, quantize: str) -> None:
    """Starts an export, which outlives this process; an older one gives way.

    Nothing happens where the same export runs already.

    Raises:
        ConfigError: There is no such format or quantisation.
        RunError: The system cannot start another process.
        StorageError: The workspace cannot be written.
    """
    catalogue.get(name, quantize)
    job, folder = job_name(run.id, name, quantize), files.export(run.id, name, quantize)
    if jobs.is_running(job):
        return
    shutil.rmtree(folder, ignore_errors=True)
    options = ["--format", name, "--quantize", quantize, "--zip"]
    output = folder / title(run, name, quantize)
    jobs.start(job, ["export", run.id, *options, "--output", str(output)])


def cancel(run_id: str, name: str, quantize: str) -> None:
    """Ends an export, and removes what it has written."""
    jobs.cancel(job_name(run_id, name, quantize))
    shutil.rmtree(files.export(run_id, name, quantize), ignore_errors=True)


def title(run: Run, name: str, quantize: str) -> str:
    """What the zip and the folder in it are called: what is in them, of which run."""
    parts = [run.dataset[:_LONGEST], run.config.backbone, name, quantize, run.id]
    return "-".join(part for part in parts if part != "none").replace(" ", "-")


def archive(named: str) -> Path:
    """The finished zip of the export of this key.

    Raises:
        NotFoundError: There is none.
    """
    if parts := _KEY.fullmatch(named):
        for path in files.export(*parts.groups()).glob("[!.]*.zip"):
            return path
    raise NotFoundError("There is no such export.", "Export the run again.")
