"""Divides the journal into segments: each of one calendar month (UTC), one log, limited length."""

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.domain.merkle import Frontier
from gateway.errors import JournalError

SUFFIX = ".archive"
LARGEST = 1 << 18
"""Entries in one segment: after a crash at most this much is written again."""
_EMPTY = Frontier()


@dataclass(frozen=True, slots=True)
class MonthSpan:
    """Entries ``first`` to ``last`` of ``log``; ``before`` is its frontier before ``first``."""

    month: str
    first: int
    last: int
    log: str = ""
    before: Frontier = _EMPTY

    @property
    def count(self) -> int:
        """The number of entries."""
        return self.last - self.first + 1

    @property
    def name(self) -> str:
        """The name of the segment's file."""
        return f"{self.month}.{self.first}-{self.last}{SUFFIX}"


def month(connection: sqlite3.Connection, first: int, before: float) -> MonthSpan | None:
    """Entry ``first`` and the rest of its month, if that month ended by Unix time ``before``."""
    at = _time_ms(connection, first)
    if at is None:
        return None
    start = datetime.fromtimestamp(at / 1000, UTC)
    end = datetime(start.year + start.month // 12, start.month % 12 + 1, 1, tzinfo=UTC)
    if end.timestamp() > before:
        return None
    last = _last_before(connection, int(end.timestamp()) * 1000, first)
    return MonthSpan(f"{start:%Y-%m}", first, last)


def piece(connection: sqlite3.Connection, whole: MonthSpan, largest: int = LARGEST) -> MonthSpan:
    """The first part of a month that becomes one segment. Raises JournalError."""
    first, last = whole.first, min(whole.last, whole.first + largest - 1)
    (next_log,) = connection.execute(
        "SELECT min(id) FROM entry WHERE id > ? AND id <= ? AND kind = 'open'", (first, last)
    ).fetchone()
    if next_log:
        last = next_log - 1
    return MonthSpan(whole.month, first, last, *_log_at(connection, first))


def _log_at(connection: sqlite3.Connection, first: int) -> tuple[str, Frontier]:
    """The log of entry ``first``, and its frontier before that entry."""
    row = connection.execute(
        "SELECT b.body FROM entry e JOIN body b ON b.entry = e.id"
        " WHERE e.id = ? AND e.kind = 'open'",
        (first,),
    ).fetchone()
    if row or first == 1:
        return json.loads(row[0])["origin"] if row else "", Frontier()
    query = "SELECT log, size, nodes FROM segment WHERE last = ?"
    row = connection.execute(query, (first - 1,)).fetchone()
    if row is None:
        raise JournalError(f"the segment that ends with entry {first - 1} is not known any more")
    return row[0], Frontier.from_bytes(row[1], row[2])


def _last_before(connection: sqlite3.Connection, end_ms: int, first: int) -> int:
    """The last entry before ``end_ms``, by bisection: entries are in the order of their times."""
    (high,) = connection.execute("SELECT max(id) FROM entry").fetchone()
    low = first
    while low < high:
        middle = (low + high + 1) // 2
        at = _time_ms(connection, middle)
        if at is not None and at < end_ms:
            low = middle
        else:
            high = middle - 1
    return low


def _time_ms(connection: sqlite3.Connection, entry: int) -> int | None:
    row = connection.execute("SELECT time_ms FROM entry WHERE id = ?", (entry,)).fetchone()
    return row[0] if row else None
