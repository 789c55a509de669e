"""A tank's events as the watch recorded them: refills, draws, gaps."""

from collections.abc import Sequence
from typing import Any

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
    return [_event(row) for row in connection.execute(query)]


def within(
    connection: sa.Connection, tanks: Sequence[str], start: float, end: float
) -> list[TankEvent]:
    """Events of some tanks that touch a span (Unix s), by their beginning; at most 400."""
    query = (
        sa.select(tank_event)
        .where(tank_event.c.tank.in_(tanks), tank_event.c.at <= end, tank_event.c.until >= start)
        .order_by(tank_event.c.at)
        .limit(400)
    )
    return [_event(row) for row in connection.execute(query)]


def _event(row: sa.Row[Any]) -> TankEvent:
    return TankEvent(row.at, row.until, row.tank, row.kind, row.litres, row.least_l, row.most_l)
