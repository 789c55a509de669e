"""What changed in ``noria.db`` since it was last looked at, by version: tanks and incidents."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gateway.database import incident, tank_now

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
        tanks = connection.execute(sa.select(tank_now).where(tank_now.c.version > version)).all()
        incidents = connection.execute(
            sa.select(incident).where(incident.c.version > version).order_by(incident.c.version)
        ).all()
    newest = max((version, *(row.version for row in (*tanks, *incidents))))
    return Changes(
        newest,
        {row.tank: row.value for row in tanks},
        tuple(dict(row._mapping) for row in incidents),  # pyright: ignore[reportPrivateUsage] - SQLAlchemy's public name
    )
