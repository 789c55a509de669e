"""Counts over the life of the data folder, committed with what they count."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.journal.group_commit import Connection, GroupCommit, Write

RECEIVED = ("stored", "duplicate", "flagged", "late", "fork")
REFUSED = ("bad_mac", "unknown_device", "revoked", "old_key", "oversize", "flood")
FEEDS = ("feed_retained", "feed_unreadable", "feed_refused")
"""Third-party messages that were not taken: old ones, such as say nothing, such as may not."""
_TOLD = "told."
_OF, _LAST = "@", "last."


@dataclass(frozen=True, slots=True)
class Mark:
    """How often something odd came under a device's name, and when last (Unix s)."""

    device: str
    what: str
    count: int
    last: int


class Counters:
    """Named counts in memory, written through inside the caller's transaction."""

    def __init__(self, disk: GroupCommit) -> None:
        self._disk = disk
        self._dirty: set[str] = set()
        self._marked: set[str] = set()
        self._values: dict[str, int] = {}
        self.reload()

    def reload(self) -> None:
        """Load what is committed: at the start, and after a rollback."""
        self._values = read(self._disk)
        self._dirty.clear()

    def add(self, name: str) -> None:
        """One more of ``name``."""
        self._values[name] = self._values.get(name, 0) + 1
        self._dirty.add(name)

    def mark(self, what: str, device: str, received: float) -> None:
        """One more ``what`` under the name of a device that we know: so they stay bounded."""
        name = what + _OF + device
        self.add(name)
        self._values[_LAST + name] = int(received)
        self._dirty.add(_LAST + name)
        self._marked.add(name)

    def marks(self, since_asked: bool = False) -> list[Mark]:
        """What was marked; with ``since_asked``, only what changed since the last such call."""
        names = self._marked if since_asked else {n for n in self._values if _is_mark(n)}
        found = [_mark(name, self._values) for name in sorted(names) if name in self._values]
        if since_asked:
            self._marked = set()
        return found

    def refused_since_told(self) -> dict[str, int]:
        """What was refused since this was last asked, by reason; for the hourly ``bad`` leaf."""
        news: dict[str, int] = {}
        for name in (*REFUSED, *FEEDS):
            count = self._values.get(name, 0)
            if count > self._values.get(_TOLD + name, 0):
                news[name] = count - self._values.get(_TOLD + name, 0)
                self._values[_TOLD + name] = count
                self._dirty.add(_TOLD + name)
        return news

    def take_pending(self) -> Write:
        """What changed, to be written in the transaction."""
        rows = [(name, self._values[name]) for name in self._dirty]
        self._dirty.clear()
        into = "INSERT OR REPLACE INTO counter VALUES (?, ?)"
        return lambda connection: connection.executemany(into, rows)


def _is_mark(name: str) -> bool:
    return _OF in name and not name.startswith(_LAST)


def _mark(name: str, values: Mapping[str, int]) -> Mark:
    what, _, device = name.partition(_OF)
    return Mark(device, what, values[name], values.get(_LAST + name, 0))


def read(connection: Connection) -> dict[str, int]:
    """All counts by name."""
    return dict(connection.execute("SELECT name, value FROM counter").fetchall())


def status(counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """``received``, ``refused`` and the journal's number of messages, as WIRE.md names them."""
    received = {name: counts.get(name, 0) for name in RECEIVED}
    kept = sum(received.values()) - received["duplicate"]
    refused = {name: counts.get(name, 0) for name in REFUSED}
    feeds = {name.removeprefix("feed_"): counts.get(name, 0) for name in FEEDS}
    return {
        "received": received, "refused": refused, "journal": {"messages": kept}, "feeds": feeds,
    }  # fmt: skip
