"""What the journal knows of each device's eras: newest message, line, and who spoke last."""

import sqlite3
from typing import NamedTuple

from gateway.domain.envelope import link_of
from gateway.domain.line import NOWHERE, Identity, Line, Link, advanced
from gateway.journal import bulk


class Era(NamedTuple):
    """One era of a device. ``first`` is an entry's id, ``heard`` grows with every message."""

    device: str
    era: str
    first: int = 0
    heard: int = 0
    newest: Identity = NOWHERE
    line: Line = Line()


KEPT = 8
"""Eras of one device in memory: a device that invents them must not fill it. An honest node draws
one when its counters are lost; older ones are looked up."""

_ONE = (
    "SELECT device, era, first, heard, newest_boot, newest_seq, line_boot, line_seq, line_h,"
    " old_boot, old_seq FROM era WHERE device = ? AND era = ?"
)
_NEWEST = (
    "SELECT device, era, first, heard, newest_boot, newest_seq, line_boot, line_seq, line_h,"
    " old_boot, old_seq FROM (SELECT *, row_number() OVER (PARTITION BY device"
    " ORDER BY heard DESC) AS age FROM era) WHERE age <= ? ORDER BY heard"
)


class Eras:
    """The eras, the last ones of each device in memory, written inside the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._of: dict[str, dict[str, Era]] = {}  # the last spoken last
        self._dirty: dict[tuple[str, str], None] = {}
        self._heard = 0
        self.reload()

    def reload(self) -> None:
        """Load what is committed: at the start, and after a rollback."""
        self._of = {}
        for row in self._connection.execute(_NEWEST, (KEPT,)):
            era = _era(row)
            self._of.setdefault(era.device, {})[era.era] = era
            self._heard = max(self._heard, era.heard)
        self._dirty.clear()

    def get(self, device: str, era: str) -> Era:
        """The era as known, or a fresh one."""
        own = self._of.get(device, {})
        found = own.get(era)
        if found is None and len(own) >= KEPT:
            row = self._connection.execute(_ONE, (device, era)).fetchone()
            found = _era(row) if row else None
        return found or Era(device, era)

    def spoke(self, era: Era) -> Era:
        """``era`` as it is after one more of its messages, which is the last one heard."""
        self._heard += 1
        spoken = Era(era.device, era.era, era.first, self._heard, era.newest, era.line)
        own = self._of.setdefault(era.device, {})
        own.pop(era.era, None)
        own[era.era] = spoken
        self._dirty[era.device, era.era] = None
        return spoken

    def advanced(self, era: Era, old: Identity | None, by: Identity) -> Line:
        """The line of ``era`` moved on after the message at ``by``, which declares ``old``."""
        line = era.line.declared(old, by)
        return advanced(line, _Held(self._connection, era.device, era.era))

    def last_of(self, device: str) -> Era | None:
        """The era of the device's last message, or None."""
        own = self._of.get(device)
        return next(reversed(own.values())) if own else None

    def all(self) -> list[Era]:
        """The last ones of each device, the last message's last."""
        return sorted((e for own in self._of.values() for e in own.values()), key=_heard)

    def save(self) -> None:
        """Write what changed, before the transaction's commit."""
        rows = [_row(self._of[device][era]) for device, era in self._dirty]
        bulk.insert(self._connection, "INSERT OR REPLACE INTO era", rows)
        for device, _ in self._dirty:
            own = self._of[device]
            while len(own) > KEPT:
                del own[next(iter(own))]
        self._dirty.clear()


def _heard(era: Era) -> int:
    return era.heard


def _era(row: tuple[str, str, int, int, int, int, int, int, str, int, int]) -> Era:
    device, era, first, heard, newest_boot, newest_seq, boot, seq, h, old_boot, old_seq = row
    line = Line(Link((boot, seq), h), (old_boot, old_seq))
    return Era(device, era, first, heard, (newest_boot, newest_seq), line)


def _row(era: Era) -> tuple[str | int, ...]:
    line = era.line
    places = (*era.newest, *line.end.place, line.end.h, *line.old)
    return (era.device, era.era, era.first, era.heard, *places)


# Without INDEXED BY, SQLite may take the index on identity and read a whole era each time.
_BY_PREV = (
    "SELECT boot, seq, hash FROM message INDEXED BY message_prev WHERE device = ? AND era = ?"
    " AND fork = 0 AND prev = ? AND boot IS NOT NULL ORDER BY boot, seq LIMIT 1"
)
_BY_PLACE = (
    "SELECT boot, seq, hash FROM message INDEXED BY message_identity WHERE device = ? AND era = ?"
    " AND fork = 0 AND boot = ? AND seq = ? LIMIT 1"
)
_UNLINKED = _BY_PLACE.replace("LIMIT", "AND prev IS NULL LIMIT")


class _Held:
    """The journaled messages of one era, forks left out."""

    def __init__(self, connection: sqlite3.Connection, device: str, era: str) -> None:
        self._connection = connection
        self._era = (device, era)

    def first(self) -> Link | None:
        return self.at((1, 1))

    def at(self, place: Identity) -> Link | None:
        return self._one(_BY_PLACE, *place)

    def after(self, h: str) -> Link | None:
        return self._one(_BY_PREV, h)

    def unlinked(self, place: Identity) -> Link | None:
        return self._one(_UNLINKED, *place)

    def _one(self, sql: str, *values: str | int) -> Link | None:
        row = self._connection.execute(sql, (*self._era, *values)).fetchone()
        return Link((row[0], row[1]), link_of(row[2])) if row else None
