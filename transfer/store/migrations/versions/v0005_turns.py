"""What somebody's last jobs were: whose turn it is, how long they have worked."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds the index."""
    op.create_index("jobs_of_owner", "jobs", ["owner", "kind", "started_at"])
