"""Keep every judgement of an incident, and the bounds of a tank's events.

Of an incident that is older than this only the newest judgement is known.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

_STATEMENTS = """
CREATE TABLE judgement (
    incident TEXT NOT NULL, number INTEGER NOT NULL, time FLOAT NOT NULL, change TEXT NOT NULL,
    kind TEXT NOT NULL, probability FLOAT NOT NULL, causes JSON NOT NULL, because JSON NOT NULL,
    figures JSON NOT NULL, PRIMARY KEY (incident, number)
);
INSERT INTO judgement
    (incident, number, time, change, kind, probability, causes, because, figures)
    SELECT id, change_number, updated,
        CASE WHEN closed_why IS NOT NULL AND closed <= updated THEN 'closed'
             WHEN change_number = 1 THEN 'opened' ELSE 'updated' END,
        kind, probability, causes, because, figures
    FROM incident;
ALTER TABLE tank_event ADD COLUMN least_l FLOAT;
ALTER TABLE tank_event ADD COLUMN most_l FLOAT
"""


def upgrade() -> None:
    """Create the table of judgements with what is known, and the columns of bounds."""
    for statement in _STATEMENTS.split(";"):
        op.execute(statement)
