"""Exports that run in a process of their own, and what is known of them.

What a page shows is read from files below `runs/RUN/exports`, so that a reload, another
tab or a restarted server sees the same.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from transfer import workspace
from transfer.errors import NotFoundError
from transfer.export import choices
from transfer.runs import launch

_starting = threading.Lock()
_KEY = re.compile(r"([0-9a-f]{8})-([a-z]+)-([a-z0-9]+)", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Export:
    """What is known of one export of a run.

    Attributes:
        key: Names it, in links too.
        state: `none` was ever started, it is `running`, `done` or `failed`.
        says: What it does now, or why it failed.
        answer: What the command printed once it is done, else empty.
    """

    key: str
    state: Literal["none", "running", "done", "failed"]
    says: str = ""
    answer: dict[str, Any]


def key(run_id: str, name: str, quantize: str) -> str:
    """Names one export."""
    return f"{run_id}-{name}-{quantize}"


def start(run_id: str, name: str, quantize: str) -> "subprocess.Popen[bytes] | None":
    """The process of an export, which outlives this one; an older export gives way.

    `None` where the same export runs already.

    Raises:
        ConfigError: There is no such format or quantisation.
        OSError: The system cannot start another process.
        StorageError: The workspace cannot be written.
    """
    choices.get(name, quantize)
    with _starting:  # two visitors may ask for the same at once
        if state(run_id, name, quantize).state == "running":
            return None
        return _start(run_id, name, quantize)


def _start(run_id: str, name: str, quantize: str) -> "subprocess.Popen[bytes]":
    folder = _folder(run_id, name, quantize)
    with workspace.writing(folder):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with (
            (folder / "answer.json").open("wb") as answer,
            (folder / "log.txt").open("wb") as log,
        ):
            process = _started(run_id, name, quantize, folder, answer, log)
    noted = {"pid": process.pid, "started_at": _started_at(process.pid)}
    workspace.write_atomically(folder / "process.json", json.dumps(noted).encode())
    return process


def state(run_id: str, name: str, quantize: str) -> Export:
    """What is known of an export now."""
    folder, named = _folder(run_id, name, quantize), key(run_id, name, quantize)
    try:
        noted = json.loads((folder / "process.json").read_bytes())
    except (OSError, ValueError):
        return Export(key=named, state="none", answer={})
    answer = _read(folder / "answer.json")
    if "parity" in answer and archive_path(folder).is_file():
        return Export(key=named, state="done", answer=answer)
    last = _last_line(folder / "log.txt")
    if not answer and _lives(noted):
        return Export(key=named, state="running", says=last, answer={})
    error = answer.get("error", {})
    told = f"{error.get('message', '')} {error.get('hint', '')}".strip()
    return Export(
        key=named,
        state="failed",
        says=told or f"The export ended before it was done. {last}".strip(),
        answer={},
    )


def archive(named: str) -> Path:
    """The finished zip of the export of this key.

    Raises:
        NotFoundError: There is none.
    """
    parts = _KEY.fullmatch(named)
    path = archive_path(_folder(*parts.groups())) if parts else None
    if path is None or not path.is_file():
        raise NotFoundError("There is no such export.", "Export the run again.")
    return path


def archive_path(folder: Path) -> Path:
    """Where the zip of an export lies once it is done."""
    return folder / f"{folder.parents[1].name}-{folder.name}.zip"


def _folder(run_id: str, name: str, quantize: str) -> Path:
    return workspace.home() / "runs" / run_id / "exports" / f"{name}-{quantize}"


def _started(
    run_id: str, name: str, quantize: str, folder: Path, answer: Any, log: Any
) -> "subprocess.Popen[bytes]":
    options = ["--format", name, "--quantize", quantize, "--zip", "--json"]
    return subprocess.Popen(  # noqa: S603  our own module
        [sys.executable, "-m", "transfer", "export", run_id, *options]
        + ["--output", str(archive_path(folder).with_suffix(""))],
        stdin=subprocess.DEVNULL,
        stdout=answer,
        stderr=log,
        env=launch.environment(),
        start_new_session=True,  # Ctrl-C at the server's terminal is not for it.
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )


def _started_at(pid: int) -> float | None:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def _lives(noted: dict[str, Any]) -> bool:
    """Whether that very process still runs; one that has ended may wait to be read."""
    try:
        process = psutil.Process(noted["pid"])
        # Not to the digit: setting the clock moves it.
        same = bool(abs(process.create_time() - noted["started_at"]) < 1.0)
        if process.status() != psutil.STATUS_ZOMBIE:
            return same
        if same and process.ppid() == os.getpid():
            os.waitpid(noted["pid"], os.WNOHANG)
    except (psutil.Error, KeyError, TypeError, OSError):
        pass
    return False


def _read(path: Path) -> dict[str, Any]:
    """The last line of the file as JSON; libraries may print before it."""
    try:
        return dict(json.loads(path.read_text("utf-8").strip().splitlines()[-1]))
    except (OSError, ValueError, IndexError, TypeError):
        return {}


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1][:300] if lines else ""
