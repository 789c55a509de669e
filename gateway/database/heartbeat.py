"""Whether the gateway runs and hears its broker: a row that it renews and others read.

Real time, whatever the clock's speed: this is about processes, not about water.
"""

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from gateway.database.engine import is_postgresql
from gateway.database.tables import metadata
from gateway.database.transaction import write_transaction

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


feeds_now = sa.Table(
    "feeds_now",
    metadata,
    sa.Column("gateway", sa.Text, primary_key=True),
    sa.Column("broker", sa.Text, primary_key=True),
    sa.Column("connected", sa.Boolean, nullable=False),
)
"""The brokers of third-party sensors, as the gateway hears them."""


@dataclass(frozen=True, slots=True)
class GatewayHeartbeat:
    """What is known of a gateway. ``connected``: to its broker, and subscribed."""

    running: bool
    connected: bool
    broker: str


def renew(engine: sa.Engine, gateway: str, *, connected: bool, broker: str) -> None:
    """Say that this process is the gateway, and whether it hears the broker called ``broker``."""
    row = {"pid": os.getpid(), "renewed": time.time(), "connected": connected, "broker": broker}
    with write_transaction(engine) as connection:
        found = connection.execute(
            gateway_now.update().where(gateway_now.c.gateway == gateway).values(row)
        )
        if found.rowcount == 0:
            connection.execute(gateway_now.insert().values(gateway=gateway, **row))


def renew_feeds(engine: sa.Engine, gateway: str, connected: Mapping[str, bool]) -> None:
    """Say which of the feeds' brokers this gateway hears; others are forgotten."""
    rows = [{"gateway": gateway, "broker": b, "connected": c} for b, c in connected.items()]
    with write_transaction(engine) as connection:
        connection.execute(sa.delete(feeds_now).where(feeds_now.c.gateway == gateway))
        if rows:
            connection.execute(sa.insert(feeds_now), rows)


def read_feeds(engine: sa.Engine, gateway: str) -> dict[str, bool]:
    """By the mapping's name of each broker: whether a running gateway hears it."""
    running = read(engine, gateway).running
    query = sa.select(feeds_now.c.broker, feeds_now.c.connected)
    with engine.connect() as connection:
        rows = connection.execute(query.where(feeds_now.c.gateway == gateway)).all()
    return {row.broker: running and row.connected for row in rows}


def read_all(engine: sa.Engine) -> set[str]:
    """Every gateway that has run here and was not forgotten."""
    with engine.connect() as connection:
        return set(connection.scalars(sa.select(gateway_now.c.gateway)))


def forget(connection: sa.Connection, gateway: str) -> None:
    """A gateway that never comes back."""
    for table in (gateway_now, feeds_now):
        connection.execute(sa.delete(table).where(table.c.gateway == gateway))


def read(engine: sa.Engine, gateway: str) -> GatewayHeartbeat:
    """What the row says; a gateway that was killed or hangs does not count as connected."""
    with engine.connect() as connection:
        row = connection.execute(
            sa.select(gateway_now).where(gateway_now.c.gateway == gateway)
        ).one_or_none()
    if row is None:
        return GatewayHeartbeat(running=False, connected=False, broker="")
    # With PostgreSQL it may run on another machine, where its number means nothing to us.
    running = time.time() - row.renewed < STALE_S and (is_postgresql(engine) or _runs(row.pid))
    return GatewayHeartbeat(running, running and row.connected, row.broker)


def _runs(pid: int) -> bool:
    """Whether a process of this number exists here (signal 0 only asks)."""
    with contextlib.suppress(PermissionError):  # another user's process: it exists
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
