"""Runs one projection on a thread of its own: apply the journal, fire timers, wait for a wakeup.

Transient errors are retried without limit (``gateway.runtime.worker``). After any other error the
batch is applied entry by entry. An entry that fails while a later one of its kind passes is at
fault itself and goes to the dead letters. What fails at every entry is a fault of the installation:
the runner waits, keeps all of them, and goes on by itself when the fault is over.
"""

import logging
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from gateway.database import dead_letters, troubles
from gateway.database.transaction import write_transaction
from gateway.domain.entry import Entry
from gateway.errors import NoriaError
from gateway.journal.diary import STEP_S
from gateway.projections import cursor
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from gateway.runtime.worker import AT_ONCE, RETRYABLE, Worker

_log = logging.getLogger(__name__)

BATCH = 500
_BUSY_BATCH = 250  # while ingest is at its limit
_READ = 500  # entries at a time
_BATCH_BYTES = 4_000_000
"""The total of its bodies that ends a batch early: a batch is in memory."""
_AFTER_STEP_S = 2.0  # the diary checks the clock twice a second
_FIRST_TRIED = 8
"""Failing entries in a row before the runner waits; twice as many at each further attempt, so that
no number of bad entries stops it for ever."""
LOOK_S = 30.0  # another process (restore, rebuild) appends without a wakeup


class _EveryEntryFails(NoriaError):
    """The fault is not one entry's: it is met at each that was tried."""

    def __init__(self, name: str, entries: list[Entry], error: Exception | None) -> None:
        count = f"{len(entries)} entries" if len(entries) > 1 else "the newest entry"
        why = f"{type(error).__name__}: {error}"
        super().__init__(
            f"{name} cannot apply {count} from {entries[0].id} on: {why}; nothing is lost"
        )


class Projection(Protocol):
    """State derived from the journal. The runner calls every method from its own thread."""

    @property
    def name(self) -> str:
        """The key of its cursor, its state and its lag."""
        ...

    def restore(self) -> None:
        """Replace the state in memory by the saved one; at the start and after a failure."""
        ...

    def apply(self, entries: list[Entry]) -> None:
        """Apply these, in journal order, and save the last one's id as the cursor.

        A batch of several may be saved at the next call or by ``idle``; a single entry is saved
        before this returns.
        """
        ...

    def idle(self, now: float) -> float | None:
        """Every entry is applied at ``now`` (Unix s): fire timers. Returns the next due time."""
        ...


