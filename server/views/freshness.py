"""Whether the gateway listens: what *Live* means at the top of every page."""

from dataclasses import dataclass

import sqlalchemy as sa

from gateway.database.heartbeat import STALE_S, gateway_now
from gateway.database.tables import tank_now


@dataclass(frozen=True, slots=True)
class Freshness:
    """``live``: a gateway runs and hears its broker.

    ``heard``: when a sensor was last heard; ``lost``: since when nothing is listened to. Both in
    Unix s of the installation's clock. ``started`` is false where no gateway ever ran.
    """

    live: bool
    heard: float | None = None
    lost: float | None = None
    started: bool = True


def freshness(
    connection: sa.Connection, now: float, real_now: float, speed: float = 1.0
) -> Freshness:
    """Judge by the row that the gateway renews, at ``real_now`` (real Unix s)."""
    received = sa.func.max(tank_now.c.value["received"].as_float())
    heard = connection.execute(sa.select(received)).scalar()
    rows = connection.execute(sa.select(gateway_now.c.renewed, gateway_now.c.connected)).all()
    if not rows:
        return Freshness(live=False, heard=heard, started=False)
    fresh = [row for row in rows if real_now - row.renewed < STALE_S]
    if any(row.connected for row in fresh):
        return Freshness(live=True, heard=heard)
    renewed = max(row.renewed for row in rows)
    lost = heard if fresh else now - (real_now - renewed) * speed
    return Freshness(live=False, heard=heard, lost=lost)
