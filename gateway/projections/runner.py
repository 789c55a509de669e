"""Runs one projection on a thread of its own: drain the journal, wait for the bell, never give up.

What may pass (a store that is away, a locked or full database) is tried again for ever with
back-off and told once. What cannot pass is set aside entry by entry, so that one poison entry
never stops the line.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from gateway.clock import Clock
from gateway.errors import JournalError, StoreError
from gateway.journal.entry import Entry
from gateway.projections import cursor, set_aside
from gateway.projections.wake import Wake

_log = logging.getLogger(__name__)

RETRYABLE = (StoreError, JournalError, OSError, OperationalError, sqlite3.OperationalError)
BATCH = 2000
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 30.0
_LOOK_ANYWAY_S = 30.0  # another process may have appended (restore, rebuild) without a ring


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
        """Apply these, in journal order, and save the cursor behind the last one."""
        ...

    def idle(self, now: float) -> float | None:
        """The journal is drained at ``now`` (Unix s): fire timers. Returns the next due time."""
        ...


class Reader(Protocol):
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
    """One projection, one thread. ``start`` it, ``stop`` joins it."""

    def __init__(
        self,
        projection: Projection,
        journal_reader_factory: Callable[[], Reader],
        engine: sa.Engine,
        wake: Wake,
        clock: Clock,
        *,
        batch: int = BATCH,
    ) -> None:
        self._projection = projection
        self._open_journal = journal_reader_factory
        self._engine = engine
        self._wake = wake
        self._clock = clock
        self._batch = batch
        self._stop = threading.Event()
        self._stale = True
        self._wait_s = _FIRST_WAIT_S
        self._since = 0.0
        self.trouble: str | None = None
        """Why it waits, None while it works."""
        self._thread = threading.Thread(target=self._run, name=projection.name, daemon=True)

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End after the batch in hand, and wait for that."""
        self._stop.set()
        self._wake.notify()
        if self._thread.ident is not None:
            self._thread.join()

    def lag(self) -> int:
        """How many entries it is behind, as of now."""
        journal = self._open_journal()
        try:
            with self._engine.connect() as connection:
                return max(0, journal.last_id() - cursor.load(connection, self._projection.name))
        finally:
            journal.close()

    def _run(self) -> None:
        journal: Reader | None = None
        while not self._stop.is_set():
            try:
                journal = journal or self._open_journal()
                self._turn(journal)
                self._passed()
            except RETRYABLE as error:
                self._waits(error)
            except Exception as error:  # noqa: BLE001 - a fault outside any entry: told, tried again
                _log.debug("%s: stack of what follows", self._projection.name, exc_info=True)
                self._waits(error)
        if journal:
            journal.close()

    def _turn(self, journal: Reader) -> None:
        """Drain what is there, fire timers, wait for more."""
        seen = self._wake.count
        self._refresh()
        if self._drain(journal):
            return
        due = self._projection.idle(self._clock.now())
        self._passed()
        wait_s = _LOOK_ANYWAY_S
        if due is not None:
            wait_s = min(wait_s, max(0.0, self._clock.real_s(due - self._clock.now())))
        if not self._stop.is_set():
            self._wake.wait(wait_s, seen)

    def _refresh(self) -> None:
        if self._stale:
            self._projection.restore()
            self._stale = False

    def _drain(self, journal: Reader) -> bool:
        """Apply one batch; False when there is nothing to apply."""
        entries = journal.entries(after=self._cursor(), limit=self._batch)
        if entries:
            try:
                self._projection.apply(entries)
            except RETRYABLE:
                raise
            except Exception:  # noqa: BLE001 - whatever one entry does, the others go on
                _log.debug("%s: a batch failed", self._projection.name, exc_info=True)
                self._one_by_one(entries)
        return bool(entries)

    def _one_by_one(self, entries: list[Entry]) -> None:
        """Apply a failed batch singly and set aside what fails alone."""
        self._stale = True
        self._refresh()
        done = self._cursor()  # part of the batch may have been applied and saved
        for entry in (e for e in entries if e.id > done):
            if self._stop.is_set():
                return
            try:
                self._projection.apply([entry])
            except RETRYABLE:
                raise
            except Exception as error:  # noqa: BLE001 - kept with its reason, see set_aside
                self._set_aside(entry, error)

    def _set_aside(self, entry: Entry, error: Exception) -> None:
        name = self._projection.name
        reason = f"{type(error).__name__}: {error}"
        _log.error("%s: journal entry %d set aside: %s", name, entry.id, reason, exc_info=error)
        with self._engine.begin() as connection:
            set_aside.put(connection, name, f"entry {entry.id}", reason, self._clock.now())
            cursor.save(connection, name, entry.id)
        self._stale = True
        self._refresh()

    def _cursor(self) -> int:
        with self._engine.connect() as connection:
            return cursor.load(connection, self._projection.name)

    def _waits(self, error: Exception) -> None:
        """Tell a new trouble once, then wait before the next try."""
        self._stale = True
        text = str(error) or type(error).__name__
        if self.trouble is None:
            self._since = time.monotonic()
        if self.trouble != text:
            known = isinstance(error, RETRYABLE)
            stack = None if known else error
            _log.warning(
                "%s waits and tries again: %s", self._projection.name, text, exc_info=stack
            )
        self.trouble = text
        self._stop.wait(self._wait_s)
        self._wait_s = min(self._wait_s * 2, _LONGEST_WAIT_S)

    def _passed(self) -> None:
        if self.trouble is not None:
            away_s = time.monotonic() - self._since
            _log.info("%s goes on after %.0f s", self._projection.name, away_s)
            self.trouble = None
        self._wait_s = _FIRST_WAIT_S
