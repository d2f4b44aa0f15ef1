"""What is deleted goes into a trash first."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Adds the table, empty, and to each job what it went into the trash with."""
    op.create_table(
        "trash",
        sa.Column("id", sa.String(8), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("thing", sa.String, nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("owner", sa.String),
        sa.Column("sharing", sa.String(8), nullable=False, server_default="private"),
        sa.Column("deleted_at", sa.Float, nullable=False),
    )
    trash = sa.Column("trash", sa.String(8), nullable=False, server_default="")
    op.add_column("jobs", trash)
