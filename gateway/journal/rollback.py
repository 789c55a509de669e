"""Notices a journal that came back from a backup, and begins a new log that names the old one.

What the restored log goes on with would differ from what it went on with before: it is closed as
it stands, and never extended (WIRE.md, section 4, kind ``open``).
"""

import logging

import sqlalchemy as sa

from gateway.database.tables import fact, projection
from gateway.journal.integrity.witness import LogMark, Witness
from gateway.journal.writer import Journal

_log = logging.getLogger(__name__)


def find_rollback(journal: Journal, witness: Witness) -> LogMark | None:
    """The log that somebody may have seen and that this journal does not hold; None: all is well.

    A journal without any witness has come from elsewhere: it may be older than what was shown.
    """
    noted = witness.seen()
    if not noted and journal.last_id:
        return LogMark(journal.log.origin, journal.log.frontier)
    unheld = [seen for seen in noted if not journal.log.holds(seen)]
    return max(unheld, key=lambda seen: seen.frontier.size, default=None)


def close_log(journal: Journal, seen: LogMark) -> dict[str, object]:
    """End the restored log where it stands; returns what the new log's ``open`` says of it.

    Call it inside a transaction, before that leaf.
    """
    log = journal.log
    kept = log.frontier.size if seen.origin == log.origin else 0
    _log.warning(
        "the journal holds %d leaves of log %s, of which %d were there before: it was restored "
        "from a backup. A new log begins, and the nodes are asked to send again what they hold",
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
    """Bring a database that is newer than the journal back to it.

    Facts that the journal lost are journaled again; projections go on from its end.
    """
    with engine.begin() as connection:
        connection.execute(fact.update().where(fact.c.entry_id > last_id).values(entry_id=None))
        connection.execute(
            projection.update().where(projection.c.cursor > last_id).values(cursor=last_id)
        )
