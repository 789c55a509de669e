"""The readings' projection: journal entries become rows of the store.

What is in the store is always what the saved state (the boots' clocks) and the saved registry
version say of the entries up to the cursor. So when a better clock or another calibration moves
history, the rows as they were and as they are can both be worked out again, and after a crash in
the middle the same is done once more.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from gateway import wire
from gateway.domain.heard import Auth, Reading
from gateway.domain.interpret import Interpreter
from gateway.domain.message import Message
from gateway.domain.registry import Registry
from gateway.errors import ArchiveError
from gateway.journal.entry import Entry
from gateway.projections import cursor, set_aside
from gateway.projections.cursor import JSON
from gateway.projections.recalibrated import recalibrated
from gateway.registry import rows
from gateway.stores.port import ReadingStore
from gateway.transaction import writing

_log = logging.getLogger(__name__)

NAME = "store"
_REGISTRY = "#registry"  # no device is called that
_CLOCK_AHEAD_S = 300.0  # a device's clock is believed up to this far past receipt (WIRE.md)
_CHUNK = 2000


class Journal(Protocol):
    """What it needs of ``gateway.journal.reader.JournalReader``."""

    def entries(self, after: int, limit: int) -> list[Entry]:
        """The next entries after ``after``."""
        ...

    def boot_entries(self, device: str, era: str, boot: int, after: int = 0) -> list[Entry]:
        """The messages of one boot behind entry ``after``, forks left out."""
        ...

    def received_at(self, entry: int) -> float | None:
        """When an entry was received (Unix s)."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...


@dataclass(frozen=True, slots=True)
class _Spoken:
    """One message of the journal that counts."""

    entry: int
    message: Message
    received: float
    auth: Auth
    newest: bool


