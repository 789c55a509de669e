"""Retires a gateway that never comes back, so that nothing waits for it.

Its entries, their places in the common order and the identity of its log stay: they are evidence.
If it does come back, it continues its journal and rebuilds its own store, for which it needs the
other gateways' archive files.
"""

import sqlalchemy as sa

from gateway.cluster import tables
from gateway.database import heartbeat
from gateway.database.tables import projection, projection_state
from gateway.errors import DatabaseError
from gateway.runtime.file_lock import LockHeldError
from gateway.stores.port import STORE


def retire(engine: sa.Engine, gateway: str) -> int:
    """Delete its store's cursor; returns how many entries its store had not read.

    Raises DatabaseError where there is no such gateway, LockHeldError while it runs.
    """
    with engine.begin() as connection:
        names = connection.scalars(sa.select(tables.member.c.gateway).with_for_update()).all()
        if gateway not in names:
            known = ", ".join(sorted(names)) or "none"
            raise DatabaseError(f"no gateway is called {gateway!r} here; known: {known}")
        if heartbeat.read(engine, gateway).running:
            raise LockHeldError(f"gateway {gateway} runs: end it first, then try again")
        own = f"{STORE} {gateway}"
        at = connection.scalar(sa.select(projection.c.cursor).where(projection.c.name == own))
        last = connection.scalar(sa.select(sa.func.max(tables.place.c.place))) or 0
        for table in (projection, projection_state):
            connection.execute(sa.delete(table).where(table.c.name == own))
        heartbeat.forget(connection, gateway)
        mine = tables.member.c.gateway == gateway
        gone = {"since": None, "waiting": False, "until": tables.NEVER}
        connection.execute(sa.update(tables.member).where(mine).values(gone))
    return 0 if at is None else max(0, last - at)
