"""Locks a gateway's name: two gateways of one name on one database would mix their journals."""

import contextlib
import time
import zlib
from collections.abc import Generator

import sqlalchemy as sa

from gateway.runtime.file_lock import LockHeldError

_CLASS = 0x6E6F7270  # beside the leader's lock
_WAIT_S = 20.0
"""PostgreSQL may need this long to notice that a killed gateway's machine is gone."""


@contextlib.contextmanager
def hold_name(engine: sa.Engine, gateway: str) -> Generator[None]:
    """Lock the name ``gateway`` until the block ends. Raises LockHeldError when it is in use.

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


_TRY = sa.text("SELECT pg_try_advisory_lock(:a, :b)")
