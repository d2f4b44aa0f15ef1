"""The tables of the store."""

import sqlalchemy as sa
from sqlalchemy import Column, Float, ForeignKey, Index, Integer, String

metadata = sa.MetaData()

jobs = sa.Table(
    "jobs",
    metadata,
    Column("id", String(8), primary_key=True),
    Column("kind", String(16), nullable=False, server_default="run"),
    # What the job is about, so that a page finds it again.
    Column("subject", String, nullable=False, server_default=""),
    Column("owner", String),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("status", String(16), nullable=False),
    Column("settings", sa.JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    Column("heartbeat_at", Float),
    Column("host", String),
    Column("pid", Integer),
    Column("pid_started_at", Float),
    Column("stop_requested_at", Float),
    Column("progress", sa.JSON, nullable=False),
    Column("result", sa.JSON, nullable=False),
    Column("error", sa.JSON, nullable=False),
    # Only runs have these.
    Column("name", String, nullable=False),
    Column("dataset", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("note", String, nullable=False, server_default=""),
    Column("tags", sa.JSON, nullable=False, server_default="[]"),
    Column("sharing", String(8), nullable=False, server_default="private"),
    # Of a job that is no run and is about one.
    Column("run", String(8), nullable=False, server_default=""),
    # What it went into the trash with; empty for what is not there.
    Column("trash", String(8), nullable=False, server_default=""),
    # What waits or works, three times a second; few of thousands.
    Index("jobs_by_status", "status", "priority", "created_at"),
    Index("jobs_of_subject", "kind", "subject", "created_at"),
    Index("jobs_of_kind", "kind", "created_at"),
    Index("jobs_of_owner", "owner", "kind", "started_at"),
)

metrics = sa.Table(
    "metrics",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("phase", String, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("step", Integer),
    Column("name", String, nullable=False),
    Column("value", Float),
    Column("at", Float, nullable=False),
    Index("metrics_of_run", "run_id", "id"),
    # Ids that are never used again: a reader that asks for what is newer than the last
    # it saw must not miss values after the newest run was deleted.
    sqlite_autoincrement=True,
)

people = sa.Table(
    "people",
    metadata,
    Column("id", String(8), primary_key=True),
    # Who it is to whom signs in: the name in one form, or what a provider says.
    Column("subject", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("role", String(16), nullable=False),
    # Salted hash of the short code by which somebody comes back under a name.
    Column("code", String, nullable=False, server_default=""),
    # Sessions with a mark up to this one were signed out.
    Column("ended", Integer, nullable=False, server_default="0"),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
)

#: Who a dataset belongs to; one without a row belongs to nobody.
datasets = sa.Table(
    "datasets",
    metadata,
    Column("name", String, primary_key=True),
    Column("owner", String),
    Column("sharing", String(8), nullable=False, server_default="private"),
)

#: What was deleted and can be restored; of what a job is, the rows of `jobs` stay.
trash = sa.Table(
    "trash",
    metadata,
    Column("id", String(8), primary_key=True),
    Column("kind", String(16), nullable=False),
    # Name of a dataset, id of a run, subject of an export.
    Column("thing", String, nullable=False),
    # What people call it.
    Column("title", String, nullable=False),
    Column("owner", String),
    Column("sharing", String(8), nullable=False, server_default="private"),
    Column("deleted_at", Float, nullable=False),
)

#: Who deleted, shared, signed in; nothing of it is ever changed.
audit = sa.Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    # The id, and the name as it was then: people may be gone.
    Column("person", String, nullable=False),
    Column("name", String, nullable=False),
    Column("action", String(16), nullable=False),
    Column("thing", String, nullable=False),
)

#: Where somebody was last, and when.
presence = sa.Table(
    "presence",
    metadata,
    Column("person", String(8), primary_key=True),
    Column("page", String(16), nullable=False),
    Column("at", Float, nullable=False),
)

#: What an instructor has handed out to all.
handouts = sa.Table(
    "handouts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("by", String(8), nullable=False),
    Column("dataset", String, nullable=False),
    # Those of a run that are not the defaults.
    Column("settings", sa.JSON, nullable=False),
    Column("says", String, nullable=False),
)

#: Runs that were judged by the hidden test set; they outlive the runs.
hand_ins = sa.Table(
    "hand_ins",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("person", String(8), nullable=False),
    Column("run", String(8), nullable=False),
    # What the run was called.
    Column("called", String, nullable=False),
    # Of the hidden test set.
    Column("revision", String, nullable=False),
    # None until it was judged.
    Column("accuracy", Float),
    Column("low", Float),
    Column("high", Float),
)

#: Who does jobs, or did a moment ago: a row for each process that says so.
machines = sa.Table(
    "machines",
    metadata,
    Column("name", String, primary_key=True),
    # Tells it from another one that is called the same.
    Column("identity", String, primary_key=True),
    # Its number on the machine that says so.
    Column("process", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(8), nullable=False),
    Column("cores", Integer, nullable=False),
    Column("memory", Float, nullable=False),
    Column("gpus", Float, nullable=False),
    # Heavy jobs at once.
    Column("slots", Integer, nullable=False),
    Column("seen_at", Float, nullable=False),
)

#: Which steps of the first lesson somebody has done or skipped.
lesson = sa.Table(
    "lesson",
    metadata,
    Column("person", String(8), primary_key=True),
    Column("step", String(16), primary_key=True),
    Column("at", Float, nullable=False),
    Column("how", String(8), nullable=False),
)

#: With which programs of people ask the server; of each only its hash.
tokens = sa.Table(
    "tokens",
    metadata,
    Column("id", String(8), primary_key=True),
    Column("person", String(8), nullable=False),
    Column("name", String, nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("may_change", sa.Boolean, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("used_at", Float),
    Column("expires_at", Float, nullable=False),
)

#: How much of what costs somebody has used lately; see `tallies.Tallies`.
tallies = sa.Table(
    "tallies",
    metadata,
    Column("what", String(16), primary_key=True),
    # Id of a person, or an address.
    Column("who", String, primary_key=True),
    # When all of it will have drained away; in seconds since 1970.
    Column("until", Float, nullable=False),
)

#: Alembic's own: which migration was the last.
alembic_version = sa.Table(
    "alembic_version", metadata, Column("version_num", String(32), primary_key=True)
)
