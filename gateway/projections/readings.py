"""The readings' projection: journal entries become rows of the store.

What is in the store is always what the saved state (the boots' clocks) and the saved registry
version say of the entries up to the cursor. So when a better clock or another calibration moves
history, the rows as they were and as they are can both be worked out again, and after a crash in
the middle the same is done once more.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa

from gateway import wire
from gateway.domain.heard import Auth, Reading
from gateway.domain.interpret import Interpreter
from gateway.domain.message import Message
from gateway.domain.registry import Registry
from gateway.journal.entry import Entry
from gateway.projections import cursor
from gateway.projections.cursor import JSON
from gateway.projections.recalibrated import recalibrated
from gateway.registry import rows
from gateway.stores.port import ReadingStore

NAME = "store"
BATCH = 8000
"""Entries for its runner: the more, the less often the store waits for the next part."""
PART = 5000
"""Readings: as many as InfluxDB is told in one request."""
_REGISTRY = "#registry"  # no device is called that
_CLOCK_AHEAD_S = 300.0  # a device's clock is believed up to this far past receipt (WIRE.md)
_CHUNK = 2000


class Journal(Protocol):
    """What it needs of ``gateway.journal.reader.JournalReader``."""

    def entries(self, after: int, limit: int) -> list[Entry]:
        """The next entries after ``after``."""
        ...

    def boot_entries(self, device: str, era: str, boot: int) -> list[Entry]:
        """The messages of one boot, forks left out."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...


class _Spoken(NamedTuple):
    """One message of the journal that counts."""

    message: Message
    received: float
    auth: Auth


class _Sent(NamedTuple):
    """What the store is keeping just now, and what is saved once it says that this is safe."""

    kept: Callable[[], None]
    number: int
    changed: Mapping[str, JSON]
    last: int


class Readings:
    """A ``Projection``. ``rows_written`` counts, for progress.

    The store is given about ``part`` readings at a time.
    """

    def __init__(
        self,
        store: ReadingStore,
        open_journal: Callable[[], Journal],
        engine: sa.Engine,
        name: str = NAME,
        *,
        part: int = PART,
    ) -> None:
        self.name = name
        self._store = store
        self._open_journal = open_journal
        self._engine = engine
        self._part = part
        self._saved: dict[str, Any] = {}
        self._version = 0
        self._interpreter = Interpreter(Registry())
        self._sent: _Sent | None = None
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
        """Write what these entries say, then move the cursor behind them.

        In parts: while the store keeps one, the next is made. The cursor follows part by part,
        and never passes one that is not known to be safe.
        """
        self._follow_registry(before=entries[0].id)
        try:
            for part in _parts(entries, self._part):
                self._apply(part)
        finally:  # whatever happened: what is on its way arrives before anything else is done
            self._settle()

    def idle(self, now: float) -> float | None:
        """No timers."""
        return None

    def _apply(self, part: "_Part") -> None:
        moved: set[tuple[str, str, int]] = set()
        readings: list[Reading] = []
        for message, received, auth in part.spoken:
            for era, boot in self._interpreter.learn(message, received):
                moved.add((message.device, era, boot))
            readings += self._interpreter.place(message, received, auth)
        if moved:
            self._settle()  # what moves is to be in the store, and known to be there
            self._move(moved, before=part.first)
            readings = [
                reading
                for one in part.spoken
                for reading in self._interpreter.place(one.message, one.received, one.auth)
            ]
        self._send(readings, part.last)

    def _send(self, readings: list[Reading], last: int) -> None:
        changed = {device: self._interpreter.state(device) for device in self._interpreter.dirty()}
        self._settle()  # one at a time: of two readings in one place, the later one stays
        kept = self._store.start(readings) if readings else _nothing
        self._sent = _Sent(kept, len(readings), changed, last)

    def _settle(self) -> None:
        """Wait until what was sent is safe, and save the cursor behind it."""
        sent, self._sent = self._sent, None
        if sent is None:
            return
        sent.kept()
        self.rows_written += sent.number
        with self._engine.begin() as connection:
            state = {**sent.changed, _REGISTRY: self._version}
            cursor.save_state(connection, self.name, state)
            cursor.save(connection, self.name, sent.last)
        self._saved.update(sent.changed)

    def _move(self, moved: set[tuple[str, str, int]], before: int) -> None:
        """Place the older messages of these boots again."""
        if not moved:
            return
        old = Interpreter(self._interpreter.registry, self._saved)
        with closing(self._open_journal()) as journal:
            for boot in sorted(moved):
                older = (e for e in journal.boot_entries(*boot) if e.id < before)
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
            while chunk := journal.entries(after, _CHUNK):
                theirs = (e for e in chunk if e.id < before and e.subject in since)
                self._replace(old, new, _spoken(theirs))
                after = chunk[-1].id
                if after >= before:
                    return

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


class _Part(NamedTuple):
    """Some entries in a row: the first's and last's id, and the messages among them."""

    first: int
    last: int
    spoken: list[_Spoken]


def _parts(entries: Sequence[Entry], size: int) -> Iterator[_Part]:
    """Entries in parts of about ``size`` readings, decoded as they are asked for."""
    spoken: list[_Spoken] = []
    first, number = entries[0].id, 0
    for entry in entries:
        for one in _spoken((entry,)):
            spoken.append(one)
            number += len(one.message.readings)
        if number >= size or entry is entries[-1]:
            yield _Part(first, entry.id, spoken)
            spoken, first, number = [], entry.id + 1, 0


def _nothing() -> None:
    """There was nothing to keep."""


def _spoken(entries: Iterable[Entry]) -> Iterator[_Spoken]:
    """Messages that can be read; a fork is evidence of a twin, never a reading."""
    for entry in entries:
        if entry.kind != "msg" or entry.verdict == "fork":
            continue
        decoded = wire.message_of(entry)
        if decoded.message is not None:
            yield _Spoken(decoded.message, entry.received, decoded.auth)


def _entry_before(journal: Journal, received: float, last: int) -> int:
    """An entry (or 0) before the first one received at or after ``received``: by halving."""
    low, high = 0, last
    while low < high:
        middle = (low + high) // 2
        found = journal.entries(middle, 1)
        if found and found[0].received < received:
            low = middle + 1
        else:
            high = middle
    return max(0, low - 1)
