"""Journals the facts that other processes queued in the database."""

import logging
from typing import Any

import sqlalchemy as sa

from gateway.database.tables import fact
from gateway.database.transaction import write_transaction
from gateway.journal.writer import Journal

_log = logging.getLogger(__name__)

BATCH = 500
_PENDING = sa.select(fact).where(fact.c.entry_id.is_(None)).order_by(fact.c.id).limit(BATCH)
_PLACED = (
    fact.update().where(fact.c.id == sa.bindparam("row")).values(entry_id=sa.bindparam("entry"))
)
UNFIT = 0
"""``entry_id`` of a fact that cannot be a leaf: it is logged, kept, and not tried again."""


def journal_pending(engine: sa.Engine, journal: Journal) -> int:
    """Journal up to 500 pending facts; returns how many. Journals each once, also after a crash.

    Raises JournalError, or SQLAlchemy's OperationalError when the database is locked.
    """
    with engine.connect() as connection:
        rows = connection.execute(_PENDING).all()
    if not rows:
        return 0
    with journal.transaction():
        placed = [{"row": row.id, "entry": _append(journal, row)} for row in rows]
    with write_transaction(engine) as connection:
        connection.execute(_PLACED, placed)
    return len(rows)


def _append(journal: Journal, row: sa.Row[Any]) -> int:
    try:
        return journal.append_fact_once(
            row.key, row.kind, row.time, row.body, row.subject, row.lines
        )
    except (ValueError, TypeError) as error:
        _log.error("fact %s cannot be journaled: %s", row.key, error)
        return UNFIT
