"""The readings' projection: journal entries become rows of the store.

What is in the store is always what the saved state (the boots' clocks) and the saved registry
version say of the entries up to the cursor. So when a better clock or another calibration moves
history, the rows as they were and as they are can both be worked out again. What is begun is noted
before the store is told of it: after a crash or a failure in the middle exactly the same is done
once more, whatever was heard or calibrated meanwhile, and no row is left at a place of its own.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa

from gateway.database import dead_letters
from gateway.database.transaction import write_transaction
from gateway.domain.entry import Entry
from gateway.domain.inputs import Reading
from gateway.domain.interpret import Interpreter
from gateway.domain.registry import Registry
from gateway.errors import ArchiveError
from gateway.projections import cursor
from gateway.projections.cursor import JSON
from gateway.projections.readings.messages import (
    CountedMessage,
    EntryBatch,
    EntrySource,
    counted_messages,
    entry_batches,
    entry_before,
)
from gateway.projections.readings.recalibration import devices_to_redo
from gateway.registry import rows
from gateway.runtime.worker import RETRYABLE
from gateway.stores.port import STORE, ReadingStore

_log = logging.getLogger(__name__)

BATCH, BATCH_BYTES = 8000, 8_000_000
"""For its runner where the store works elsewhere: the more, the less often it waits."""
PART = 20_000
"""Readings: the more, the less often the store waits until the cursor is saved behind them."""
_REGISTRY = "#registry"  # no device is called that
_BEGUN = "#begun"
_CLOCK_AHEAD_S = 300.0  # a device's clock is believed up to this far past receipt (WIRE.md)
_CHUNK = 2000


class BootEntrySource(EntrySource, Protocol):
    """What it needs of ``gateway.journal.reader.JournalReader``."""

    def boot_entries(self, device: str, era: str, boot: int, after: int = 0) -> list[Entry]:
        """The messages of one boot behind entry ``after``, forks left out."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...


class _Sent(NamedTuple):
    """What the store is keeping just now, and what is saved once it says that this is safe."""

    kept: Callable[[], None]
    number: int
    changed: Mapping[str, JSON]
    last: int


