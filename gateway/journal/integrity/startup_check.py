"""Whether the journal is what its log says: at each start of what was written last."""

import logging
import sqlite3
import time

from gateway.domain import merkle
from gateway.domain.merkle import Frontier
from gateway.errors import JournalError
from gateway.journal.group_commit import Connection

_log = logging.getLogger(__name__)

TAIL = 1 << 16
"""At least so many of the newest leaves are hashed again by a start, and at most twice as many
and a batch: what a crash or a disk may spoil was written last."""
_AT_ONCE = 8192
_EVERY = 8  # of these
_MANY = 3 * TAIL
_LONG_S = 2.0


def check_at_start(connection: sqlite3.Connection) -> None:
    """Check from the last milestone before the tail that leaves and frontier belong together.

    A log without one (of an older program) is checked whole, once. Raises JournalError.
    """
    frontier, former = saved_frontier(connection), former_leaves(connection)
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM entry").fetchone()
    if last != former + frontier.size:
        raise JournalError(
            f"the journal holds entries up to {last}, but its log has {former + frontier.size} "
            "leaves: restore it from a backup"
        )
    at, grown = _milestone(connection, former, last - TAIL)
    begun = told = time.monotonic()
    since = at
    passed: list[tuple[int, int, bytes]] = []
    while at < last:
        at, grown = _grown(connection, at, grown)
        passed.append((at, grown.size, grown.to_bytes()))
        if time.monotonic() - told > _LONG_S:
            told = time.monotonic()
            _log.info("verifying the journal: entry %d of %d, %.0f s", at, last, told - begun)
    if grown != frontier:
        raise _changed(grown, frontier, former, since)
    if last - since > _MANY:  # so that the next start need not do it again
        insert = "INSERT OR REPLACE INTO milestone VALUES (?, ?, ?)"
        connection.executemany(insert, passed[_EVERY - 1 :: _EVERY])


def saved_frontier(connection: Connection) -> Frontier:
    """The current log's frontier as it was saved. Raises JournalError."""
    size, nodes = connection.execute("SELECT size, nodes FROM frontier").fetchone()
    try:
        return Frontier.from_bytes(size, nodes)
    except ValueError as error:
        raise JournalError(f"the journal's Merkle frontier is damaged: {error}") from error


def former_leaves(connection: Connection) -> int:
    """How many leaves the former logs have: the current one begins behind them."""
    return connection.execute("SELECT coalesce(sum(size), 0) FROM former_log").fetchone()[0]


def _milestone(connection: sqlite3.Connection, former: int, until: int) -> tuple[int, Frontier]:
    """The last entry up to ``until`` with a milestone of the current log, else its beginning."""
    row = connection.execute(
        "SELECT entry, size, nodes FROM milestone WHERE entry > ? AND entry <= ?"
        " ORDER BY entry DESC LIMIT 1",
        (former, until),
    ).fetchone()
    return (row[0], Frontier.from_bytes(row[1], row[2])) if row else (former, Frontier())


def _grown(connection: sqlite3.Connection, at: int, frontier: Frontier) -> tuple[int, Frontier]:
    """The frontier after the entries that follow ``at``, some thousand of them."""
    rows = connection.execute(
        "SELECT id, CAST(leaf AS BLOB) FROM entry WHERE id > ? ORDER BY id LIMIT ?", (at, _AT_ONCE)
    ).fetchall()
    if rows[-1][0] - at != len(rows):
        held = {entry for entry, _ in rows}
        lost = next(n for n in range(at + 1, rows[-1][0]) if n not in held)
        raise JournalError(f"entry {lost} of the journal is lost: restore it from a backup")
    return rows[-1][0], frontier.grown(*(merkle.leaf_hash(leaf) for _, leaf in rows))


def _changed(found: Frontier, saved: Frontier, former: int, since: int) -> JournalError:
    """Names the leaves among which the change lies: below the first node that differs."""
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
