"""A tank's events as the watch recorded them: refills, draws, gaps."""

import sqlalchemy as sa

from gateway.database.tables import tank_event
from gateway.domain.outputs import TankEvent


def of_tank(connection: sa.Connection, tank: str, since: float) -> list[TankEvent]:
    """A tank's events that ended after ``since`` (Unix s), newest first."""
    query = (
        sa.select(tank_event)
        .where(tank_event.c.tank == tank, tank_event.c.until >= since)
        .order_by(tank_event.c.at.desc())
        .limit(400)
    )
    return [TankEvent(r.at, r.until, r.tank, r.kind, r.litres) for r in connection.execute(query)]
