"""Who was seen where, what was handed out and in, and how far the first lesson is."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Adds the tables of a class."""
    op.create_table(
        "presence",
        sa.Column("person", sa.String(8), primary_key=True),
        sa.Column("page", sa.String(16), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_table(
        "handouts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("by", sa.String(8), nullable=False),
        sa.Column("dataset", sa.String, nullable=False),
        sa.Column("settings", sa.JSON, nullable=False),
        sa.Column("says", sa.String, nullable=False),
    )
    op.create_table(
        "hand_ins",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("person", sa.String(8), nullable=False),
        sa.Column("run", sa.String(8), nullable=False),
        sa.Column("called", sa.String, nullable=False),
        sa.Column("revision", sa.String, nullable=False),
        sa.Column("accuracy", sa.Float),
        sa.Column("low", sa.Float),
        sa.Column("high", sa.Float),
    )
    op.create_table(
        "lesson",
        sa.Column("person", sa.String(8), primary_key=True),
        sa.Column("step", sa.String(16), primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("how", sa.String(8), nullable=False),
    )
