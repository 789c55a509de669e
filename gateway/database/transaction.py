"""Transactions that write one SQLite file in turn, and such as need not wait for its disk."""

import contextlib
import threading
from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from gateway.database.engine import is_postgresql, sqlite

_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


@contextmanager
def write_transaction(engine: sa.Engine) -> Generator[sa.Connection]:
    """A transaction that writes; of one process's threads, one after the other.

    Left to themselves, those that find SQLite's file taken sleep up to 100 ms between two looks.
    """
    turn = contextlib.nullcontext() if is_postgresql(engine) else _turns[str(engine.url)]
    with turn, engine.begin() as connection:
        yield connection


def projection_engine(engine: sa.Engine) -> sa.Engine:
    """An engine on the same database for what is made from the journal, and can be made again.

    A commit does not wait for SQLite's disk. A power cut may take the last ones back, in order and
    whole: with them goes the cursor, and what the entries behind it tell is written once more.
    """
    if is_postgresql(engine):
        return engine
    eased = sqlite(engine.url)
    event.listen(eased, "connect", _ease_sqlite)
    return eased


def _ease_sqlite(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
