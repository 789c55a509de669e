"""Counts over the life of the data folder, committed together with the messages counted."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

RECEIVED = ("stored", "duplicate", "flagged", "late", "fork")
REFUSED = ("bad_mac", "unknown_device", "revoked", "old_key", "oversize", "flood")
FEEDS = ("feed_retained", "feed_unreadable", "feed_refused")
"""Refused third-party messages: retained, unreadable, or from a device without the right."""
_REPORTED, _LAST, _OF = "told.", "last.", "@"
"""In the names of other counts: the part already reported; the last time; the device."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How often an anomaly ``what`` occurred for a device, and when last (Unix s)."""

    device: str
    what: str
    count: int
    last: int


class Counters:
    """Named counts in memory, written inside the caller's transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._dirty: set[str] = set()
        self._marked: set[str] = set()
        self._values: dict[str, int] = {}
        self.reload()

    def reload(self) -> None:
        """Load the committed state: at the start, and after a rollback."""
        self._values = read(self._database)
        self._dirty.clear()

    def add(self, name: str) -> None:
        """Count one more ``name``."""
        self._values[name] = self._values.get(name, 0) + 1
        self._dirty.add(name)

    def mark(self, what: str, device: str, received: float) -> None:
        """Count one more ``what`` for a known device: unknown names would grow without bound."""
        name = what + _OF + device
        self.add(name)
        self._values[_LAST + name] = int(received)
        self._dirty.add(_LAST + name)
        self._marked.add(name)

    def marks(self, changed_only: bool = False) -> list[Mark]:
        """All marks; with ``changed_only``, those that changed since the last such call."""
        names = self._marked if changed_only else {n for n in self._values if _is_mark(n)}
        found = [_mark(name, self._values) for name in sorted(names) if name in self._values]
        if changed_only:
            self._marked = set()
        return found

    def take_refused(self) -> dict[str, int]:
        """What was refused since the last call, by reason; for the hourly ``bad`` leaf."""
        found: dict[str, int] = {}
        for name in (*REFUSED, *FEEDS):
            count = self._values.get(name, 0)
            if new := count - self._values.get(_REPORTED + name, 0):
                found[name] = new
                self._values[_REPORTED + name] = count
                self._dirty.add(_REPORTED + name)
        return found

    def save(self) -> None:
        """Write the changes since the last call."""
        rows = [(name, self._values[name]) for name in self._dirty]
        self._database.executemany("INSERT OR REPLACE INTO counter VALUES (?, ?)", rows)
        self._dirty.clear()


def _is_mark(name: str) -> bool:
    return _OF in name and not name.startswith(_LAST)


def _mark(name: str, values: Mapping[str, int]) -> Mark:
    what, _, device = name.partition(_OF)
    return Mark(device, what, values[name], values.get(_LAST + name, 0))


def read(connection: sqlite3.Connection) -> dict[str, int]:
    """All counts by name."""
    return dict(connection.execute("SELECT name, value FROM counter").fetchall())


def status(counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """``received``, ``refused`` and the journal's number of messages, by WIRE.md's names."""
    received = {name: counts.get(name, 0) for name in RECEIVED}
    kept = sum(received.values()) - received["duplicate"]
    refused = {name: counts.get(name, 0) for name in REFUSED}
    feeds = {name.removeprefix("feed_"): counts.get(name, 0) for name in FEEDS}
    return {
        "received": received, "refused": refused, "journal": {"messages": kept}, "feeds": feeds,
    }  # fmt: skip
