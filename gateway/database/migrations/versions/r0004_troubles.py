"""Keep what a projection waits for, for status and health."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table."""
    op.execute(
        "CREATE TABLE trouble "
        "(source TEXT NOT NULL PRIMARY KEY, reason TEXT NOT NULL, since FLOAT NOT NULL)"
    )
