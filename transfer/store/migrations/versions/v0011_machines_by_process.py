"""Several processes of one machine may do jobs: each says that it is there."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Makes the table anew: who is there says so again within seconds."""
    op.drop_table("machines")
    op.create_table(
        "machines",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("identity", sa.String, primary_key=True),
        sa.Column("process", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("cores", sa.Integer, nullable=False),
        sa.Column("memory", sa.Float, nullable=False),
        sa.Column("gpus", sa.Float, nullable=False),
        sa.Column("slots", sa.Integer, nullable=False),
        sa.Column("seen_at", sa.Float, nullable=False),
    )
