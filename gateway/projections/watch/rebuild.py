"""``noria rebuild watch``: everything the watch derived goes; what people did stays."""

import sqlalchemy as sa

from gateway.database.engine import next_version, serialise
from gateway.database.tables import incident, incident_step, tank_event, tank_now
from gateway.projections import cursor
from gateway.projections.watch.projection import NAME
from gateway.projections.watch.rows import REBUILT

_DERIVED = ("opened", "updated", "closed")


def reset(connection: sa.Connection, now: float) -> None:
    """Begin the watch again from the journal's first entry, at ``now`` (Unix s).

    Incidents that nobody was told of or acted on are removed and come again. The others keep
    claims and history, stand closed as ``rebuilt`` until the journal's replay reaches them, and
    stay so where the rules no longer find them. Messages are never sent twice.
    """
    serialise(connection)
    cursor.reset(connection, NAME)
    connection.execute(sa.delete(tank_now))
    connection.execute(sa.delete(tank_event))
    connection.execute(sa.delete(incident_step).where(incident_step.c.what.in_(_DERIVED)))
    touched = sa.select(incident_step.c.incident)
    connection.execute(sa.delete(incident).where(incident.c.id.not_in(touched)))
    connection.execute(
        sa.update(incident)
        .where(incident.c.closed.is_(None))
        .values(closed=now, closed_why=REBUILT, version=next_version(connection))
    )
