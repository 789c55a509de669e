"""Keep the newest fault of each part that a device reports of itself."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table."""
    op.execute(
        "CREATE TABLE device_fault (device TEXT NOT NULL, part TEXT NOT NULL, code TEXT NOT NULL, "
        "times INTEGER NOT NULL, at FLOAT NOT NULL, era TEXT NOT NULL, boot INTEGER NOT NULL, "
        "seq INTEGER NOT NULL, item INTEGER NOT NULL, PRIMARY KEY (device, part))"
    )
