"""Tokens with which people's programs ask the server."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(8), primary_key=True),
        sa.Column("person", sa.String(8), nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False, unique=True),
        sa.Column("may_change", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("used_at", sa.Float),
        sa.Column("expires_at", sa.Float, nullable=False),
    )
