"""What changed in ``noria.db`` since it was last looked at, by version: tanks and incidents."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gateway.database.engine import newest_version
from gateway.database.tables import incident, tank_now

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Changes:
    """``tanks`` maps a tank to its ``TankNow`` as JSON; ``incidents`` are rows of the table.

    ``version`` is where the next look begins.
    """

    version: int
    tanks: Mapping[str, Row]
    incidents: tuple[Row, ...]


def since(engine: sa.Engine, version: int) -> Changes:
    """Tanks and incidents that changed after ``version``; 0 gives all."""
    with engine.connect() as connection:
        # What is committed between the two queries has a higher version, and comes next time.
        newest = max(version, newest_version(connection))
        new = tank_now.c.version.between(version + 1, newest)
        tanks = connection.execute(sa.select(tank_now).where(new)).all()
        new = incident.c.version.between(version + 1, newest)
        incidents = connection.execute(
            sa.select(incident).where(new).order_by(incident.c.version)
        ).all()
    return Changes(
        newest,
        {row.tank: row.value for row in tanks},
        tuple(dict(row._mapping) for row in incidents),  # pyright: ignore[reportPrivateUsage] - SQLAlchemy's public name
    )
