"""The readings' projection: journal entries become rows of the store.

The store always has the rows that follow from the saved state (the boots' clocks), the saved
registry version and the entries up to the cursor. So when a better clock or another calibration
changes past readings, both the old and the new rows can be computed. The end of a batch is saved as
begun before the store receives it: after a crash or a failure within the batch exactly the same
rows are written again, even if messages or calibrations arrived since, and none is left over.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing

import msgspec
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
    EntrySource,
    counted_messages,
    entry_before,
)
from gateway.projections.readings.recalibration import devices_to_redo
from gateway.registry import rows
from gateway.runtime.worker import RETRYABLE
from gateway.stores.port import STORE, ReadingStore

_log = logging.getLogger(__name__)

BATCH = 2000
"""For its runner with a store in another process: the larger, the fewer waits for it."""
_REGISTRY, _BEGUN = "#registry", "#begun"  # keys of the state that no device id equals
_CLOCK_AHEAD_S = 300.0  # a device's clock may be this far past receipt (WIRE.md)
_CHUNK = 2000


class ReadingsProjection:
    """A ``Projection``. ``rows_written`` counts the rows since the start."""

    def __init__(
        self,
        store: ReadingStore,
        open_journal: Callable[[], EntrySource],
        engine: sa.Engine,
        name: str = STORE,
    ) -> None:
        self.name = name
        self._store = store
        self._open_journal = open_journal
        self._engine = engine
        self._saved: dict[str, JSON] = {}
        self._version = 0
        self._now = 0.0
        self._interpreter = Interpreter(Registry())
        self._done = 0
        self._begun: tuple[int, int] | None = None
        self._moved: set[tuple[str, str, int]] = set()
        self.rows_written = 0

    def restore(self) -> None:
        """Load the boots' clocks and the registry as of the cursor.

        A store that is empty although entries were applied was lost: it is filled from the
        journal's first entry.
        """
        with write_transaction(self._engine) as connection:
            if cursor.load(connection, self.name) and self._store.is_empty():
                _log.warning("%s: the store is empty: it is filled from the journal", self.name)
                cursor.reset(connection, self.name)
        with self._engine.connect() as connection:
            state = cursor.load_state(connection, self.name)
            version, begun = state.pop(_REGISTRY, None), state.pop(_BEGUN, None)
            self._version = version if isinstance(version, int) else 0
            self._begun = msgspec.convert(begun, tuple[int, int] | None)
            self._done = cursor.load(connection, self.name)
            registry = rows.load_from(connection, self._version)
        self._saved = state
        self._moved = set()
        self._interpreter = Interpreter(registry, self._saved)

    def apply(self, entries: list[Entry]) -> None:
        """Write the readings of these entries, then save the last one's id as the cursor."""
        self._now = entries[0].received
        try:
            if self._begun is not None:
                self._repeat_begun(*self._begun)
            if left := [entry for entry in entries if entry.id > self._done]:
                self._follow_registry(rows.version(self._engine), before=left[0].id)
                self._apply(left)
        except RETRYABLE:
            raise
        except Exception:
            # It will not succeed when repeated: the runner finds the entry at fault one by one.
            with write_transaction(self._engine) as connection:
                cursor.save_state(connection, self.name, {_BEGUN: None})
            raise

    def idle(self, now: float) -> float | None:
        """There are no timers."""
        return None

    def _repeat_begun(self, last: int, version: int) -> None:
        """Apply the batch that was begun before a failure again, so that its rows are the same."""
        self._follow_registry(version, before=self._done + 1)
        if last > self._done:
            with closing(self._open_journal()) as journal:
                found = journal.entries(self._done, last - self._done)
            if entries := [entry for entry in found if entry.id <= last]:
                self._apply(entries)
        self._begun = None

    def _readings_of(self, one: CountedMessage) -> Sequence[Reading]:
        message, received = one.message, one.received
        for era, boot in self._interpreter.learn(message, received):
            self._moved.add((message.device, era, boot))
        return self._interpreter.place(message, received)

    def _apply(self, entries: Sequence[Entry]) -> None:
        readings = [r for one in counted_messages(entries) for r in self._readings_of(one)]
        moved, self._moved = self._moved, set()
        changed = {device: self._interpreter.state(device) for device in self._interpreter.dirty()}
        last = entries[-1].id
        with write_transaction(self._engine) as connection:
            cursor.save_state(connection, self.name, {_BEGUN: [last, self._version]})
        if moved:
            self._move(moved, before=entries[0].id)
            readings = [
                reading
                for one in counted_messages(entries)
                for reading in self._interpreter.place(one.message, one.received)
            ]
        if readings:
            self._store.write(readings)
        state: dict[str, JSON] = {**changed, _REGISTRY: self._version, _BEGUN: None}
        with write_transaction(self._engine) as connection:
            cursor.save_state(connection, self.name, state)
            cursor.save(connection, self.name, last)
        self._saved.update(changed)
        self._done = last
        self.rows_written += len(readings)

    def _move(self, moved: set[tuple[str, str, int]], before: int) -> None:
        """Rewrite the rows of these boots' older messages."""
        old = Interpreter(self._interpreter.registry, self._saved)
        with closing(self._open_journal()) as journal:
            for boot in sorted(moved):
                older = (e for e in self._boot(journal, *boot) if e.id < before)
                self._replace(old, self._interpreter, counted_messages(older))

    def _follow_registry(self, version: int, before: int) -> None:
        """After a change of the registry, rewrite the past rows that depend on it."""
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
            self._rewrite(self._interpreter, new, since, before)
        self._interpreter, self._version = new, version

    def _rewrite(
        self, old: Interpreter, new: Interpreter, since: dict[str, float], before: int
    ) -> None:
        with closing(self._open_journal()) as journal:
            after = entry_before(journal, min(since.values()) - _CLOCK_AHEAD_S, before)
            while chunk := self._chunk(journal, after):
                affected = (e for e in chunk if e.id < before and e.subject in since)
                self._replace(old, new, counted_messages(affected))
                after = chunk[-1].id
                if after >= before:
                    return

    def _boot(self, journal: EntrySource, device: str, era: str, boot: int) -> list[Entry]:
        """The entries of one boot, except those in archived months whose file is missing."""
        after = 0
        while True:
            try:
                return journal.boot_entries(device, era, boot, after)
            except ArchiveError as error:
                after = self._skip_archive(error)

    def _chunk(self, journal: EntrySource, after: int) -> list[Entry]:
        while True:
            try:
                return journal.entries(after, _CHUNK)
            except ArchiveError as error:
                after = self._skip_archive(error)

    def _skip_archive(self, error: ArchiveError) -> int:
        """Leave the rows of a month that cannot be read as they are, log it and record it.

        Returns the month's last entry.
        """
        if not error.last:
            raise error
        reason = f"{error}. Until 'noria rebuild store' with it, readings from there stay as is"
        _log.error("%s: %s", self.name, reason)
        with write_transaction(self._engine) as connection:
            what = f"entries up to {error.last}"
            dead_letters.put(connection, self.name, what, reason, self._now)
        return error.last

    def _replace(
        self, old: Interpreter, new: Interpreter, messages: Iterable[CountedMessage]
    ) -> None:
        removed: list[Reading] = []
        added: list[Reading] = []
        for one in messages:
            before = old.place(one.message, one.received)
            after = new.place(one.message, one.received)
            removed += (row for row in before if row not in after)
            added += (row for row in after if row not in before)
        if removed:
            self._store.remove(removed)
        if added:
            self._store.write(added)
            self.rows_written += len(added)
