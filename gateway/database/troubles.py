"""What a worker of the gateway waits for, so that ``noria status`` and health can say it."""

from typing import NamedTuple

import sqlalchemy as sa

from gateway.database.engine import upsert
from gateway.database.tables import metadata

trouble = sa.Table(
    "trouble",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),  # a projection's name
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("since", sa.Float, nullable=False),  # real Unix s
)


class Trouble(NamedTuple):
    """The reason, a sentence, and since when it has been this one (real Unix s)."""

    reason: str
    since: float


def put(connection: sa.Connection, source: str, reason: str, now: float) -> None:
    """Record what ``source`` waits for; "" when it works again."""
    if reason:
        upsert(connection, trouble, [(source, reason, now)])
    else:
        connection.execute(trouble.delete().where(trouble.c.source == source))


def read(connection: sa.Connection) -> dict[str, Trouble]:
    """By source, for those that wait."""
    rows = connection.execute(sa.select(trouble)).all()
    return {row.source: Trouble(row.reason, row.since) for row in rows}
