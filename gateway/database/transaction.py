"""Transactions on SQLite: writers queue, and projections do not wait for the disk."""

import contextlib
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy import event

from gateway.database.engine import is_postgresql, sqlite

_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


@contextmanager
def write_transaction(engine: sa.Engine) -> Generator[sa.Connection]:
    """A transaction that writes; the threads of this process run them one after another.

    Without the queue, threads that find SQLite's file locked sleep up to 100 ms between two tries.
    """
    lock = contextlib.nullcontext() if is_postgresql(engine) else _locks[str(engine.url)]
    with lock, engine.begin() as connection:
        yield connection


def projection_engine(engine: sa.Engine) -> sa.Engine:
    """An engine on the same database for data that can be rebuilt from the journal.

    On SQLite its commits do not wait for the disk. A power cut can undo the last of them, whole
    and in order: the cursor goes back as well, and the entries after it are applied again.
    """
    if is_postgresql(engine):
        return engine
    unsynced = sqlite(engine.url)
    event.listen(unsynced, "connect", _unsync)
    return unsynced


def _unsync(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
