"""Keep which port and CAs of the broker each device was given, and which it holds."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table."""
    op.execute(
        "CREATE TABLE broker_trust (device TEXT NOT NULL PRIMARY KEY, port INTEGER NOT NULL, "
        "ca TEXT NOT NULL, name TEXT NOT NULL, held TEXT NOT NULL, held_n INTEGER NOT NULL)"
    )
