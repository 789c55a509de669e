"""A thread that repeats one step, waits for a notification in between, and never gives up."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import OperationalError

from gateway.errors import JournalError, NoriaError, StoreError
from gateway.runtime.wakeup import Wakeup

_log = logging.getLogger(__name__)

RETRYABLE = (StoreError, JournalError, OSError, OperationalError, sqlite3.OperationalError)
"""What passes by itself: an unreachable store, a locked or full database."""

AT_ONCE = -1.0
"""Returned by a step that left work over: waiting would not gather more for the next one."""

_LONGEST_REST_S = 1.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 30.0


class Worker:
    """Repeats ``step``, which does the work there is and returns how long to wait (real s).

    0 repeats it at once. A step that raises is retried without end, with back-off; each error
    message is logged once. ``end`` runs on the same thread when it stops, to close what the steps
    opened. Between two steps pass at least ``rest_s`` (real s): notified 500 times a second, a step
    then does more at a time, and other threads get the interpreter.
    """

    def __init__(
        self, name: str, step: Callable[[], float], wakeup: Wakeup,
        end: Callable[[], None] = lambda: None, *, rest_s: float = 0.0,
        longest_wait_s: float = _LONGEST_WAIT_S,
    ) -> None:  # fmt: skip
        self.name = name
        self._step = step
        self._end = end
        self._wakeup = wakeup
        self._rest_s = rest_s
        self._longest_wait_s = longest_wait_s
        self._stop = threading.Event()
        self._wait_s = _FIRST_WAIT_S
        self._since = 0.0
        self._logged: set[str] = set()
        self.trouble: str | None = None
        """The error it waits for to pass, None while it works."""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End after the current step, and wait for that."""
        self._stop.set()
        self._wakeup.notify()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def stopping(self) -> bool:
        """Whether ``stop`` was called: a long step may end early."""
        return self._stop.is_set()

    def note_success(self) -> None:
        """An error has passed; a long step may call it before its end."""
        if self.trouble is not None:
            _log.info("%s continues after %.0f s", self.name, time.monotonic() - self._since)
            self.trouble = None
            self._logged.clear()
        self._wait_s = _FIRST_WAIT_S

    def _run(self) -> None:
        while not self.stopping:
            seen, began = self._wakeup.count, time.monotonic()
            try:
                wait_s = self._step()
            except Exception as error:  # noqa: BLE001 - logged and retried
                self._note_failure(error)
                continue
            self.note_success()
            ended = time.monotonic()
            yield_s = min(_LONGEST_REST_S, self._wakeup.rest_factor * (ended - began))
            rest_s = max(self._rest_s if wait_s >= 0 else 0.0, yield_s)
            if wait_s > 0 and not self.stopping:
                self._wakeup.wait(wait_s, seen)
            self._stop.wait(max(0.0, ended + rest_s - time.monotonic()))
        self._end()

    def _note_failure(self, error: Exception) -> None:
        text = str(error) or type(error).__name__
        if self.trouble is None:
            self._since = time.monotonic()
        if text not in self._logged:
            self._logged.add(text)
            stack = None if isinstance(error, (NoriaError, *RETRYABLE)) else error
            _log.warning("%s waits and tries again: %s", self.name, text, exc_info=stack)
        self.trouble = text
        self._stop.wait(self._wait_s)
        self._wait_s = min(self._wait_s * 2, self._longest_wait_s)
