"""Who holds the watch: one gateway at a time, by an advisory lock of PostgreSQL.

The lock goes with the holder's connection, however it dies. A holder that hangs is put out after
``HUNG_S``; should it wake up, its epoch is over and the database takes nothing more from it.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

import sqlalchemy as sa
from sqlalchemy import event

from gateway.cluster import tables
from gateway.database.engine import separate_engine
from gateway.errors import DatabaseError

_log = logging.getLogger(__name__)

LOOK_S = 0.5
HUNG_S = 10.0
_LOCK = (0x6E6F7269, 1)  # "nori", the watch
_RETRY_S = 2.0

Held = Callable[[sa.Engine], AbstractContextManager[object]]
"""Runs what only the holder runs, with the engine that its epoch allows to write."""


class LeaderElection:
    """One thread that stands for election for as long as the gateway runs."""

    def __init__(self, engine: sa.Engine, gateway: str, held: Held) -> None:
        self._engine = engine
        self._gateway = gateway
        self._held = held
        self._stop = threading.Event()
        self._beat = (-1, 0.0)  # the holder's, and when it last changed
        self.holds = False
        """Whether this gateway holds the watch; read from any thread."""
        self._thread = threading.Thread(target=self._run, name="holding", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End what runs here, and let another hold it."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        said = ""
        while not self._stop.is_set():
            try:
                self._stand()
                said = ""
            except Exception as error:  # noqa: BLE001 - told, and tried again for ever
                if str(error) != said:
                    _log.warning("the watch is not held here, trying again: %s", error)
                said = str(error)
                self._stop.wait(_RETRY_S)

    def _stand(self) -> None:
        """Wait for the lock; hold the watch while we have it."""
        with self._engine.connect() as raw:
            connection = raw.execution_options(isolation_level="AUTOCOMMIT")
            try:
                while not self._stop.is_set():
                    if connection.execute(_TRY, _keys()).scalar():
                        self._hold(connection)
                        return
                    self._mind_hung(connection)
                    self._stop.wait(LOOK_S)
            finally:
                raw.invalidate()  # the lock is the connection's: neither goes back to the pool

    def _hold(self, connection: sa.Connection) -> None:
        epoch = connection.execute(_TAKE, {"gateway": self._gateway}).scalar_one()
        _log.info("this gateway holds the watch (epoch %d)", epoch)
        with ExitStack() as parts:
            engine = fenced_engine(self._engine, epoch)
            parts.callback(engine.dispose)
            parts.enter_context(self._held(engine))
            self.holds = True
            try:
                while not self._stop.wait(LOOK_S):
                    if connection.execute(_BEAT, {"epoch": epoch}).rowcount != 1:
                        _log.warning("another gateway holds the watch now")
                        return
            finally:
                self.holds = False

    def _mind_hung(self, connection: sa.Connection) -> None:
        """End the connection of a holder whose process stands still: the lock is free then."""
        beat = connection.execute(sa.select(tables.holder.c.beat)).scalar_one()
        if beat != self._beat[0]:
            self._beat = (beat, time.monotonic())
        elif time.monotonic() - self._beat[1] > HUNG_S:
            _log.warning("the gateway that holds the watch hangs: it is put out")
            connection.execute(_PUT_OUT, _keys())
            self._beat = (beat, time.monotonic())


def has_leader(engine: sa.Engine) -> bool:
    """Whether any gateway holds the watch now."""
    with engine.connect() as connection:
        return bool(connection.execute(_LOOK, _keys()).scalar())


def fenced_engine(engine: sa.Engine, epoch: int) -> sa.Engine:
    """An engine of its own whose every transaction fails once ``epoch`` is over."""
    made = separate_engine(engine)

    def check(connection: sa.Connection) -> None:
        row = connection.exec_driver_sql(
            "SELECT 1 FROM shared_holder WHERE epoch = %s FOR SHARE", (epoch,)
        ).first()
        if row is None:
            raise DatabaseError(f"epoch {epoch} is over: another gateway holds the watch")

    event.listen(made, "begin", check)
    return made


def _keys() -> dict[str, int]:
    return {"a": _LOCK[0], "b": _LOCK[1]}


_TRY = sa.text("SELECT pg_try_advisory_lock(:a, :b)")
_THEIRS = "locktype = 'advisory' AND classid = :a AND objid = :b AND objsubid = 2 AND granted"
_HERE = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
_LOOK = sa.text(f"SELECT count(*) > 0 FROM pg_locks WHERE {_THEIRS} AND {_HERE}")  # noqa: S608
_PUT_OUT = sa.text(
    f"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE {_THEIRS} AND {_HERE}"  # noqa: S608
)
_TAKE = sa.text(
    "UPDATE shared_holder SET epoch = epoch + 1, gateway = :gateway, beat = beat + 1"
    " RETURNING epoch"
)
_BEAT = sa.text("UPDATE shared_holder SET beat = beat + 1 WHERE epoch = :epoch")
