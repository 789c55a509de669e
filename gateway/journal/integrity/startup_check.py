"""The check at every start: the newest entries of the journal against its log."""

import logging
import sqlite3
import time

from gateway.domain import merkle
from gateway.domain.merkle import Frontier
from gateway.errors import JournalError

_log = logging.getLogger(__name__)

TAIL = 1 << 16
"""A start hashes at least this many of the newest leaves, and at most twice as many and a batch:
a crash or a faulty disk damages what was written last."""
_AT_ONCE = 8192
_REPORT_S = 2.0


def check_at_start(connection: sqlite3.Connection) -> None:
    """Compare leaves and frontier, from the last milestone before the tail to the end.

    Raises JournalError.
    """
    saved, former = saved_frontier(connection), former_leaves(connection)
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM entry").fetchone()
    if last != former + saved.size:
        raise JournalError(
            f"the journal holds entries up to {last}, but its log has {former + saved.size} "
            "leaves: restore it from a backup"
        )
    since, frontier = _milestone(connection, former, last - TAIL)
    at, start = since, time.monotonic()
    reported = start
    while at < last:
        at, frontier = _next(connection, at, frontier)
        if time.monotonic() - reported > _REPORT_S:
            reported = time.monotonic()
            _log.info("verifying the journal: entry %d of %d, %.0f s", at, last, reported - start)
    if frontier != saved:
        raise _changed(frontier, saved, former, since)


def saved_frontier(connection: sqlite3.Connection) -> Frontier:
    """The saved frontier of the current log. Raises JournalError."""
    size, nodes = connection.execute("SELECT size, nodes FROM frontier").fetchone()
    try:
        return Frontier.from_bytes(size, nodes)
    except ValueError as error:
        raise JournalError(f"the journal's Merkle frontier is damaged: {error}") from error


def former_leaves(connection: sqlite3.Connection) -> int:
    """The number of leaves of the former logs, whose entries precede the current log's."""
    return connection.execute("SELECT coalesce(sum(size), 0) FROM former_log").fetchone()[0]


def _milestone(connection: sqlite3.Connection, former: int, until: int) -> tuple[int, Frontier]:
    """The current log's last milestone up to entry ``until``, else its start."""
    row = connection.execute(
        "SELECT entry, size, nodes FROM milestone WHERE entry > ? AND entry <= ?"
        " ORDER BY entry DESC LIMIT 1",
        (former, until),
    ).fetchone()
    return (row[0], Frontier.from_bytes(row[1], row[2])) if row else (former, Frontier())


def _next(connection: sqlite3.Connection, at: int, frontier: Frontier) -> tuple[int, Frontier]:
    """The last entry of the batch after ``at``, and the frontier after it."""
    rows = connection.execute(
        "SELECT id, CAST(leaf AS BLOB) FROM entry WHERE id > ? ORDER BY id LIMIT ?", (at, _AT_ONCE)
    ).fetchall()
    for expected, (entry, _) in enumerate(rows, at + 1):
        if entry != expected:
            raise JournalError(f"entry {expected} of the journal is lost: restore it from a backup")
    return rows[-1][0], frontier.grown(*(merkle.leaf_hash(leaf) for _, leaf in rows))


def _changed(found: Frontier, saved: Frontier, former: int, since: int) -> JournalError:
    """An error with the range of the change: the leaves below the first node that differs."""
    at, left = former, saved.size
    for ours, theirs in zip(found.nodes, saved.nodes, strict=True):
        width = 1 << (left.bit_length() - 1)
        if ours != theirs:
            return JournalError(
                f"leaves {max(at, since) + 1} to {at + width} of the journal do not hash to what "
                "was saved: they were changed; restore it from a backup"
            )
        at, left = at + width, left - width
    raise AssertionError("the frontiers are equal")
