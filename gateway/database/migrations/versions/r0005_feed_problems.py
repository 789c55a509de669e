"""Keep what is wrong with the messages of third-party sensors, for status and health."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the table."""
    op.execute(
        "CREATE TABLE feed_problem (gateway TEXT NOT NULL, device TEXT NOT NULL, "
        "number INTEGER NOT NULL, reason TEXT NOT NULL, lasts BOOLEAN NOT NULL, "
        "PRIMARY KEY (gateway, device))"
    )
