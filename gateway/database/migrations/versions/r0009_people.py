"""Alerts to persons: contacts, shifts, snoozes, and who was notified."""

from alembic import op

revision = "0009"
down_revision = "0008"

_TABLES = (
    """CREATE TABLE listening (account TEXT NOT NULL PRIMARY KEY, language TEXT NOT NULL,
        sites JSON NOT NULL, "groups" JSON NOT NULL, quiet_from INTEGER, quiet_until INTEGER,
        per_hour INTEGER NOT NULL)""",
    """CREATE TABLE contact (id TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL,
        service TEXT NOT NULL, sealed TEXT NOT NULL, tag TEXT NOT NULL, ending TEXT NOT NULL,
        rank INTEGER NOT NULL, code_tag TEXT, code_until FLOAT, code_tries INTEGER NOT NULL,
        verified FLOAT)""",
    "CREATE INDEX ix_contact_account ON contact (account)",
    "CREATE INDEX ix_contact_tag ON contact (tag)",
    """CREATE TABLE snooze (account TEXT NOT NULL, tank TEXT NOT NULL, until FLOAT NOT NULL,
        PRIMARY KEY (account, tank))""",
    """CREATE TABLE shift (id TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL,
        weekdays JSON NOT NULL, start INTEGER NOT NULL, minutes INTEGER NOT NULL,
        since TEXT NOT NULL, until TEXT, site TEXT)""",
    """CREATE TABLE shift_swap (shift TEXT NOT NULL, day TEXT NOT NULL, account TEXT,
        changed_by TEXT, before TEXT, PRIMARY KEY (shift, day))""",
    """CREATE TABLE calendar_link (account TEXT NOT NULL PRIMARY KEY, token_hash TEXT NOT NULL,
        UNIQUE (token_hash))""",
    """CREATE TABLE dispatch (incident TEXT NOT NULL PRIMARY KEY, "group" TEXT NOT NULL,
        tier INTEGER NOT NULL, due FLOAT, notified JSON NOT NULL, claim_version INTEGER NOT NULL,
        claimed_by TEXT, change_number INTEGER NOT NULL, change JSON NOT NULL)""",
    "CREATE INDEX ix_dispatch_due ON dispatch (due)",
    """CREATE TABLE contact_key (id INTEGER NOT NULL PRIMARY KEY, salt TEXT NOT NULL,
        sealed TEXT NOT NULL)""",
)
_NOTICE = """CREATE TABLE notice (id {serial}, incident TEXT NOT NULL,
    change_number INTEGER NOT NULL, round INTEGER NOT NULL, account TEXT NOT NULL,
    "group" TEXT NOT NULL, made FLOAT NOT NULL, due FLOAT NOT NULL, contact TEXT,
    attempts INTEGER NOT NULL, sent FLOAT, given_up FLOAT, error TEXT, held TEXT,
    change JSON NOT NULL, UNIQUE (incident, change_number, round, account))"""


def upgrade() -> None:
    """Create the tables."""
    for table in _TABLES:
        op.execute(table)
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    serial = "INTEGER NOT NULL PRIMARY KEY" if is_sqlite else "SERIAL PRIMARY KEY"
    op.execute(_NOTICE.format(serial=serial))
    for column in ("incident", "account", "due"):
        op.execute(f"CREATE INDEX ix_notice_{column} ON notice ({column})")
