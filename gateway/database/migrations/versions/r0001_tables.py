"""Create the tables of version 0.1.0. A database of that version has some of them already."""

from alembic import op

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE IF NOT EXISTS account (
    id TEXT NOT NULL, name TEXT NOT NULL, login TEXT NOT NULL, role TEXT NOT NULL,
    password TEXT NOT NULL, created FLOAT NOT NULL, disabled FLOAT, PRIMARY KEY (id), UNIQUE (login)
);
CREATE TABLE IF NOT EXISTS desired (
    device TEXT NOT NULL, n INTEGER NOT NULL, "set" JSON NOT NULL, once JSON NOT NULL, release TEXT,
    release_n INTEGER, PRIMARY KEY (device)
);
CREATE TABLE IF NOT EXISTS desired_answer (
    device TEXT NOT NULL, n INTEGER NOT NULL, era TEXT NOT NULL, boot INTEGER NOT NULL,
    seq INTEGER NOT NULL, ok BOOLEAN NOT NULL, code TEXT NOT NULL, received FLOAT NOT NULL,
    PRIMARY KEY (device)
);
CREATE TABLE IF NOT EXISTS device_oddity (
    gateway TEXT NOT NULL, device TEXT NOT NULL, what TEXT NOT NULL, count INTEGER NOT NULL,
    last INTEGER NOT NULL, PRIMARY KEY (gateway, device, what)
);
CREATE TABLE IF NOT EXISTS fact (
    id {id}, "key" TEXT NOT NULL, time FLOAT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
    lines JSON NOT NULL, body JSON NOT NULL, entry_id BIGINT, UNIQUE ("key")
);
CREATE INDEX IF NOT EXISTS ix_fact_entry_id ON fact (entry_id);
CREATE TABLE IF NOT EXISTS feeds_now (
    gateway TEXT NOT NULL, broker TEXT NOT NULL, connected BOOLEAN NOT NULL,
    PRIMARY KEY (gateway, broker)
);
CREATE TABLE IF NOT EXISTS gateway_now (
    gateway TEXT NOT NULL, pid INTEGER NOT NULL, renewed FLOAT NOT NULL, connected BOOLEAN NOT NULL,
    broker TEXT NOT NULL, PRIMARY KEY (gateway)
);
CREATE TABLE IF NOT EXISTS incident (
    id TEXT NOT NULL, version BIGINT NOT NULL, change_number INTEGER NOT NULL, kind TEXT NOT NULL,
    tank TEXT, uplink TEXT, at FLOAT NOT NULL, opened FLOAT NOT NULL, updated FLOAT NOT NULL,
    closed FLOAT, closed_why TEXT, probability FLOAT NOT NULL, causes JSON NOT NULL,
    because JSON NOT NULL, figures JSON NOT NULL, auth TEXT NOT NULL, learned_late BOOLEAN NOT NULL,
    claimed_by TEXT, claimed_at FLOAT, claim_eta FLOAT, claim_version INTEGER NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS ix_incident_closed ON incident (closed);
CREATE INDEX IF NOT EXISTS ix_incident_tank ON incident (tank);
CREATE INDEX IF NOT EXISTS ix_incident_version ON incident (version);
CREATE TABLE IF NOT EXISTS incident_step (
    id {id}, incident TEXT NOT NULL, time FLOAT NOT NULL, what TEXT NOT NULL, person TEXT,
    data JSON NOT NULL
);
CREATE INDEX IF NOT EXISTS ix_incident_step_incident ON incident_step (incident);
CREATE TABLE IF NOT EXISTS outbox (
    id {id}, incident TEXT NOT NULL, change_number INTEGER NOT NULL, channel TEXT NOT NULL,
    made FLOAT NOT NULL, due FLOAT NOT NULL, attempts INTEGER NOT NULL, sent FLOAT, given_up FLOAT,
    error TEXT, change JSON NOT NULL, UNIQUE (incident, change_number, channel)
);
CREATE INDEX IF NOT EXISTS ix_outbox_due ON outbox (due);
CREATE TABLE IF NOT EXISTS parts_at_broker (
    device TEXT NOT NULL, release TEXT NOT NULL, PRIMARY KEY (device)
);
CREATE TABLE IF NOT EXISTS planned_move (
    device TEXT NOT NULL, move_from INTEGER NOT NULL, move_to INTEGER NOT NULL, PRIMARY KEY (device)
);
CREATE TABLE IF NOT EXISTS projection (
    name TEXT NOT NULL, cursor BIGINT NOT NULL, PRIMARY KEY (name)
);
CREATE TABLE IF NOT EXISTS projection_state (
    name TEXT NOT NULL, "key" TEXT NOT NULL, value JSON NOT NULL, PRIMARY KEY (name, "key")
);
CREATE TABLE IF NOT EXISTS registry_row (
    id {kept_id}, "table" TEXT NOT NULL, name TEXT NOT NULL, since FLOAT NOT NULL,
    recorded FLOAT NOT NULL, value JSON NOT NULL
);
CREATE TABLE IF NOT EXISTS release (id TEXT NOT NULL, bundle {bytes} NOT NULL, PRIMARY KEY (id));
CREATE TABLE IF NOT EXISTS resend_after (
    device TEXT NOT NULL, era TEXT NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (device)
);
CREATE TABLE IF NOT EXISTS session (
    token_hash TEXT NOT NULL, account TEXT NOT NULL, created FLOAT NOT NULL, seen FLOAT NOT NULL,
    PRIMARY KEY (token_hash)
);
CREATE INDEX IF NOT EXISTS ix_session_account ON session (account);
CREATE TABLE IF NOT EXISTS set_aside (
    id {id}, source TEXT NOT NULL, what TEXT NOT NULL, reason TEXT NOT NULL, time FLOAT NOT NULL,
    UNIQUE (source, what)
);
CREATE TABLE IF NOT EXISTS tank_event (
    tank TEXT NOT NULL, kind TEXT NOT NULL, at FLOAT NOT NULL, until FLOAT NOT NULL, litres FLOAT,
    PRIMARY KEY (tank, kind, at)
);
CREATE TABLE IF NOT EXISTS tank_now (
    tank TEXT NOT NULL, version BIGINT NOT NULL, value JSON NOT NULL, PRIMARY KEY (tank)
);
CREATE INDEX IF NOT EXISTS ix_tank_now_version ON tank_now (version)
"""


def upgrade() -> None:
    """Create the tables that are missing."""
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    number = "SERIAL" if on_postgresql else "INTEGER"
    for statement in _TABLES.split(";"):
        op.execute(
            statement.format(
                id=f"{number} NOT NULL PRIMARY KEY",
                # An id is not used again after its row is deleted.
                kept_id=f"{number} NOT NULL PRIMARY KEY{'' if on_postgresql else ' AUTOINCREMENT'}",
                bytes="BYTEA" if on_postgresql else "BLOB",
            )
        )
