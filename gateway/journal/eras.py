"""What the journal knows of each device's eras: newest message, line, and who spoke last."""

import sqlite3
from dataclasses import dataclass, field, replace

from gateway.domain.envelope import link_of
from gateway.domain.line import NOWHERE, Identity, Line, Link, advanced


@dataclass(frozen=True, slots=True)
class Era:
    """One era of a device. ``first`` is an entry's id, ``heard`` grows with every message."""

    device: str
    era: str
    first: int = 0
    heard: int = 0
    newest: Identity = NOWHERE
    line: Line = field(default=Line())


class Eras:
    """All eras, kept in memory and written through inside the caller's transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._eras: dict[tuple[str, str], Era] = {}
        self._dirty: dict[tuple[str, str], None] = {}
        self._last: dict[str, tuple[str, str]] = {}
        self._heard = 0
        self.reload()

    def reload(self) -> None:
        """Load what is committed: at the start, and after a rollback."""
        rows = self._connection.execute(
            "SELECT device, era, first, heard, newest_boot, newest_seq,"
            " line_boot, line_seq, line_h, old_boot, old_seq FROM era"
        )
        self._eras = {(row[0], row[1]): _era(row) for row in rows}
        self._dirty.clear()
        self._last = {era.device: (era.device, era.era) for era in self.all()}
        self._heard = max((e.heard for e in self._eras.values()), default=0)

    def get(self, device: str, era: str) -> Era:
        """The era as known, or a fresh one."""
        return self._eras.get((device, era)) or Era(device, era)

    def spoke(self, era: Era) -> None:
        """``era`` as it is after one more of its messages, which is the last one heard."""
        self._heard += 1
        key = (era.device, era.era)
        self._eras[key] = replace(era, heard=self._heard)
        self._dirty[key] = None
        self._last[era.device] = key

    def advance(self, era: Era, old: Identity | None, by: Identity) -> Era:
        """``era`` with its line moved on after the message at ``by``, which declares ``old``."""
        line = era.line.declared(old, by)
        held = _Held(self._connection, era.device, era.era)
        return replace(era, line=advanced(line, held))

    def last_of(self, device: str) -> Era | None:
        """The era of the device's last message, or None."""
        key = self._last.get(device)
        return self._eras[key] if key else None

    def all(self) -> list[Era]:
        """All, each device's last message's era last."""
        return sorted(self._eras.values(), key=lambda e: e.heard)

    def save(self) -> None:
        """Write what changed, before the transaction's commit."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO era VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [_row(self._eras[key]) for key in self._dirty],
        )
        self._dirty.clear()


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