class ReadingsProjection:
    """A ``Projection``. ``rows_written`` counts, for progress.

    The store is given about ``part`` readings at a time.
    """

    def __init__(
        self,
        store: ReadingStore,
        open_journal: Callable[[], BootEntrySource],
        engine: sa.Engine,
        name: str = STORE,
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
        self._at = 0.0
        self._interpreter = Interpreter(Registry())
        self._sent: _Sent | None = None
        self._done = 0
        self._begun: tuple[int, int] | None = None
        self._moved: set[tuple[str, str, int]] = set()
        self.rows_written = 0

    def restore(self) -> None:
        """Load the boots' clocks and the registry as they stood at the cursor."""
        with self._engine.connect() as connection:
            state: dict[str, Any] = dict(cursor.load_state(connection, self.name))
            version, begun = state.pop(_REGISTRY, None), state.pop(_BEGUN, None)
            self._version = version if isinstance(version, int) else 0
            self._begun = (begun[0], begun[1]) if begun else None
            self._done = cursor.load(connection, self.name)
            registry = rows.load_from(connection, self._version)
        self._saved = state
        self._moved = set()
        self._interpreter = Interpreter(registry, self._saved)

    def apply(self, entries: list[Entry]) -> None:
        """Write what these entries say, then move the cursor behind them.

        In parts: while the store keeps one, the next is made. The cursor follows part by part,
        and never passes one that is not known to be safe.
        """
        self._at = entries[0].received
        if self._begun is not None:
            self._end_what_was_begun(*self._begun)
        left = entries if entries[0].id > self._done else [e for e in entries if e.id > self._done]
        if not left:
            return
        self._follow_registry(rows.version(self._engine), before=left[0].id)
        self._apply_parts(left, self._part)

    def idle(self, now: float) -> float | None:
        """No timers."""
        return None

    def _end_what_was_begun(self, last: int, version: int) -> None:
        """Do again, in the same way, what was begun before a failure: the same rows come of it."""
        try:
            self._follow_registry(version, before=self._done + 1)
            if last > self._done:
                with closing(self._open_journal()) as journal:
                    again = journal.entries(self._done, last - self._done)
                if found := [entry for entry in again if entry.id <= last]:
                    self._apply_parts(found, None)
        except RETRYABLE:
            raise
        except Exception:
            # It could be made once and cannot now: one by one the poison is found. See Runner.
            with write_transaction(self._engine) as connection:
                cursor.save_state(connection, self.name, {_BEGUN: None})
            raise
        self._begun = None

    def _apply_parts(self, entries: list[Entry], size: int | None) -> None:
        try:
            for part in entry_batches(entries, size, self._hear):
                self._apply(part)
        finally:  # whatever happened: what is on its way arrives before anything else is done
            self._settle()

    def _hear(self, one: CountedMessage) -> Sequence[Reading]:
        message, received, auth = one
        for era, boot in self._interpreter.learn(message, received):
            self._moved.add((message.device, era, boot))
        return self._interpreter.place(message, received, auth)

    def _apply(self, part: EntryBatch) -> None:
        readings = part.readings
        moved, self._moved = self._moved, set()
        changed = {device: self._interpreter.state(device) for device in self._interpreter.dirty()}
        # One at a time: of two readings in one place, the later one stays.
        last = part.entries[-1].id
        self._settle(then=last)
        if moved:
            self._move(moved, before=part.entries[0].id)
            readings = [
                reading
                for one in counted_messages(part.entries)
                for reading in self._interpreter.place(one.message, one.received, one.auth)
            ]
        kept = self._store.start(readings) if readings else _nothing
        self._sent = _Sent(kept, len(readings), changed, last)

    def _settle(self, then: int | None = None) -> None:
        """Wait until what was sent is safe, and save the cursor behind it.

        ``then`` is the last entry of what is begun next: noted before the store is told of it.
        """
        sent, self._sent = self._sent, None
        state: dict[str, JSON] = {_BEGUN: None if then is None else [then, self._version]}
        if sent is not None:
            sent.kept()
            state |= {**sent.changed, _REGISTRY: self._version}
        elif then is None:
            return  # what was begun and failed stays noted
        with write_transaction(self._engine) as connection:
            cursor.save_state(connection, self.name, state)
            if sent is not None:
                cursor.save(connection, self.name, sent.last)
        if sent is not None:
            self._saved.update(sent.changed)
            self._done = sent.last
            self.rows_written += sent.number

    def _move(self, moved: set[tuple[str, str, int]], before: int) -> None:
        """Place the older messages of these boots again."""
        old = Interpreter(self._interpreter.registry, self._saved)
        with closing(self._open_journal()) as journal:
            for boot in sorted(moved):
                older = (e for e in self._boot(journal, *boot) if e.id < before)
                self._replace(old, self._interpreter, counted_messages(older))

    def _follow_registry(self, version: int, before: int) -> None:
        """When the registry changed, make history of it again where it means something else."""
        if version == self._version:
            return
        with self._engine.connect() as connection:
            registry = rows.load_from(connection, version)
        changed = devices_to_redo(self._interpreter.registry, registry)
        since = {device: at for device, at in changed.items() if device in self._saved}
        new = Interpreter(registry, self._saved)
        if since:
            with write_transaction(self._engine) as connection:
                cursor.save_state(connection, self.name, {_BEGUN: [self._done, version]})
            self._place_again(self._interpreter, new, since, before)
        self._interpreter, self._version = new, version

    def _place_again(
        self, old: Interpreter, new: Interpreter, since: dict[str, float], before: int
    ) -> None:
        with closing(self._open_journal()) as journal:
            after = entry_before(journal, min(since.values()) - _CLOCK_AHEAD_S, before)
            while chunk := self._chunk(journal, after):
                theirs = (e for e in chunk if e.id < before and e.subject in since)
                self._replace(old, new, counted_messages(theirs))
                after = chunk[-1].id
                if after >= before:
                    return

    def _boot(self, journal: BootEntrySource, device: str, era: str, boot: int) -> list[Entry]:
        """One boot, without what lies in an archived month whose file is missing."""
        after = 0
        while True:
            try:
                return journal.boot_entries(device, era, boot, after)
            except ArchiveError as error:
                after = self._passed_by(error)

    def _chunk(self, journal: BootEntrySource, after: int) -> list[Entry]:
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
        with write_transaction(self._engine) as connection:
            what = f"entries up to {error.last}"
            dead_letters.put(connection, self.name, what, reason, self._at)
        return error.last

    def _replace(
        self, old: Interpreter, new: Interpreter, counted_messages: Iterable[CountedMessage]
    ) -> None:
        gone: list[Reading] = []
        come: list[Reading] = []
        for one in counted_messages:
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


def _nothing() -> None:
    """There was nothing to keep."""
