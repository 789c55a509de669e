"""Runs one projection on a thread of its own: drain the journal, fire timers, wait for the bell.

What may pass is tried again for ever (``gateway.runtime.worker``). What cannot pass is set
aside entry by entry, so that one poison entry never stops the line.
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
BUSY_BATCH = 250
_READ = 500  # entries at a time
BATCH_BYTES = 4_000_000
"""Of bodies: a batch is held in memory."""
_STEP_NOTED_S = 2.0  # the diary looks twice a second
LOOK_S = 30.0  # another process may have appended (restore, rebuild) without a ring


class Projection(Protocol):
    """Something made from the journal. All methods are called from the runner's thread."""

    @property
    def name(self) -> str:
        """The key of its cursor, its state and its lag."""
        ...

    def restore(self) -> None:
        """Forget what is in memory and load what was saved; at the start and after a failure."""
        ...

    def apply(self, entries: list[Entry]) -> None:
        """Apply these, in journal order, and save the cursor behind the last one.

        Of several the saving may wait for the next call or for ``idle``; of one it does not.
        """
        ...

    def idle(self, now: float) -> float | None:
        """The journal is drained at ``now`` (Unix s): fire timers. Returns the next due time."""
        ...


class JournalSource(Protocol):
    """What a runner needs of the journal (``gateway.journal.reader.JournalReader``)."""

    def entries(self, after: int, limit: int) -> list[Entry]:
        """The next entries after ``after``, at most ``limit``."""
        ...

    def last_id(self) -> int:
        """The id of the newest entry, 0 when there is none."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...


class Runner:
    """One projection, one thread. ``start`` it, ``stop`` joins it.

    ``then`` is rung whenever the projection has saved something or fired its timers, for those
    who follow what it saves. ``rest_s`` is ``Worker``'s; at least every ``look_s``
    (real s) it looks without a ring.
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
        batch_bytes: int = BATCH_BYTES,
        rest_s: float = 0.0,
        look_s: float = LOOK_S,
    ) -> None:
        self._projection = projection
        self._open_journal = journal_reader_factory
        self._engine = engine
        self._wake = wake
        self._clock = clock
        self._then = then
        self._batch = batch
        self._batch_bytes = batch_bytes
        self._look_s = look_s
        self._journal: JournalSource | None = None
        self._offset: float | None = None
        self._stale = True
        self._at = 0
        self._loop = Worker(projection.name, self._turn, wake, self._close, rest_s=rest_s)

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._loop.start()

    def stop(self) -> None:
        """End after the batch in hand, and wait for that."""
        self._loop.stop()

    @property
    def trouble(self) -> str | None:
        """Why it waits, None while it works."""
        return self._loop.trouble

    def lag(self) -> int:
        """How many entries it is behind, as of now; from any thread."""
        journal = self._open_journal()
        try:
            with self._engine.connect() as connection:
                return max(0, journal.last_id() - cursor.load(connection, self._projection.name))
        finally:
            journal.close()

    def _turn(self) -> float:
        """Drain one batch; when there is none, fire timers. Returns how long to wait, real s."""
        try:
            self._refresh()
            if entries := self._next():
                self._drain(entries)
                return AT_ONCE if len(entries) >= self._batch else 0.0
            if self._stepped():
                return _STEP_NOTED_S
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

    def _stepped(self) -> bool:
        """Whether the clock was stepped just now: its leaf comes first, or time that never passed
        would be held against somebody."""
        offset = self._clock.now() - time.monotonic() * self._clock.speed
        before, self._offset = self._offset, offset
        return before is not None and abs(offset - before) > STEP_S

    def _refresh(self) -> None:
        if self._stale:
            self._projection.restore()
            self._at = self._cursor()
            self._stale = False

    def _next(self) -> list[Entry]:
        """The batch that follows; it ends early where its entries are long."""
        limit = min(self._batch, BUSY_BATCH) if self._wake.busy else self._batch
        found: list[Entry] = []
        held = 0
        while held < self._batch_bytes and (wanted := min(limit - len(found), _READ)) > 0:
            after = found[-1].id if found else self._at
            more = self._read(after, wanted)
            found += more
            held += sum(len(entry.body) for entry in more)
            if len(more) < wanted:
                break
        return found

    def _read(self, after: int, limit: int) -> list[Entry]:
        self._journal = self._journal or self._open_journal()
        return self._journal.entries(after=after, limit=limit)

    def _drain(self, entries: list[Entry]) -> None:
        """Apply one batch."""
        try:
            self._projection.apply(entries)
            self._at = entries[-1].id
        except RETRYABLE:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one entry does, the others go on
            _log.debug("%s: a batch failed", self._projection.name, exc_info=error)
            self._one_by_one(entries[-1].id)

    def _one_by_one(self, last: int) -> None:
        """After a failed batch: all that is not saved up to its ``last`` entry singly.

        What fails alone is set aside. Part of the batch may have been saved, and what came before
        it may not.
        """
        self._stale = True
        self._refresh()
        while again := self._read(self._at, min(last - self._at, _READ)):
            for entry in again:
                if self._loop.stopping:
                    return
                try:
                    self._projection.apply([entry])
                    self._at = entry.id
                except RETRYABLE:
                    raise
                except Exception as error:  # noqa: BLE001 - kept with its reason, see set_aside
                    self._set_aside(entry, error)
                self._loop.note_success()

    def _set_aside(self, entry: Entry, error: Exception) -> None:
        name = self._projection.name
        reason = f"{type(error).__name__}: {error}"
        _log.error("%s: journal entry %d set aside: %s", name, entry.id, reason, exc_info=error)
        with write_transaction(self._engine) as connection:
            dead_letters.put(connection, name, f"entry {entry.id}", reason, self._clock.now())
            cursor.save(connection, name, entry.id)
        self._stale = True
        self._refresh()

    def _close(self) -> None:
        if self._journal:
            self._journal.close()

    def _cursor(self) -> int:
        with self._engine.connect() as connection:
            return cursor.load(connection, self._projection.name)
