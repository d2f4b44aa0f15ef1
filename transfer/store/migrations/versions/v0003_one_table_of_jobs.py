"""A run is one kind of job; what earlier versions kept in folders has rows too."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

from transfer import workspace

revision = "0003"
down_revision = "0002"

#: Kinds by what the name of a folder began with, and states by their names of then.
_KINDS = {
    "rank": "rank",
    "sweep": "depths",
    "rates": "rates",
    "evaluate": "evaluate",
    "export": "export",
}
_STATES = {"done": "completed", "failed": "failed", "cancelled": "stopped"}
_WORDS = ("id", "kind", "subject", "status", "name", "dataset", "revision")
_JSON = ("settings", "progress", "result", "error")
_COLUMNS = [
    *(sa.column(name, sa.String) for name in _WORDS),
    *(sa.column(name, sa.JSON) for name in _JSON),
    *(sa.column(name, sa.Float) for name in ("created_at", "ended_at")),
    sa.column("priority", sa.Integer),
]


def upgrade() -> None:
    """Renames the table, adds what other kinds need, takes in what was finished."""
    op.rename_table("runs", "jobs")
    op.execute("ALTER TABLE jobs RENAME COLUMN config TO settings")
    kind = sa.Column("kind", sa.String(16), nullable=False, server_default="run")
    subject = sa.Column("subject", sa.String, nullable=False, server_default="")
    priority = sa.Column("priority", sa.Integer, nullable=False, server_default="0")
    for column in (kind, subject, sa.Column("owner", sa.String), priority):
        op.add_column("jobs", column)
    op.execute("UPDATE jobs SET subject = dataset")
    op.create_index("jobs_by_status", "jobs", ["status", "priority", "created_at"])
    op.create_index("jobs_of_subject", "jobs", ["kind", "subject", "created_at"])
    op.create_index("jobs_of_kind", "jobs", ["kind", "created_at"])
    if rows := [*_read_ended(), *_read_details()]:
        op.bulk_insert(sa.table("jobs", *_COLUMNS), rows)


def _read_ended() -> Iterator[dict[str, Any]]:
    """Jobs whose folder says how they ended."""
    for file in sorted(workspace.home().glob("jobs/*/status.json")):
        prefix, _, subject = file.parent.name.partition("-")
        try:
            said = json.loads(file.read_bytes())
            status, kind = _STATES[said["state"]], _KINDS[prefix]
        except (OSError, ValueError, KeyError, TypeError):  # it is none of ours
            continue
        came_of_it = {
            name: said.get(name) or {} for name in ("progress", "result", "error")
        }
        yield _row(file, kind, subject, status, **came_of_it)


def _read_details() -> Iterator[dict[str, Any]]:
    """Runs that were still to be given their details: spoilt pictures and the map."""
    for file in sorted(workspace.home().glob("details/[!.]*")):
        words = {"words": ["evaluate", file.name, "--split", "val"]}
        row = _row(file, "evaluate", f"{file.name}-val", "queued", settings=words)
        yield row | {"priority": -1, "ended_at": None}


def _row(
    file: Path, kind: str, subject: str, status: str, **values: dict[str, Any]
) -> dict[str, Any]:
    when = file.stat().st_mtime
    return {
        "id": secrets.token_hex(4),
        "kind": kind,
        "subject": subject,
        "status": status,
        "priority": 0,
        "created_at": when,
        "ended_at": when,
        **{"settings": {}, "progress": {}, "result": {}, "error": {}},
        **{"name": "", "dataset": "", "revision": ""},
        **values,
    }
