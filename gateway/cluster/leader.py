"""Elects the leader: one gateway at a time, by an advisory lock of PostgreSQL.

The lock ends with the leader's connection. A leader that hangs loses it after ``HUNG_S``; when it
resumes, its epoch is over and the database rejects its writes.
"""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

import sqlalchemy as sa
from sqlalchemy import event

from gateway.cluster import tables
from gateway.database.engine import separate_engine
from gateway.errors import DatabaseError
from gateway.runtime.wakeup import Wakeup
from gateway.runtime.worker import Worker

_log = logging.getLogger(__name__)

POLL_S = 0.5
HUNG_S = 10.0
_LOCK = (0x6E6F7269, 1)  # "nori", the leader
_RETRY_S = 2.0

LeaderParts = Callable[[sa.Engine], AbstractContextManager[object]]
"""Runs the leader's parts, with an engine that may write during its epoch only."""


class LeaderElection(Worker):
    """One thread that runs for election until the gateway stops."""

    def __init__(self, engine: sa.Engine, gateway: str, parts: LeaderParts) -> None:
        super().__init__("leader", self._run_for_election, Wakeup(), longest_wait_s=_RETRY_S)
        self._engine = engine
        self._gateway = gateway
        self._parts = parts
        self._beat = (-1, 0.0)  # the leader's, and when it last changed
        self.holds = False
        """Whether this gateway is the leader; read from any thread."""

    def _run_for_election(self) -> float:
        """Wait for the lock; lead while this gateway has it."""
        with self._engine.connect() as raw:
            connection = raw.execution_options(isolation_level="AUTOCOMMIT")
            try:
                while not self.stopping:
                    if connection.execute(_TRY, _keys()).scalar():
                        self._lead(connection)
                        break
                    self._end_hung_leader(connection)
                    self._stop.wait(POLL_S)
            finally:
                raw.invalidate()  # the lock is the connection's: it must not return to the pool
        return 0.0

    def _lead(self, connection: sa.Connection) -> None:
        epoch = connection.execute(_TAKE, {"gateway": self._gateway}).scalar_one()
        _log.info("this gateway is the leader (epoch %d)", epoch)
        with ExitStack() as stack:
            engine = fenced_engine(self._engine, epoch)
            stack.callback(engine.dispose)
            stack.enter_context(self._parts(engine))
            self.holds = True
            try:
                while not self._stop.wait(POLL_S):
                    if connection.execute(_BEAT, {"epoch": epoch}).rowcount != 1:
                        _log.warning("another gateway is the leader now")
                        return
            finally:
                self.holds = False

    def _end_hung_leader(self, connection: sa.Connection) -> None:
        """End the connection of a leader that makes no progress, which releases the lock."""
        beat = connection.execute(sa.select(tables.holder.c.beat)).scalar_one()
        if beat != self._beat[0]:
            self._beat = (beat, time.monotonic())
        elif time.monotonic() - self._beat[1] > HUNG_S:
            _log.warning("the leader hangs: its connection is ended")
            connection.execute(_END_CONNECTION, _keys())
            self._beat = (beat, time.monotonic())


def has_leader(engine: sa.Engine) -> bool:
    """Whether any gateway is the leader now."""
    with engine.connect() as connection:
        return bool(connection.execute(_IS_LOCKED, _keys()).scalar())


def fenced_engine(engine: sa.Engine, epoch: int) -> sa.Engine:
    """A separate engine whose transactions all fail once ``epoch`` is over."""
    made = separate_engine(engine)

    def check(connection: sa.Connection) -> None:
        row = connection.exec_driver_sql(
            "SELECT 1 FROM shared_holder WHERE epoch = %s FOR SHARE", (epoch,)
        ).first()
        if row is None:
            raise DatabaseError(f"epoch {epoch} is over: another gateway is the leader")

    event.listen(made, "begin", check)
    return made


def _keys() -> dict[str, int]:
    return {"a": _LOCK[0], "b": _LOCK[1]}


_TRY = sa.text("SELECT pg_try_advisory_lock(:a, :b)")
_THEIRS = "locktype = 'advisory' AND classid = :a AND objid = :b AND objsubid = 2 AND granted"
_HERE = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
_IS_LOCKED = sa.text(f"SELECT count(*) > 0 FROM pg_locks WHERE {_THEIRS} AND {_HERE}")  # noqa: S608
_END_CONNECTION = sa.text(
    f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {_THEIRS} AND {_HERE}"  # noqa: S608
)
_TAKE = sa.text(
    "UPDATE shared_holder SET epoch = epoch + 1, gateway = :gateway, beat = beat + 1"
    " RETURNING epoch"
)
_BEAT = sa.text("UPDATE shared_holder SET beat = beat + 1 WHERE epoch = :epoch")
