"""Items that a projection or a store cannot process, kept with the reason; the others continue."""

from collections import Counter
from typing import NamedTuple

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

_ENTRY = "entry "
_PUT = sa.text(
    "INSERT INTO set_aside (source, what, reason, time) VALUES (:source, :what, :reason, :time) "
    "ON CONFLICT (source, what) DO UPDATE SET reason = excluded.reason, time = excluded.time"
)


def put(connection: sa.Connection, source: str, what: int | str, reason: str, now: float) -> None:
    """Keep ``what``, a journal entry's id or a line, with the newest reason and the time (Unix s).

    An item that fails again still has one row.
    """
    name = f"{_ENTRY}{what}" if isinstance(what, int) else what
    connection.execute(_PUT, {"source": source, "what": name, "reason": reason, "time": now})


def entries(connection: sa.Connection, source: str) -> set[int]:
    """The ids of the journal entries that ``source`` keeps."""
    query = sa.select(set_aside.c.what).where(set_aside.c.source == source)
    found = connection.execute(query.where(set_aside.c.what.like(f"{_ENTRY}%"))).scalars()
    return {int(what.removeprefix(_ENTRY)) for what in found}


def forget_after(connection: sa.Connection, source: str, entry: int) -> None:
    """Delete the journal entries past ``entry``: they are tried again."""
    for number in sorted(n for n in entries(connection, source) if n > entry):
        where = (set_aside.c.source == source) & (set_aside.c.what == f"{_ENTRY}{number}")
        connection.execute(set_aside.delete().where(where))


def forget(connection: sa.Connection, source: str) -> None:
    """Delete the rows of ``source``, before it is rebuilt."""
    connection.execute(set_aside.delete().where(set_aside.c.source == source))


class Kept(NamedTuple):
    """How many items a source has set aside, and the reason for the newest."""

    number: int
    reason: str


def newest(connection: sa.Connection) -> dict[str, Kept]:
    """The number and the newest reason, by source."""
    rows = connection.execute(
        sa.select(set_aside.c.source, set_aside.c.reason).order_by(set_aside.c.time)
    ).all()
    numbers = Counter(row.source for row in rows)
    return {row.source: Kept(numbers[row.source], row.reason) for row in rows}
