"""The journal entry up to which the watch's saved state is current.

Saving the state of all changed tanks is the expensive part of a save, and the state follows from
the entries. So it is saved less often than the outputs: after a crash the watch loads it and
replays the entries up to the cursor without writing their outputs again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import cast

import sqlalchemy as sa

from gateway.database import dead_letters
from gateway.domain.entry import Entry
from gateway.domain.watch.memory.json_codec import JSON
from gateway.projections.runner import JournalSource

KEY = "stands"
"""Key of the saved checkpoint, next to the keys of the state: [entry, registry version].

Its text is in databases already, so it stays.
"""

_LONGEST_S = 30.0
_MOST_ENTRIES = 20_000  # replayed in about two seconds
_CHUNK = 2000


@dataclass(slots=True)
class Checkpoint:
    """The saved state is the one after ``entry``, under ``version`` of the registry.

    ``is_stale``: the state also depends on something other than entries, so the next save must
    include it.
    """

    entry: int
    version: int
    saved_at: float = field(default_factory=monotonic)
    is_stale: bool = False

    @classmethod
    def of(cls, saved: Mapping[str, JSON], entry: int, version: int) -> "Checkpoint":
        """The checkpoint in ``saved``, or one at the cursor's ``entry`` and ``version``.

        It is ahead of the cursor only after the journal was restored from a backup: then it is
        stale, or the entries up to it would count as already applied.
        """
        if KEY not in saved:
            return cls(entry, version, is_stale=True)
        at, under = cast(list[int], saved[KEY])
        return cls(at, under, is_stale=at > entry)

    def is_due(self, entry: int) -> bool:
        """Whether a save at ``entry`` must include the state."""
        return self.is_stale or entry - self.entry >= _MOST_ENTRIES or self.left_s() <= 0

    def left_s(self) -> float:
        """How long until it is due (real s)."""
        return self.saved_at + _LONGEST_S - monotonic()

    def record(self, entry: int, version: int) -> None:
        """Note that the state was saved at ``entry``."""
        self.entry, self.version = entry, version
        self.saved_at, self.is_stale = monotonic(), False


def entries_since(
    connection: sa.Connection, journal: JournalSource, name: str, after: int, last: int
) -> Iterator[Entry]:
    """The entries after ``after`` up to ``last``, without the dead letters of ``name``."""
    dead = dead_letters.entries(connection, name)
    while chunk := journal.entries(after, min(last - after, _CHUNK)):
        yield from (e for e in chunk if e.id <= last and e.id not in dead)
        after = chunk[-1].id