class JournalSource(Protocol):
    """A journal in order: one gateway's (``gateway.journal.reader``) or a cluster's."""

    def entries(self, after: int, limit: int) -> list[Entry]:
        """The next entries after ``after``, at most ``limit``."""
        ...

    def last_id(self) -> int:
        """The id of the newest entry, 0 when there is none."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...


class Runner(Worker):
    """One projection on its own thread.

    ``then`` is notified whenever the projection may have saved something, for the followers of its
    tables. ``rest_s`` is ``Worker``'s; ``look_s`` (real s) is the longest wait for a wakeup.
    """

    def __init__(
        self,
        projection: Projection,
        journal_reader_factory: Callable[[], JournalSource],
        engine: sa.Engine,
        wake: Wakeup,
        clock: Clock,
        *,
        then: Wakeup | None = None,
        batch: int = BATCH,
        rest_s: float = 0.0,
        look_s: float = LOOK_S,
    ) -> None:
        super().__init__(projection.name, self._turn, wake, self._close, rest_s=rest_s)
        self._projection = projection
        self._open_journal = journal_reader_factory
        self._engine = engine
        self._clock = clock
        self._then = then
        self._batch = batch
        self._look_s = look_s
        self._journal: JournalSource | None = None
        self._offset: float | None = None
        self._stale = True
        self._at = 0
        self._tried = _FIRST_TRIED
        self._recorded = ""  # the trouble that other processes can read

    def lag(self) -> int:
        """How many entries are not applied yet; from any thread."""
        journal = self._open_journal()
        try:
            with self._engine.connect() as connection:
                return max(0, journal.last_id() - cursor.load(connection, self.name))
        finally:
            journal.close()

    def _turn(self) -> float:
        """Apply one batch, or fire timers when none is left. Returns how long to wait (real s)."""
        try:
            self._restore()
            if entries := self._next_batch():
                self._apply(entries)
                self._record("")
                return AT_ONCE if len(entries) >= self._batch else 0.0
            if self._clock_stepped():
                return _AFTER_STEP_S
            due = self._projection.idle(self._clock.now())
            self._record("")
        except Exception as error:
            self._stale = True
            self._record(str(error) or type(error).__name__)
            raise
        finally:
            if self._then:
                self._then.notify()
        if due is None:
            return self._look_s
        return min(self._look_s, max(0.0, self._clock.real_s(due - self._clock.now())))

    def _clock_stepped(self) -> bool:
        """Whether the clock was just stepped. Its journal entry comes first, or the timers would
        take the step for time in which a device was silent."""
        offset = self._clock.now() - time.monotonic() * self._clock.speed
        before, self._offset = self._offset, offset
        return before is not None and abs(offset - before) > STEP_S

    def _restore(self) -> None:
        if self._stale:
            with write_transaction(self._engine) as connection:
                at = cursor.load(connection, self.name)
                dead_letters.forget_after(connection, self.name, at)  # those were never decided
            self._projection.restore()
            with self._engine.connect() as connection:
                self._at = cursor.load(connection, self.name)
            self._stale = False

    def _next_batch(self) -> list[Entry]:
        """The next batch; long entries end it early."""
        limit = min(self._batch, _BUSY_BATCH) if self._wakeup.busy else self._batch
        found: list[Entry] = []
        size = 0
        while size < _BATCH_BYTES and (wanted := min(limit - len(found), _READ)) > 0:
            after = found[-1].id if found else self._at
            more = self._read(after, wanted)
            found += more
            size += sum(len(entry.body) for entry in more)
            if len(more) < wanted:
                break
        return found

    def _read(self, after: int, limit: int) -> list[Entry]:
        self._journal = self._journal or self._open_journal()
        return self._journal.entries(after=after, limit=limit)

    def _apply(self, entries: list[Entry]) -> None:
        try:
            self._projection.apply(entries)
            self._at = entries[-1].id
        except RETRYABLE:
            raise
        except Exception as error:  # noqa: BLE001 - one entry must not stop the others
            _log.debug("%s: a batch failed", self._projection.name, exc_info=error)
            self._one_by_one(entries[-1].id)
        self._tried = _FIRST_TRIED

    def _one_by_one(self, last: int) -> None:
        """Apply every unsaved entry up to ``last`` singly; those that fail alone are set aside.

        A failed batch may be saved in part, and entries before it may be unsaved. An entry that
        fails is at fault itself where one of its kind passes before or after it; entries of other
        kinds in between pass with that one or not at all. Raises _EveryEntryFails where none does.
        """
        self._stale = True
        self._restore()
        suspects: list[Entry] = []
        between: list[Entry] = []
        passed: set[str] = set()
        error: Exception | None = None
        for entry in self._entries():
            if self.stopping or (entry.id > last and not suspects):
                return
            if suspects and entry.kind not in {suspect.kind for suspect in suspects}:
                between.append(entry)
                continue
            if (failure := self._failure(between, entry)) is None:
                passed.add(entry.kind)
            else:
                suspects.append(entry)
                error = failure
            if suspects and entry.kind in passed:
                self._set_aside(suspects, to=entry.id if failure else self._at)
                suspects = []
            if failure is None:
                between = []
                self.note_success()
            elif len(suspects) >= self._tried:
                break
        if suspects:
            self._tried *= 2
            self._stale = True
            raise _EveryEntryFails(self.name, suspects, error)

    def _entries(self) -> Iterator[Entry]:
        """The unsaved entries, as they are at the time of asking."""
        at = self._at
        while found := self._read(at, _READ):
            yield from found
            at = found[-1].id

    def _failure(self, between: list[Entry], entry: Entry) -> Exception | None:
        """Apply an entry with those before it; returns the error, with the state as before."""
        try:
            self._projection.apply([*between, entry])
        except RETRYABLE:
            raise
        except Exception as error:  # noqa: BLE001 - kept with the entry
            self._keep(entry, error)
            self._projection.restore()
            return error
        self._at = entry.id
        return None

    def _keep(self, entry: Entry, error: Exception) -> None:
        """Keep the reason before a later entry is tried: a crash must not lose the note."""
        reason = f"{type(error).__name__}: {error}"
        with write_transaction(self._engine) as connection:
            dead_letters.put(connection, self.name, entry.id, reason, self._clock.now())
        _log.info("%s: journal entry %d fails: %s", self.name, entry.id, reason, exc_info=error)

    def _set_aside(self, entries: list[Entry], to: int) -> None:
        """Give up these entries and continue after entry ``to``."""
        ids = ", ".join(str(entry.id) for entry in entries)
        _log.error("%s: set aside, while others pass: journal entries %s", self.name, ids)
        with write_transaction(self._engine) as connection:
            if cursor.load(connection, self.name) < to:
                cursor.save(connection, self.name, to)
        self._at = max(self._at, to)

    def _record(self, trouble: str) -> None:
        """Let other processes see what it waits for; "" when nothing."""
        if trouble == self._recorded:
            return
        try:
            with write_transaction(self._engine) as connection:
                troubles.put(connection, self.name, trouble, time.time())
        except SQLAlchemyError as error:  # the database itself is the trouble, and is logged
            _log.debug("%s: the trouble is not recorded", self.name, exc_info=error)
            return
        self._recorded = trouble

    def _close(self) -> None:
        if self._journal:
            self._journal.close()
