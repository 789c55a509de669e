"""Tanks and incidents in ``noria.db`` that changed after a version."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from gateway.database.engine import newest_version
from gateway.database.tables import incident, tank_now
from gateway.projections.cursor import JSON

Row = Mapping[str, JSON]


@dataclass(frozen=True, slots=True)
class Changes:
    """``tanks`` maps a tank to its ``TankNow`` as JSON; ``incidents`` are rows of the table.

    ``version`` is the argument of the next call.
    """

    version: int
    tanks: Mapping[str, Row]
    incidents: tuple[Row, ...]


def changes_since(engine: sa.Engine, version: int) -> Changes:
    """Tanks and incidents that changed after ``version``; 0 returns all."""
    with engine.connect() as connection:
        # A commit between the two queries has a higher version, so the next call returns it.
        newest = max(version, newest_version(connection))
        new = tank_now.c.version.between(version + 1, newest)
        tanks = connection.execute(sa.select(tank_now).where(new)).all()
        new = incident.c.version.between(version + 1, newest)
        incidents = connection.execute(
            sa.select(incident).where(new).order_by(incident.c.version)
        ).mappings()
        return Changes(
            newest, {row.tank: row.value for row in tanks}, tuple(dict(row) for row in incidents)
        )
