"""Where the watch's saved state stands in the journal, behind what was told and saved since.

The state of all tanks that spoke is the dear part of a save, and it follows from the entries. So
it may be saved less often than what came of them: after a crash it is taken up where it stands,
and the entries from there to the cursor are heard again, in silence.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol

import sqlalchemy as sa

from gateway.database import dead_letters
from gateway.domain.entry import Entry

KEY = "stands"
"""Of the state's row that says where the others stand: [entry, version of the registry]."""

_LONGEST_S = 30.0
_MOST_ENTRIES = 20_000  # heard again in about two seconds
_MANY_TANKS = 1000
"""The state of more than these is saved with each save: together it would take too long at once."""
_CHUNK = 2000


class CheckpointSource(Protocol):
    """What is needed of ``gateway.journal.reader.JournalReader``."""

    def entries(self, after: int, limit: int) -> list[Entry]:
        """The next entries after ``after``, at most ``limit``."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...


@dataclass(slots=True)
class Checkpoint:
    """The state that is saved is that after ``entry``, under ``version`` of the registry.

    ``is_stale``: something happened that entries alone do not bring back; the next save holds all.
    """

    entry: int
    version: int
    saved_at: float = field(default_factory=monotonic)
    is_stale: bool = False

    @classmethod
    def of(cls, saved: Mapping[str, Any], entry: int, version: int) -> "Checkpoint":
        """As ``saved`` says; where it says nothing yet, the cursor's ``entry`` and ``version``.

        It stands ahead of the cursor only where the journal came back from a backup: the next save
        then holds all, or what is heard from here on would be taken for heard.
        """
        if KEY not in saved:
            return cls(entry, version, is_stale=True)
        stands, under = saved[KEY]
        return cls(stands, under, is_stale=stands > entry)

    def is_due(self, entry: int, tanks: int, *, rush: bool) -> bool:
        """Whether a save behind ``entry`` is to hold the state as well, of so many ``tanks``."""
        if self.is_stale or entry - self.entry >= _MOST_ENTRIES:
            return True
        return (tanks > _MANY_TANKS and not rush) or self.left_s() <= 0

    def left_s(self) -> float:
        """How long until it is due (real s)."""
        return self.saved_at + _LONGEST_S - monotonic()

    def saved(self, entry: int, version: int) -> None:
        """It was saved behind ``entry``."""
        self.entry, self.version = entry, version
        self.saved_at, self.is_stale = monotonic(), False


def entries_since(
    connection: sa.Connection, journal: CheckpointSource, name: str, after: int, last: int
) -> Iterator[Entry]:
    """The entries behind ``after`` up to ``last``, without those that ``name`` set aside."""
    query = sa.select(dead_letters.set_aside.c.what).where(dead_letters.set_aside.c.source == name)
    poison = set(connection.execute(query).scalars())
    while chunk := journal.entries(after, min(last - after, _CHUNK)):
        yield from (e for e in chunk if e.id <= last and f"entry {e.id}" not in poison)
        after = chunk[-1].id
