"""The machines that do jobs, and what they have."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "machines",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("identity", sa.String, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("cores", sa.Integer, nullable=False),
        sa.Column("memory", sa.Float, nullable=False),
        sa.Column("gpus", sa.Float, nullable=False),
        sa.Column("slots", sa.Integer, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
    )
