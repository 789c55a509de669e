"""Detects a journal restored from a backup, and begins a new log that names the old one.

If the restored log grew, its new leaves would contradict those that others saw. So it is closed
and never extended (WIRE.md, section 4, kind ``open``).
"""

import logging

import sqlalchemy as sa

from gateway.database.tables import fact, projection
from gateway.journal.integrity.witness import LogMark, Witness
from gateway.journal.writer import Journal

_log = logging.getLogger(__name__)


def find_rollback(journal: Journal, witness: Witness) -> LogMark | None:
    """The log that others may have seen and that this journal does not have, or None.

    A journal without a witness was copied here: it may be older than what others saw.
    """
    noted = witness.seen()
    if not noted and journal.last_id:
        return LogMark(journal.log.origin, journal.log.frontier)
    missing = [seen for seen in noted if not journal.log.holds(seen)]
    return max(missing, key=lambda seen: seen.frontier.size, default=None)


def close_log(journal: Journal, seen: LogMark) -> dict[str, object]:
    """Close the restored log; returns the ``previous`` of the new log's ``open``.

    Call it inside a transaction, before that leaf.
    """
    log = journal.log
    kept = log.frontier.size if seen.origin == log.origin else 0
    _log.warning(
        "the journal has %d leaves of log %s, which had %d: it was restored from a backup. "
        "A new log begins, and the nodes are asked to resend what they still have",
        kept,
        seen.origin,
        seen.frontier.size,
    )
    log.begin_again(seen)
    return {
        "origin": seen.origin,
        "size": seen.frontier.size,
        "root": seen.frontier.root().hex(),
        "kept": kept,
    }


def realign_database(engine: sa.Engine, last_id: int) -> None:
    """Reset a database that is newer than the journal.

    Facts that the journal lost are journaled again; projections continue from its end.
    """
    with engine.begin() as connection:
        connection.execute(fact.update().where(fact.c.entry_id > last_id).values(entry_id=None))
        connection.execute(
            projection.update().where(projection.c.cursor > last_id).values(cursor=last_id)
        )
