"""``noria rebuild watch``: deletes what the watch derived and keeps what people did."""

import sqlalchemy as sa

from gateway.database.engine import next_version, serialise
from gateway.database.tables import incident, incident_step, judgement, tank_event, tank_now
from gateway.projections import cursor
from gateway.projections.watch.projection import NAME
from gateway.projections.watch.rows import REBUILT

_DERIVED = ("opened", "updated", "closed")


def reset(connection: sa.Connection, now: float) -> None:
    """Restart the watch at the journal's first entry, at ``now`` (Unix s).

    Incidents without an alert or an action of a person are deleted; the replay opens them again.
    The others keep claims and history and are closed as ``rebuilt`` until the replay reaches
    them, or for good when the rules no longer find them. No message is sent twice.
    """
    serialise(connection)
    cursor.reset(connection, NAME)
    connection.execute(sa.delete(tank_now))
    connection.execute(sa.delete(tank_event))
    connection.execute(sa.delete(judgement))
    connection.execute(sa.delete(incident_step).where(incident_step.c.what.in_(_DERIVED)))
    touched = sa.select(incident_step.c.incident)
    connection.execute(sa.delete(incident).where(incident.c.id.not_in(touched)))
    connection.execute(
        sa.update(incident)
        .where(incident.c.closed.is_(None))
        .values(closed=now, closed_why=REBUILT, version=next_version(connection))
    )
