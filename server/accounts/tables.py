"""Accounts and sessions in the relational database. No e-mail, no phone number, no address."""

import sqlalchemy as sa

from gateway.database.tables import metadata

account = sa.Table(
    "account",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),  # random: all that incidents and facts carry
    sa.Column("name", sa.Text, nullable=False),  # what others see, for example "Van 2"
    sa.Column("login", sa.Text, nullable=False, unique=True),
    sa.Column("role", sa.Text, nullable=False),  # volunteer or coordinator
    sa.Column("password", sa.Text, nullable=False),  # argon2id, with its parameters
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("disabled", sa.Float),
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("token_hash", sa.Text, primary_key=True),  # SHA-256: a stolen file opens no door
    sa.Column("account", sa.Text, nullable=False, index=True),
    sa.Column("created", sa.Float, nullable=False),  # real Unix s, also where time runs fast
    sa.Column("seen", sa.Float, nullable=False),
)
