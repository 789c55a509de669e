"""Create the tables that gateways share in PostgreSQL, unless version 0.1.0 did."""

from alembic import op

revision = "0002"
down_revision = "0001"

_TABLES = """
CREATE TABLE IF NOT EXISTS shared_entry (
    gateway TEXT NOT NULL, entry BIGINT NOT NULL, received FLOAT NOT NULL, kind TEXT NOT NULL,
    subject TEXT NOT NULL, body BYTEA NOT NULL, lines JSON NOT NULL, verdict TEXT, flag TEXT,
    auth TEXT, newest BOOLEAN NOT NULL, era TEXT, boot BIGINT, seq BIGINT, hash BYTEA, prev TEXT,
    fact TEXT, PRIMARY KEY (gateway, entry), UNIQUE (fact)
);
CREATE INDEX IF NOT EXISTS shared_identity ON shared_entry (subject, era, boot, seq)
    WHERE era IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS shared_object ON shared_entry (hash, subject)
    WHERE hash IS NOT NULL;
CREATE INDEX IF NOT EXISTS shared_prev ON shared_entry (subject, prev)
    WHERE prev IS NOT NULL;
CREATE INDEX IF NOT EXISTS shared_unlinked ON shared_entry (subject)
    WHERE hash IS NOT NULL AND prev IS NULL AND era IS NOT NULL;
CREATE TABLE IF NOT EXISTS shared_era (
    device TEXT NOT NULL, era TEXT NOT NULL, version BIGINT NOT NULL, newest_boot BIGINT NOT NULL,
    newest_seq BIGINT NOT NULL, line_boot BIGINT NOT NULL, line_seq BIGINT NOT NULL,
    line_h TEXT NOT NULL, old_boot BIGINT NOT NULL, old_seq BIGINT NOT NULL,
    PRIMARY KEY (device, era)
);
CREATE INDEX IF NOT EXISTS ix_shared_era_version ON shared_era (version);
CREATE TABLE IF NOT EXISTS shared_head (
    one SERIAL NOT NULL, version BIGINT NOT NULL, counts JSON NOT NULL, PRIMARY KEY (one)
);
CREATE TABLE IF NOT EXISTS shared_holder (
    one SERIAL NOT NULL, epoch BIGINT NOT NULL, gateway TEXT NOT NULL, beat BIGINT NOT NULL,
    PRIMARY KEY (one)
);
CREATE TABLE IF NOT EXISTS shared_horizon (
    one SERIAL NOT NULL, at FLOAT NOT NULL, hears BOOLEAN NOT NULL, PRIMARY KEY (one)
);
CREATE TABLE IF NOT EXISTS shared_member (
    gateway TEXT NOT NULL, log TEXT NOT NULL, entry BIGINT NOT NULL, until FLOAT NOT NULL,
    waiting BOOLEAN NOT NULL, since FLOAT, counts JSON NOT NULL, PRIMARY KEY (gateway)
);
CREATE TABLE IF NOT EXISTS shared_merged (
    gateway TEXT NOT NULL, entry BIGINT NOT NULL, PRIMARY KEY (gateway)
);
CREATE TABLE IF NOT EXISTS shared_place (
    place BIGINT NOT NULL, gateway TEXT NOT NULL, entry BIGINT NOT NULL, PRIMARY KEY (place),
    UNIQUE (gateway, entry)
);
CREATE TABLE IF NOT EXISTS shared_segment (
    gateway TEXT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, name TEXT NOT NULL,
    digest BYTEA NOT NULL, bytes BIGINT NOT NULL, pruned BIGINT NOT NULL,
    PRIMARY KEY (gateway, first)
);
INSERT INTO shared_head (one, version, counts) VALUES (1, 0, '{}') ON CONFLICT DO NOTHING;
INSERT INTO shared_holder (one, epoch, gateway, beat) VALUES (1, 0, '', 0) ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    """Create the tables that are missing, and their first rows."""
    if op.get_bind().dialect.name == "postgresql":
        for statement in _TABLES.split(";"):
            op.execute(statement)
