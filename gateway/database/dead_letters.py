"""What a projection or a store could not use: kept with its reason, so that the line goes on."""

import sqlalchemy as sa

from gateway.database.tables import metadata

set_aside = sa.Table(
    "set_aside",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),  # a projection's name
    sa.Column("what", sa.Text, nullable=False),  # "entry 17", or a line of line protocol
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("time", sa.Float, nullable=False),  # of this gateway, Unix s
    sa.UniqueConstraint("source", "what"),
)


def put(connection: sa.Connection, source: str, what: str, reason: str, now: float) -> None:
    """Keep ``what`` and why it could not be used; once, however often it is tried again."""
    same = sa.and_(set_aside.c.source == source, set_aside.c.what == what)
    done = connection.execute(set_aside.update().where(same).values(reason=reason, time=now))
    if done.rowcount == 0:
        connection.execute(
            set_aside.insert().values(source=source, what=what, reason=reason, time=now)
        )


def forget(connection: sa.Connection, source: str) -> None:
    """Forget what ``source`` set aside, before it is rebuilt."""
    connection.execute(set_aside.delete().where(set_aside.c.source == source))


def counts(connection: sa.Connection) -> dict[str, int]:
    """How many things each source has set aside."""
    rows = connection.execute(
        sa.select(set_aside.c.source, sa.func.count().label("number")).group_by(set_aside.c.source)
    )
    return {row.source: row.number for row in rows}
