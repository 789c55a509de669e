"""Runs one projection on a thread of its own: apply the journal, fire timers, wait for a wakeup.

Transient errors are retried without limit (``gateway.runtime.worker``). After any other error the
batch is applied entry by entry, and an entry that fails alone goes to the dead letters.
"""

import logging
import time
from collections.abc import Callable
from typing import Protocol

import sqlalchemy as sa

from gateway.database import dead_letters
from gateway.database.transaction import write_transaction
from gateway.domain.entry import Entry
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
_LAG_POLL_S, _REPORT_EVERY_S = 0.05, 2.0
LOOK_S = 30.0  # another process (restore, rebuild) appends without a wakeup


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
                return AT_ONCE if len(entries) >= self._batch else 0.0
            if self._clock_stepped():
                return _AFTER_STEP_S
            due = self._projection.idle(self._clock.now())
        except Exception:
            self._stale = True
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

    def _one_by_one(self, last: int) -> None:
        """Apply every unsaved entry up to ``last`` singly; those that fail are set aside.

        A failed batch may be saved in part, and entries before it may be unsaved.
        """
        self._stale = True
        self._restore()
        while entries := self._read(self._at, min(last - self._at, _READ)):
            for entry in entries:
                if self.stopping:
                    return
                try:
                    self._projection.apply([entry])
                    self._at = entry.id
                except RETRYABLE:
                    raise
                except Exception as error:  # noqa: BLE001 - recorded by _set_aside
                    self._set_aside(entry, error)
                self.note_success()

    def _set_aside(self, entry: Entry, error: Exception) -> None:
        name = self.name
        reason = f"{type(error).__name__}: {error}"
        _log.error("%s: journal entry %d set aside: %s", name, entry.id, reason, exc_info=error)
        with write_transaction(self._engine) as connection:
            dead_letters.put(connection, name, f"entry {entry.id}", reason, self._clock.now())
            cursor.save(connection, name, entry.id)
        self._stale = True
        self._restore()

    def _close(self) -> None:
        if self._journal:
            self._journal.close()


def catch_up(runner: Runner, name: str, report: Callable[[str], None]) -> None:
    """Run ``runner`` until its lag is 0, for a command that waits while no gateway runs.

    ``report`` receives a sentence for each new trouble, and every 2 s one about the progress.
    """
    begun = reported = time.monotonic()
    trouble: str | None = None
    runner.start()
    try:
        while (left := runner.lag()) > 0:
            if runner.trouble not in (None, trouble):
                trouble = runner.trouble
                report(f"{name} waits and tries again: {trouble}")
            if time.monotonic() - reported > _REPORT_EVERY_S:
                reported = time.monotonic()
                report(f"{name}: {left} entries left after {reported - begun:.0f} s")
            time.sleep(_LAG_POLL_S)
    finally:
        runner.stop()


def wait_for(lag: Callable[[], int], longest_s: float) -> int:
    """Wait until another process has brought ``lag`` to 0; returns what is left of it (real s)."""
    deadline = time.monotonic() + longest_s
    while (left := lag()) > 0 and time.monotonic() < deadline:
        time.sleep(_LAG_POLL_S)
    return left
