"""Whether the gateway runs and hears its broker: a row that it renews and others read.

Real time, whatever the clock's speed: this is about processes, not about water.
"""

import contextlib
import os
import time
from dataclasses import dataclass

import sqlalchemy as sa

from gateway.database import is_postgresql, metadata

RENEW_S = 5.0
STALE_S = 20.0

gateway_now = sa.Table(
    "gateway_now",
    metadata,
    sa.Column("gateway", sa.Text, primary_key=True),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("renewed", sa.Float, nullable=False),  # real Unix s
    sa.Column("connected", sa.Boolean, nullable=False),
    sa.Column("broker", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Alive:
    """What is known of a gateway. ``connected``: to its broker, and subscribed."""

    running: bool
    connected: bool
    broker: str


def renew(engine: sa.Engine, gateway: str, *, connected: bool, broker: str) -> None:
    """Say that this process is the gateway, and whether it hears the broker called ``broker``."""
    row = {"pid": os.getpid(), "renewed": time.time(), "connected": connected, "broker": broker}
    with engine.begin() as connection:
        found = connection.execute(
            gateway_now.update().where(gateway_now.c.gateway == gateway).values(row)
        )
        if found.rowcount == 0:
            connection.execute(gateway_now.insert().values(gateway=gateway, **row))


def look(engine: sa.Engine, gateway: str) -> Alive:
    """What the row says; a gateway that was killed or hangs does not count as connected."""
    with engine.connect() as connection:
        row = connection.execute(
            sa.select(gateway_now).where(gateway_now.c.gateway == gateway)
        ).one_or_none()
    if row is None:
        return Alive(running=False, connected=False, broker="")
    # With PostgreSQL it may run on another machine, where its number means nothing to us.
    running = time.time() - row.renewed < STALE_S and (is_postgresql(engine) or _runs(row.pid))
    return Alive(running, running and row.connected, row.broker)


def _runs(pid: int) -> bool:
    """Whether a process of this number exists here (signal 0 only asks)."""
    with contextlib.suppress(PermissionError):  # another user's process: it exists
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
