"""A thread that repeats one turn, waits for a bell in between, and never gives up."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import OperationalError

from gateway.errors import JournalError, StoreError
from gateway.runtime.wakeup import Wakeup

_log = logging.getLogger(__name__)

RETRYABLE = (StoreError, JournalError, OSError, OperationalError, sqlite3.OperationalError)
"""What passes by itself: a store that is away, a locked or full database."""

_LONGEST_LEAVE_S = 1.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 30.0


AT_ONCE = -1.0
"""A turn's answer: there is more than it could take, so that resting would not gather more."""


class Worker:
    """``turn`` does what there is to do and returns how long to wait (real s, 0: go on at once).

    A turn that raises is repeated for ever with back-off; each new trouble is told once. ``end``
    is called on the same thread when it stops, to close what the turns opened. Between two turns
    lie at least ``rest_s`` (real s): rung 500 times a second, it then does more at a time, and
    leaves the interpreter to others.
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[], float],
        wake: Wakeup,
        end: Callable[[], None] = lambda: None,
        *,
        rest_s: float = 0.0,
        longest_wait_s: float = _LONGEST_WAIT_S,
    ) -> None:
        self.name = name
        self._turn = turn
        self._end = end
        self._wake = wake
        self._rest_s = rest_s
        self._longest_wait_s = longest_wait_s
        self._stop = threading.Event()
        self._wait_s = _FIRST_WAIT_S
        self._since = 0.0
        self._told: set[str] = set()
        self.trouble: str | None = None
        """Why it waits, None while it works."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End after the turn in hand, and wait for that."""
        self._stop.set()
        self._wake.notify()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def stopping(self) -> bool:
        """Whether ``stop`` was called: a long turn may end early."""
        return self._stop.is_set()

    def passed(self) -> None:
        """Trouble is over; a turn may say so before it ends."""
        if self.trouble is not None:
            _log.info("%s goes on after %.0f s", self.name, time.monotonic() - self._since)
            self.trouble = None
            self._told.clear()
        self._wait_s = _FIRST_WAIT_S

    def _run(self) -> None:
        while not self.stopping:
            seen, began = self._wake.count, time.monotonic()
            try:
                wait_s = self._turn()
            except Exception as error:  # noqa: BLE001 - told and tried again, never swallowed
                self._waits(error)
                continue
            self.passed()
            ended = time.monotonic()
            leave_s = min(_LONGEST_LEAVE_S, self._wake.leave * (ended - began))
            rest_s = max(self._rest_s if wait_s >= 0 else 0.0, leave_s)
            if wait_s > 0 and not self.stopping:
                self._wake.wait(wait_s, seen)
            self._stop.wait(max(0.0, ended + rest_s - time.monotonic()))
        self._end()

    def _waits(self, error: Exception) -> None:
        text = str(error) or type(error).__name__
        if self.trouble is None:
            self._since = time.monotonic()
        if text not in self._told:
            self._told.add(text)
            stack = None if isinstance(error, RETRYABLE) else error
            _log.warning("%s waits and tries again: %s", self.name, text, exc_info=stack)
        self.trouble = text
        self._stop.wait(self._wait_s)
        self._wait_s = min(self._wait_s * 2, self._longest_wait_s)
