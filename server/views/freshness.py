"""Whether the gateway receives messages: *Live* at the top of every page."""

from dataclasses import dataclass

import sqlalchemy as sa

from gateway.database.heartbeat import STALE_S, gateway_now
from gateway.database.tables import tank_now


@dataclass(frozen=True, slots=True)
class Freshness:
    """``live``: a gateway runs and is connected to its broker.

    ``received``: when the newest message came; ``lost``: since when none can arrive. Both in
    Unix s of the installation's clock. ``started`` is false where no gateway ever ran.
    """

    live: bool
    received: float | None = None
    lost: float | None = None
    started: bool = True


def freshness(
    connection: sa.Connection, now: float, real_now: float, speed: float = 1.0
) -> Freshness:
    """The state by the row that the gateway renews; ``real_now`` in real Unix s."""
    newest = sa.func.max(tank_now.c.value["received"].as_float())
    received = connection.execute(sa.select(newest)).scalar()
    rows = connection.execute(sa.select(gateway_now.c.renewed, gateway_now.c.connected)).all()
    if not rows:
        return Freshness(live=False, received=received, started=False)
    fresh = [row for row in rows if real_now - row.renewed < STALE_S]
    if any(row.connected for row in fresh):
        return Freshness(live=True, received=received)
    renewed = max(row.renewed for row in rows)
    lost = received if fresh else now - (real_now - renewed) * speed
    return Freshness(live=False, received=received, lost=lost)
