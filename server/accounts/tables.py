"""Sessions and calendar links in the database; the table of accounts is the gateway's."""

import sqlalchemy as sa

from gateway.database.tables import metadata

session = sa.Table(
    "session",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),  # SHA-256: a stolen file opens no session
    sa.Column("account", sa.Text, nullable=False, index=True),
    sa.Column("created", sa.Float, nullable=False),  # real Unix s, even where the clock runs fast
    sa.Column("seen", sa.Float, nullable=False),
)

calendar_link = sa.Table(
    "calendar_link",
    metadata,
    sa.Column("account", sa.Text, primary_key=True),
    sa.Column("token_hash", sa.Text, nullable=False, unique=True),  # SHA-256, as for a session
)
