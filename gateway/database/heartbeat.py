"""Whether a gateway runs and is connected to its broker: it renews a row, other programs read it.

All times are real time, at any speed of the clock: this is about processes, not about water.
"""

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from gateway.database.engine import is_postgresql, upsert
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
"""The gateway's connections to the brokers of third-party sensors."""


@dataclass(frozen=True, slots=True)
class GatewayHeartbeat:
    """The state of a gateway. ``connected``: to its broker, and subscribed."""

    running: bool
    connected: bool
    broker: str


def renew(engine: sa.Engine, gateway: str, *, connected: bool, broker: str) -> None:
    """Record that this process is the gateway, and whether it is connected to ``broker``."""
    with write_transaction(engine) as connection:
        upsert(connection, gateway_now, [(gateway, os.getpid(), time.time(), connected, broker)])


def renew_feeds(engine: sa.Engine, gateway: str, connected: Mapping[str, bool]) -> None:
    """Record which of the feeds' brokers this gateway is connected to; other rows are deleted."""
    rows = [{"gateway": gateway, "broker": b, "connected": c} for b, c in connected.items()]
    with write_transaction(engine) as connection:
        connection.execute(sa.delete(feeds_now).where(feeds_now.c.gateway == gateway))
        if rows:
            connection.execute(sa.insert(feeds_now), rows)


def read_feeds(engine: sa.Engine, gateway: str) -> dict[str, bool]:
    """By the mapping's name of each broker: whether a running gateway is connected to it."""
    running = read(engine, gateway).running
    query = sa.select(feeds_now.c.broker, feeds_now.c.connected)
    with engine.connect() as connection:
        rows = connection.execute(query.where(feeds_now.c.gateway == gateway)).all()
    return {row.broker: running and row.connected for row in rows}


def read_all(engine: sa.Engine) -> set[str]:
    """The names of all gateways that have run on this database and were not forgotten."""
    with engine.connect() as connection:
        return set(connection.scalars(sa.select(gateway_now.c.gateway)))


def forget(connection: sa.Connection, gateway: str) -> None:
    """Delete the rows of a gateway that never comes back."""
    for table in (gateway_now, feeds_now):
        connection.execute(sa.delete(table).where(table.c.gateway == gateway))


def read(engine: sa.Engine, gateway: str) -> GatewayHeartbeat:
    """The state of a gateway; one that was killed or hangs is neither running nor connected."""
    query = sa.select(gateway_now).where(gateway_now.c.gateway == gateway)
    with engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return GatewayHeartbeat(running=False, connected=False, broker="")
    # Gateways on PostgreSQL run on several machines, where process ids mean nothing.
    running = time.time() - row.renewed < STALE_S and (is_postgresql(engine) or _exists(row.pid))
    return GatewayHeartbeat(running, running and row.connected, row.broker)


def _exists(pid: int) -> bool:
    with contextlib.suppress(PermissionError):  # the process exists and belongs to another user
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
