"""How much of what costs somebody has used lately, of all servers together."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Adds the table."""
    op.create_table(
        "tallies",
        sa.Column("what", sa.String(16), primary_key=True),
        sa.Column("who", sa.String, primary_key=True),
        sa.Column("until", sa.Float, nullable=False),
    )
