"""Runs carry a note and tags."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds the columns `note` and `tags`, empty for the runs that are there."""
    op.add_column(
        "runs", sa.Column("note", sa.String, nullable=False, server_default="")
    )
    op.add_column(
        "runs", sa.Column("tags", sa.JSON, nullable=False, server_default="[]")
    )
