"""Create the tables that gateways share in PostgreSQL, unless version 0.1.0 did."""

from functools import partial

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

create_table = partial(op.create_table, if_not_exists=True)
create_index = partial(op.create_index, if_not_exists=True)


def upgrade() -> None:
    """Create the tables that are missing, and their first rows."""
    if op.get_bind().dialect.name != "postgresql":
        return
    create_table(
        "shared_entry",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.Float(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", postgresql.BYTEA(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("verdict", sa.Text()),
        sa.Column("flag", sa.Text()),
        sa.Column("auth", sa.Text()),
        sa.Column("newest", sa.Boolean(), nullable=False),
        sa.Column("era", sa.Text()),
        sa.Column("boot", sa.BigInteger()),
        sa.Column("seq", sa.BigInteger()),
        sa.Column("hash", postgresql.BYTEA()),
        sa.Column("prev", sa.Text()),
        sa.Column("fact", sa.Text()),
        sa.PrimaryKeyConstraint("gateway", "entry"),
        sa.UniqueConstraint("fact"),
    )
    create_index(
        "shared_identity",
        "shared_entry",
        ["subject", "era", "boot", "seq"],
        postgresql_where=sa.text("era IS NOT NULL"),
    )
    create_index(
        "shared_object",
        "shared_entry",
        ["hash", "subject"],
        unique=True,
        postgresql_where=sa.text("hash IS NOT NULL"),
    )
    create_index(
        "shared_prev",
        "shared_entry",
        ["subject", "prev"],
        postgresql_where=sa.text("prev IS NOT NULL"),
    )
    create_index(
        "shared_unlinked",
        "shared_entry",
        ["subject"],
        postgresql_where=sa.text("hash IS NOT NULL AND prev IS NULL AND era IS NOT NULL"),
    )
    create_table(
        "shared_era",
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("era", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("newest_boot", sa.BigInteger(), nullable=False),
        sa.Column("newest_seq", sa.BigInteger(), nullable=False),
        sa.Column("line_boot", sa.BigInteger(), nullable=False),
        sa.Column("line_seq", sa.BigInteger(), nullable=False),
        sa.Column("line_h", sa.Text(), nullable=False),
        sa.Column("old_boot", sa.BigInteger(), nullable=False),
        sa.Column("old_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "era"),
    )
    create_index("ix_shared_era_version", "shared_era", ["version"])
    create_table(
        "shared_head",
        sa.Column("one", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("one"),
    )
    create_table(
        "shared_holder",
        sa.Column("one", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("one"),
    )
    create_table(
        "shared_horizon",
        sa.Column("one", sa.Integer(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("hears", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("one"),
    )
    create_table(
        "shared_member",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("since", sa.Float()),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("gateway"),
    )
    create_table(
        "shared_merged",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gateway"),
    )
    create_table(
        "shared_place",
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("place"),
        sa.UniqueConstraint("gateway", "entry"),
    )
    create_table(
        "shared_segment",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", postgresql.BYTEA(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("pruned", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "first"),
    )
    op.execute(
        "INSERT INTO shared_head (one, version, counts) VALUES (1, 0, '{}') ON CONFLICT DO NOTHING"
    )
    op.execute(
        "INSERT INTO shared_holder (one, epoch, gateway, beat) VALUES (1, 0, '', 0) "
        "ON CONFLICT DO NOTHING"
    )
