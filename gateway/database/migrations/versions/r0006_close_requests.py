"""A volunteer's closing of a theft waits for a second person: who asked, when and why."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns."""
    for column in ("closing_by TEXT", "closing_at FLOAT", "closing_why TEXT"):
        op.execute(f"ALTER TABLE incident ADD COLUMN {column}")
