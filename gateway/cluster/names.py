"""A gateway's name: it is locked while the gateway runs, and retired when it never comes back."""

import contextlib
import time
import zlib
from collections.abc import Generator

import sqlalchemy as sa

from gateway.cluster import tables
from gateway.database import heartbeat
from gateway.database.tables import projection, projection_state
from gateway.errors import DatabaseError
from gateway.runtime.file_lock import LockHeldError
from gateway.stores.port import STORE

_CLASS = 0x6E6F7270  # beside the leader's lock
_WAIT_S = 20.0
"""PostgreSQL may need this long to notice that a killed gateway's machine is gone."""

_TRY = sa.text("SELECT pg_try_advisory_lock(:a, :b)")


@contextlib.contextmanager
def hold_name(engine: sa.Engine, gateway: str) -> Generator[None]:
    """Lock the name ``gateway`` until the block ends. Raises LockHeldError when it is in use.

    Two gateways of one name on one database would mix their journals.
    The lock is lost with the connection: it only detects a wrong setting at the start.
    """
    with engine.connect() as raw:
        connection = raw.execution_options(isolation_level="AUTOCOMMIT")
        keys = {"a": _CLASS, "b": zlib.crc32(gateway.encode()) & 0x7FFFFFFF}
        deadline = time.monotonic() + _WAIT_S
        while not connection.execute(_TRY, keys).scalar():
            if time.monotonic() > deadline:
                raise LockHeldError(
                    f"gateway_id = {gateway!r}: a gateway of this name runs on this database: "
                    "give each its own gateway_id"
                )
            time.sleep(0.2)
        try:
            yield
        finally:
            raw.invalidate()  # the lock is the connection's: it must not return to the pool


def retire(engine: sa.Engine, gateway: str) -> int:
    """Delete its store's cursor, so that nothing waits for it; returns how many entries it lacks.

    Its entries, their places in the common order and the identity of its log stay: they are
    evidence. If it does come back, it continues its journal and rebuilds its own store, for which
    it needs the other gateways' archive files.

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
