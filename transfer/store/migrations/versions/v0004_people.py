"""People, what is whose and who may see it, and who deleted, shared, signed in."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Adds the tables; what is there belongs to nobody and stays private."""
    op.create_table(
        "people",
        sa.Column("id", sa.String(8), primary_key=True),
        sa.Column("subject", sa.String, nullable=False, unique=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("code", sa.String, nullable=False, server_default=""),
        sa.Column("ended", sa.Integer, nullable=False, server_default="0"),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float),
    )
    op.create_table(
        "datasets",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("owner", sa.String),
        _sharing(),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("person", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("thing", sa.String, nullable=False),
    )
    op.add_column("jobs", _sharing())
    run = sa.Column("run", sa.String(8), nullable=False, server_default="")
    op.add_column("jobs", run)


def _sharing() -> sa.Column[str]:
    return sa.Column("sharing", sa.String(8), nullable=False, server_default="private")
