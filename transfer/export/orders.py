"""Exports as they are asked for, and the zip that each leaves with its run."""

import re
import shutil
from pathlib import Path

from transfer.datasets import names
from transfer.errors import NotFoundError
from transfer.export import catalogue
from transfer.runs.requests import Request
from transfer.store import files
from transfer.store.record import Run

_KEY = re.compile(r"([0-9a-f]{8})-([a-z]+)-([a-z0-9]+)", re.ASCII)
#: Characters of the dataset's name in that of the zip: file systems have a limit.
_LONGEST = 40


def key(run_id: str, name: str, quantize: str) -> str:
    """Names one export, in links too."""
    return f"{run_id}-{name}-{quantize}"


def request(run: Run, name: str, quantize: str) -> Request:
    """An export of this run.

    Raises:
        ConfigError: There is no such format or quantisation.
    """
    catalogue.get(name, quantize)
    output = files.export(run.id, name, quantize) / title(run, name, quantize)
    options = ("--format", name, "--quantize", quantize, "--zip")
    words = ("export", run.id, *options, "--output", str(output))
    return Request("export", key(run.id, name, quantize), words, run=run.id)


def make_room(run_id: str, name: str, quantize: str) -> None:
    """Removes the export that was made of this run before, or a part of it."""
    shutil.rmtree(files.export(run_id, name, quantize), ignore_errors=True)


def title(run: Run, name: str, quantize: str) -> str:
    """What the zip and the folder in it are called: what is in them, of which run."""
    parts = [
        names.title(run.dataset)[:_LONGEST],
        run.config.backbone,
        name,
        quantize,
        run.id,
    ]
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
