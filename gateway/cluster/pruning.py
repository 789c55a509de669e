"""Removes bodies from the shared table once they are in their gateway's archive.

The columns that identify a message stay, so that a message from a gateway that was away for a week,
or one that a node sends again, is a duplicate. A body goes when it has its place in the common
order and every projection has passed it, those of an absent gateway too.
"""

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from gateway.cluster import tables
from gateway.database.tables import projection
from gateway.journal.archive.reader import PAYLOADS
from gateway.journal.reader import JournalReader
from gateway.projections.watch.projection import NAME as WATCH

_log = logging.getLogger(__name__)

NAME = "pruning"
AT_ONCE = 1000
"""Entries in one transaction: some milliseconds."""
_POLL_S = 60.0
_REST_S = 0.1


@dataclass
class EntryPruner:
    """Prunes one gateway's entries. A ``Worker`` runs its ``turn``."""

    engine: sa.Engine
    open_journal: Callable[[], JournalReader]
    gateway: str
    _reported: str = ""

    def turn(self) -> float:
        """Prune a thousand entries; returns the wait in real s."""
        self._register()
        return _REST_S if self._prune() else _POLL_S

    def _register(self) -> None:
        """Publish our archive files whose bodies are no longer in the journal."""
        with closing(self.open_journal()) as journal:
            done = [row for row in journal.segments() if row.removed == row.last]
        rows = [
            {
                "gateway": self.gateway, "first": row.first, "last": row.last, "name": row.name,
                "digest": row.digest, "bytes": row.bytes, "pruned": row.first - 1,
            }
            for row in done
        ]  # fmt: skip
        if rows:
            with self.engine.begin() as connection:
                connection.execute(insert(tables.segment).on_conflict_do_nothing(), rows)

    def _prune(self) -> bool:
        """Prune a range; returns whether there was one."""
        s, e = tables.segment.c, tables.entry.c
        mine = sa.and_(s.gateway == self.gateway, s.pruned < s.last)
        with self.engine.begin() as connection:
            due = sa.select(tables.segment).where(mine).order_by(s.first).limit(1)
            row = connection.execute(due.with_for_update()).first()
            if row is None:
                return False
            first, last = row.pruned + 1, min(row.last, row.pruned + AT_ONCE)
            if not self._has_passed(connection, first, last):
                return False
            these = sa.and_(e.gateway == self.gateway, e.entry.between(first, last))
            bodies = sa.and_(these, e.kind.in_(PAYLOADS), sa.func.length(e.body) > 0)
            connection.execute(sa.update(tables.entry).where(bodies).values(body=b""))
            segment = sa.and_(s.gateway == self.gateway, s.first == row.first)
            connection.execute(sa.update(tables.segment).where(segment).values(pruned=last))
        return True

    def _has_passed(self, connection: sa.Connection, first: int, last: int) -> bool:
        """Whether every projection has passed these entries; logs the first that has not."""
        p, m = tables.place.c, tables.merged.c
        placed = sa.select(m.entry).where(m.gateway == self.gateway)
        if (connection.execute(placed).scalar() or 0) < last:
            return False
        own = sa.and_(p.gateway == self.gateway, p.entry.between(first, last))
        place = connection.execute(sa.select(sa.func.max(p.place)).where(own)).scalar() or 0
        rows = connection.execute(sa.select(projection.c.name, projection.c.cursor)).all()
        cursors = {WATCH: 0, **{row.name: row.cursor for row in rows}}
        name, at = min(cursors.items(), key=lambda item: item[1])
        if at < place and name != self._reported:
            self._reported = name
            text = "the shared table keeps the bodies that %r has not read: its cursor is at %d"
            _log.warning(text, name, at)
        return at >= place
