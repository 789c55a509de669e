"""Items that a projection or a store cannot process, kept with the reason; the others continue."""

import sqlalchemy as sa

from gateway.database.tables import metadata

set_aside = sa.Table(
    "set_aside",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),  # a projection's name
    sa.Column("what", sa.Text, nullable=False),  # "entry 17", or a line of line protocol
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("time", sa.Float, nullable=False),  # Unix s, this gateway's clock
    sa.UniqueConstraint("source", "what"),
)

_PUT = sa.text(
    "INSERT INTO set_aside (source, what, reason, time) VALUES (:source, :what, :reason, :time) "
    "ON CONFLICT (source, what) DO UPDATE SET reason = excluded.reason, time = excluded.time"
)


def put(connection: sa.Connection, source: str, what: str, reason: str, now: float) -> None:
    """Keep ``what`` with the newest reason; an item that fails again has still one row."""
    row = {"source": source, "what": what, "reason": reason, "time": now}
    connection.execute(_PUT, row)


def forget(connection: sa.Connection, source: str) -> None:
    """Delete the rows of ``source``, before it is rebuilt."""
    connection.execute(set_aside.delete().where(set_aside.c.source == source))


def counts(connection: sa.Connection) -> dict[str, int]:
    """The number of rows of each source."""
    rows = connection.execute(
        sa.select(set_aside.c.source, sa.func.count().label("number")).group_by(set_aside.c.source)
    )
    return {row.source: row.number for row in rows}