class Readings:
    """A ``Projection``. ``rows_written`` counts, for progress."""

    def __init__(
        self,
        store: ReadingStore,
        open_journal: Callable[[], Journal],
        engine: sa.Engine,
        name: str = NAME,
    ) -> None:
        self.name = name
        self._store = store
        self._open_journal = open_journal
        self._engine = engine
        self._saved: dict[str, Any] = {}
        self._version = 0
        self._at = 0.0
        self._interpreter = Interpreter(Registry())
        self.rows_written = 0

    def restore(self) -> None:
        """Load the boots' clocks and the registry as they stood at the cursor."""
        with self._engine.connect() as connection:
            state = cursor.load_state(connection, self.name)
            version = state.pop(_REGISTRY, None)
            self._version = version if isinstance(version, int) else 0
            registry = rows.load_from(connection, self._version)
        self._saved = dict(state)
        self._interpreter = Interpreter(registry, self._saved)

    def apply(self, entries: list[Entry]) -> None:
        """Write what these entries say, then move the cursor behind them."""
        self._at = entries[0].received
        self._follow_registry(before=entries[0].id)
        spoken = list(_spoken(entries))
        moved: set[tuple[str, str, int]] = set()
        placed: list[tuple[_Spoken, Sequence[Reading]]] = []
        for one in spoken:
            meant = self._interpreter.hear(
                one.message, one.received, auth=one.auth, newest=one.newest
            )
            moved |= {(one.message.device, era, boot) for era, boot in meant.moved_boots}
            placed.append((one, meant.heard.readings if meant.heard else ()))
        self._move(moved, before=entries[0].id)
        self._write(self._settled(placed, moved))
        self._save(entries[-1].id)

    def idle(self, now: float) -> float | None:
        """No timers."""
        return None

    def _settled(
        self,
        placed: Iterable[tuple[_Spoken, Sequence[Reading]]],
        moved: set[tuple[str, str, int]],
    ) -> Iterator[Reading]:
        """The batch's rows; those of a boot that moved meanwhile are placed again."""
        for one, readings in placed:
            m = one.message
            if (m.device, m.era, m.boot) in moved:
                yield from self._interpreter.place(m, one.received, one.auth)
            else:
                yield from readings

    def _move(self, moved: set[tuple[str, str, int]], before: int) -> None:
        """Place the older messages of these boots again."""
        if not moved:
            return
        old = Interpreter(self._interpreter.registry, self._saved)
        with closing(self._open_journal()) as journal:
            for boot in sorted(moved):
                older = (e for e in self._boot(journal, *boot) if e.id < before)
                self._replace(old, self._interpreter, _spoken(older))

    def _follow_registry(self, before: int) -> None:
        """When the registry changed, make history of it again where it means something else."""
        version = rows.version(self._engine)
        if version == self._version:
            return
        with self._engine.connect() as connection:
            registry = rows.load_from(connection, version)
        changed = recalibrated(self._interpreter.registry, registry)
        since = {device: at for device, at in changed.items() if device in self._saved}
        new = Interpreter(registry, self._saved)
        if since:
            self._place_again(self._interpreter, new, since, before)
        self._interpreter, self._version = new, version

    def _place_again(
        self, old: Interpreter, new: Interpreter, since: dict[str, float], before: int
    ) -> None:
        with closing(self._open_journal()) as journal:
            after = _entry_before(journal, min(since.values()) - _CLOCK_AHEAD_S, before)
            while chunk := self._chunk(journal, after):
                theirs = (e for e in chunk if e.id < before and e.subject in since)
                self._replace(old, new, _spoken(theirs))
                after = chunk[-1].id
                if after >= before:
                    return

    def _boot(self, journal: Journal, device: str, era: str, boot: int) -> list[Entry]:
        """One boot, without what lies in an archived month whose file is missing."""
        after = 0
        while True:
            try:
                return journal.boot_entries(device, era, boot, after)
            except ArchiveError as error:
                after = self._passed_by(error)

    def _chunk(self, journal: Journal, after: int) -> list[Entry]:
        while True:
            try:
                return journal.entries(after, _CHUNK)
            except ArchiveError as error:
                after = self._passed_by(error)

    def _passed_by(self, error: ArchiveError) -> int:
        """The rows of a month that cannot be read stay as they were: told, and kept in mind."""
        if not error.last:
            raise error
        reason = f"{error}. Until 'noria rebuild store' with it, readings from there stay as is"
        _log.error("%s: %s", self.name, reason)
        with writing(self._engine) as connection:
            what = f"entries up to {error.last}"
            set_aside.put(connection, self.name, what, reason, self._at)
        return error.last

    def _replace(self, old: Interpreter, new: Interpreter, spoken: Iterable[_Spoken]) -> None:
        gone: list[Reading] = []
        come: list[Reading] = []
        for one in spoken:
            was = old.place(one.message, one.received, one.auth)
            is_now = new.place(one.message, one.received, one.auth)
            gone += (row for row in was if row not in is_now)
            come += (row for row in is_now if row not in was)
        if gone:
            self._store.remove(gone)
        self._write(come)

    def _write(self, readings: Iterable[Reading]) -> None:
        found = list(readings)
        if found:
            self._store.write(found)
            self.rows_written += len(found)

    def _save(self, entry: int) -> None:
        changed: dict[str, JSON] = {
            device: self._interpreter.state(device) for device in self._interpreter.dirty()
        }
        with writing(self._engine) as connection:
            cursor.save_state(connection, self.name, changed | {_REGISTRY: self._version})
            cursor.save(connection, self.name, entry)
        self._saved |= changed


def _spoken(entries: Iterable[Entry]) -> Iterator[_Spoken]:
    """Messages that can be read; a fork is evidence of a twin, never a reading."""
    for entry in entries:
        if entry.kind != "msg" or entry.verdict == "fork":
            continue
        decoded = wire.message_of(entry)
        if decoded.message is not None:
            yield _Spoken(entry.id, decoded.message, entry.received, decoded.auth, entry.newest)


def _entry_before(journal: Journal, received: float, last: int) -> int:
    """An entry (or 0) before the first one received at or after ``received``: by halving."""
    low, high = 0, last
    while low < high:
        middle = (low + high) // 2
        at = journal.received_at(middle + 1)
        if at is not None and at < received:
            low = middle + 1
        else:
            high = middle
    return max(0, low - 1)
