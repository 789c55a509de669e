"""The state of each device's eras: newest message, ack line, and which era was last in use."""

import sqlite3
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from gateway.domain.chain import NOWHERE, AckLine, ChainLink, Identity, advance
from gateway.domain.envelope import chain_hash_of
from gateway.domain.verdict import MessageIdentity


class Era(NamedTuple):
    """One era of a device. ``first`` is the entry of its first message.

    ``recency`` grows with every message of any device, so it sorts eras by their last message.
    ``loose`` counts the messages that are not linked on the line; ``root`` is the ``prev`` of the
    message where the line began.
    """

    device: str
    era: str
    first: int = 0
    recency: int = 0
    newest: Identity = NOWHERE
    line: AckLine = AckLine()
    loose: int = 0
    root: str = ""


KEPT = 8
"""Eras of one device in memory, so that a device that invents them cannot fill it. An honest node
draws a new era only when it loses its counters; older eras are read from the database."""

_COLUMNS = (
    "device, era, first, heard, newest_boot, newest_seq, line_boot, line_seq, line_h,"
    " old_boot, old_seq, loose, root"
)
_SAVE = "INSERT OR REPLACE INTO era VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ONE = f"SELECT {_COLUMNS} FROM era WHERE device = ? AND era = ?"  # noqa: S608 - constants
_NEWEST = (
    f"SELECT {_COLUMNS} FROM (SELECT *, row_number() OVER (PARTITION BY device"  # noqa: S608
    " ORDER BY heard DESC) AS age FROM era) WHERE age <= ? ORDER BY heard"
)


class Eras:
    """All eras; the newest of each device in memory, written inside the caller's transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._of: dict[str, dict[str, Era]] = {}  # each device's, by recency
        self._dirty: dict[tuple[str, str], None] = {}
        self._recency = 0
        self.reload()

    def reload(self) -> None:
        """Load the committed state: at the start, and after a rollback."""
        self._of = {}
        for row in self._database.execute(_NEWEST, (KEPT,)):
            era = _era(row)
            self._of.setdefault(era.device, {})[era.era] = era
            self._recency = max(self._recency, era.recency)
        self._dirty.clear()

    def get(self, device: str, era: str) -> Era:
        """The era, or a new one."""
        own = self._of.get(device, {})
        found = own.get(era)
        if found is None and len(own) >= KEPT:
            row = self._database.execute(_ONE, (device, era)).fetchone()
            found = _era(row) if row else None
        return found or Era(device, era)

    def touch(self, era: Era, newest: Identity | None = None, line: AckLine | None = None) -> Era:
        """Save ``era``, with ``newest`` and ``line`` where given, as its device's last in use."""
        self._recency += 1
        device, name, first, _, was_newest, was_line, loose, root = era
        touched = Era(
            device, name, first, self._recency, newest or was_newest, line or was_line, loose, root
        )
        own = self._of.setdefault(device, {})
        own.pop(name, None)
        own[name] = touched
        self._dirty[device, name] = None
        return touched

    def extended(
        self, device: str, identity: MessageIdentity, prev: str, old: Identity | None, link: str
    ) -> tuple[Era, AckLine] | None:
        """The era whose line this message simply extends, and the line with it; else None.

        Where every message of a device is linked on a line, no journaled message affects the next
        one: all places are behind it, and each ``prev`` is the hash of an earlier message, or a
        line's root.
        """
        own = self._of.get(device)
        if own is None or len(own) >= KEPT:
            return None
        era = own.get(identity[0])
        if era is None or not prev or era.line.end.h != prev:
            return None
        for one in own.values():
            if one.loose or one.root == prev:
                return None
        place = identity[1:]
        if place <= era.line.end.place:
            return None
        return era, AckLine(ChainLink(place, link), era.line.declared(old, place).old)

    def advanced(self, era: Era, old: Identity | None, by: Identity) -> tuple[Era, bool]:
        """``era`` with its line advanced after the message at ``by``, which declares ``old``.

        The second value is true where the line passed over messages that never came.
        """
        rows = _JournaledEra(self._database, era.device, era.era)
        line, began, linked, gap = advance(era.line.declared(old, by), rows)
        loose, root = era.loose + 1 - linked, era.root
        if began is not None:
            found = rows.prev(began.place)
            loose, root = (loose, root) if found is None else (loose - 1, found)
        return era._replace(line=line, loose=loose, root=root), gap

    def begun(self, device: str, era: str) -> Era:
        """As ``get``; a device's messages that belong to no era count as loose in its first."""
        found = self.get(device, era)
        if not found.first and not self._of.get(device):
            stray = "SELECT count(*) FROM message INDEXED BY message_identity WHERE device = ?"
            (loose,) = self._database.execute(stray, (device,)).fetchone()
            return found._replace(loose=loose)
        return found

    def last_of(self, device: str) -> Era | None:
        """The era of the device's last message, or None."""
        own = self._of.get(device)
        return next(reversed(own.values())) if own else None

    def all(self) -> list[Era]:
        """The eras in memory, by recency."""
        return sorted((e for own in self._of.values() for e in own.values()), key=_recency)

    def unsaved(self) -> list[Era]:
        """The eras that had a message in this transaction, by recency."""
        return sorted([self._of[device][era] for device, era in self._dirty], key=_recency)

    def save(self) -> None:
        """Write the changes since the last call."""
        changed = [_row(self._of[device][era]) for device, era in self._dirty]
        self._database.executemany(_SAVE, changed)
        for device, _ in self._dirty:
            own = self._of[device]
            while len(own) > KEPT:
                del own[next(iter(own))]
        self._dirty.clear()


