"""What the journal knows of each device's eras: newest message, line, and who spoke last."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from gateway.database import bulk_insert
from gateway.domain.chain import NOWHERE, AckLine, ChainLink, Identity, walk
from gateway.domain.envelope import chain_hash_of
from gateway.journal.group_commit import GroupCommit, Write


class Era(NamedTuple):
    """One era of a device. ``first`` is an entry's id, ``heard`` grows with every message."""

    device: str
    era: str
    first: int = 0
    heard: int = 0
    newest: Identity = NOWHERE
    line: AckLine = AckLine()
    loose: int = 0
    """How many of its messages do not stand on the line, each linked to the one before."""
    root: str = ""
    """The ``prev`` of the message with which the line began."""


MOST = 1 << 32
"""Above every boot and seq."""

KEPT = 8
"""Eras of one device in memory: a device that invents them must not fill it. An honest node draws
one when its counters are lost; older ones are looked up."""

_ONE = (
    "SELECT device, era, first, heard, newest_boot, newest_seq, line_boot, line_seq, line_h,"
    " old_boot, old_seq, loose, root FROM era WHERE device = ? AND era = ?"
)
_NEWEST = (
    "SELECT device, era, first, heard, newest_boot, newest_seq, line_boot, line_seq, line_h,"
    " old_boot, old_seq, loose, root FROM (SELECT *, row_number() OVER (PARTITION BY device"
    " ORDER BY heard DESC) AS age FROM era) WHERE age <= ? ORDER BY heard"
)


class Eras:
    """The eras, the last ones of each device in memory, written inside the caller's transaction."""

    def __init__(self, disk: GroupCommit) -> None:
        self._disk = disk
        self._of: dict[str, dict[str, Era]] = {}  # the last spoken last
        self._dirty: dict[tuple[str, str], None] = {}
        self._heard = 0
        self.reload()

    def reload(self) -> None:
        """Load what is committed: at the start, and after a rollback."""
        self._of = {}
        for row in self._disk.execute(_NEWEST, (KEPT,)):
            era = _era(row)
            self._of.setdefault(era.device, {})[era.era] = era
            self._heard = max(self._heard, era.heard)
        self._dirty.clear()

    def get(self, device: str, era: str) -> Era:
        """The era as known, or a fresh one."""
        own = self._of.get(device, {})
        found = own.get(era)
        if found is None and len(own) >= KEPT:
            row = self._disk.execute(_ONE, (device, era)).fetchone()
            found = _era(row) if row else None
        return found or Era(device, era)

    def spoke(self, era: Era, newest: Identity | None = None, line: AckLine | None = None) -> Era:
        """``era`` as it is after one more of its messages, which is the last one heard.

        With ``newest`` and ``line``, as that message made them.
        """
        self._heard += 1
        device, name, first, _, was_newest, was_line, loose, root = era
        spoken = Era(
            device, name, first, self._heard, newest or was_newest, line or was_line, loose, root
        )
        own = self._of.setdefault(device, {})
        own.pop(name, None)
        own[name] = spoken
        self._dirty[device, name] = None
        return spoken

    def standing(self, device: str) -> tuple[str, Identity, str] | None:
        """Era, place and hash where a device's last line stands, if ``followed`` could follow."""
        era = self.last_of(device)
        if era is None or self.followed(device, (era.era, MOST, MOST), era.line.end.h) is None:
            return None
        return era.era, era.line.end.place, era.line.end.h

    def followed(self, device: str, identity: tuple[str, int, int], prev: str) -> Era | None:
        """The era whose line this message simply goes on; else None, and it must be looked up.

        Where every message of a device stands on a line, each linked to the one before, nothing
        journaled can touch the one that follows: places are all behind it, and each ``prev`` is
        the hash of an earlier message, or a line's root.
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
        return era if identity[1:] > era.line.end.place else None

    @staticmethod
    def stepped(era: Era, line: AckLine, place: Identity, prev: str) -> Era:
        """``era`` after the one message at ``place``, not yet counted, moved its line so."""
        loose, root = era.loose + 1, era.root
        if line.end.place == place and not era.line.begun:
            loose, root = loose - 1, prev
        elif line.end.place == place and prev == era.line.end.h:
            loose -= 1
        return era._replace(line=line, loose=loose, root=root)

    def advanced(self, era: Era, old: Identity | None, by: Identity) -> tuple[Era, bool]:
        """``era`` after the message at ``by``, not yet counted in it, which declares ``old``.

        And whether its line passed over messages that never came.
        """
        held = _Held(self._disk, era.device, era.era)
        line, began, linked, gap = walk(era.line.declared(old, by), held)
        loose, root = era.loose + 1 - linked, era.root
        if began is not None:
            found = held.prev(began.place)
            loose, root = (loose, root) if found is None else (loose - 1, found)
        return era._replace(line=line, loose=loose, root=root), gap

    def begun(self, device: str, era: str) -> Era:
        """As ``get``; where a message of the device stands in no era at all, that one is loose."""
        found = self.get(device, era)
        if not found.first and not self._of.get(device):
            stray = "SELECT count(*) FROM message INDEXED BY message_identity WHERE device = ?"
            (loose,) = self._disk.execute(stray, (device,)).fetchone()
            return found._replace(loose=loose)
        return found

    def last_of(self, device: str) -> Era | None:
        """The era of the device's last message, or None."""
        own = self._of.get(device)
        return next(reversed(own.values())) if own else None

    def all(self) -> list[Era]:
        """The last ones of each device, the last message's last."""
        return sorted((e for own in self._of.values() for e in own.values()), key=_heard)

    def unsaved(self) -> list[Era]:
        """Those that spoke in this transaction, the last message's last."""
        return sorted([self._of[device][era] for device, era in self._dirty], key=_heard)

    def hand_over(self) -> Write:
        """What changed, to be written in the transaction."""
        changed = [self._of[device][era] for device, era in self._dirty]
        for device, _ in self._dirty:
            own = self._of[device]
            while len(own) > KEPT:
                del own[next(iter(own))]
        self._dirty.clear()
        into = "INSERT OR REPLACE INTO era"
        return lambda connection: bulk_insert.insert(
            connection, into, [_row(era) for era in changed]
        )


def _heard(era: Era) -> int:
    return era.heard


def _era(row: Sequence[Any]) -> Era:
    device, era, first, heard, newest_boot, newest_seq, *line_of, loose, root = row
    boot, seq, h, old_boot, old_seq = line_of
    line = AckLine(ChainLink((boot, seq), h), (old_boot, old_seq))
    return Era(device, era, first, heard, (newest_boot, newest_seq), line, loose, root)


def _row(era: Era) -> tuple[str | int, ...]:
    device, name, first, heard, newest, (end, old), loose, root = era
    return (device, name, first, heard, *newest, *end.place, end.h, *old, loose, root)


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


class _Held:
    """The journaled messages of one era, forks left out."""

    def __init__(self, disk: GroupCommit, device: str, era: str) -> None:
        self._disk = disk
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
        """What the message at ``place`` names as the one before it, where that can be read."""
        row = self._disk.execute(_PREV, (*self._era, *place)).fetchone()
        return row[0] if row else None

    def _one(self, sql: str, *values: str | int) -> ChainLink | None:
        row = self._disk.execute(sql, (*self._era, *values)).fetchone()
        return ChainLink((row[0], row[1]), chain_hash_of(row[2])) if row else None