_recency = attrgetter("recency")


def _era(row: Sequence[Any]) -> Era:
    device, era, first, recency, newest_boot, newest_seq, *line_of, loose, root = row
    boot, seq, h, old_boot, old_seq = line_of
    line = AckLine(ChainLink((boot, seq), h), (old_boot, old_seq))
    return Era(device, era, first, recency, (newest_boot, newest_seq), line, loose, root)


def _row(era: Era) -> tuple[str | int, ...]:
    device, name, first, recency, newest, (end, old), loose, root = era
    return (device, name, first, recency, *newest, *end.place, end.h, *old, loose, root)


# Without INDEXED BY, SQLite may take the index on identity and read a whole era each time.
_BY_PREV = (
    "SELECT boot, seq, hash FROM message INDEXED BY message_prev WHERE device = ? AND era = ?"
    " AND fork = 0 AND prev = ? AND boot IS NOT NULL ORDER BY boot, seq LIMIT 1"
)
_BY_PLACE = (
    "SELECT boot, seq, hash FROM message INDEXED BY message_identity WHERE device = ? AND era = ?"
    " AND fork = 0 AND boot = ? AND seq = ? LIMIT 1"
)
_PREV = _BY_PLACE.replace("boot, seq, hash", "prev")
_UNLINKED = _BY_PLACE.replace("LIMIT", "AND prev IS NULL LIMIT")


class _JournaledEra:
    """The journaled messages of one era, without forks (``domain.chain.JournaledEra``)."""

    def __init__(self, database: sqlite3.Connection, device: str, era: str) -> None:
        self._database = database
        self._era = (device, era)

    def first(self) -> ChainLink | None:
        return self.at((1, 1))

    def at(self, place: Identity) -> ChainLink | None:
        return self._one(_BY_PLACE, *place)

    def after(self, h: str) -> ChainLink | None:
        return self._one(_BY_PREV, h)

    def unlinked(self, place: Identity) -> ChainLink | None:
        return self._one(_UNLINKED, *place)

    def prev(self, place: Identity) -> str | None:
        """The ``prev`` of the message at ``place``, where it is readable."""
        (prev,) = self._database.execute(_PREV, (*self._era, *place)).fetchone() or (None,)
        return prev

    def _one(self, sql: str, *values: str | int) -> ChainLink | None:
        row = self._database.execute(sql, (*self._era, *values)).fetchone()
        return ChainLink((row[0], row[1]), chain_hash_of(row[2])) if row else None
