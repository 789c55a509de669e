"""Wakes the threads that follow the journal or another thread's work."""

import contextlib
import socket
import threading
import time

FIRST_S, FIRST_REST, LATER_REST = 10.0, 19.0, 4.0
"""While ingest is busy, a follower rests this many times as long as its work took: much in the
first seconds, so that the backlog of an outage is soon in the journal; less when it lasts, because
alerts must not wait for all of it. Without rest, ingest at 1,000 devices has 0.7 x the rate; with
the later factor from the start, 0.8 x."""


class Wakeup:
    """A counter to wait on: a thread that passes the count it last saw misses no notification."""

    def __init__(self) -> None:
        self._busy_since: float | None = None
        self._condition = threading.Condition()
        self._count = 0

    def set_busy(self, busy: bool) -> None:
        """Record whether ingest is at its limit; its followers then rest most of the time."""
        if not busy:
            self._busy_since = None
        elif self._busy_since is None:
            self._busy_since = time.monotonic()

    @property
    def busy(self) -> bool:
        """The last ``set_busy``."""
        return self._busy_since is not None

    @property
    def rest_factor(self) -> float:
        """How many times as long as its work took a follower has to rest now."""
        since = self._busy_since
        if since is None:
            return 0.0
        return FIRST_REST if time.monotonic() < since + FIRST_S else LATER_REST

    @property
    def count(self) -> int:
        """Number of notifications; read it *before* looking at the journal."""
        with self._condition:
            return self._count

    def notify(self) -> None:
        """Wake every waiting thread: there is new work, or a reason to stop."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    def wait(self, timeout_s: float | None, seen: int | None = None) -> int:
        """Wait for a notification after ``seen`` (None: after this call), at most ``timeout_s``.

        Real seconds; None waits without limit. Returns the count.
        """
        with self._condition:
            seen = self._count if seen is None else seen
            self._condition.wait_for(lambda: self._count != seen, timeout_s)
            return self._count


class SelectWakeup:
    """Wakes a thread that waits in ``select``.

    Notified from any thread or signal handler; ``fileno`` makes it selectable.
    """

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)

    def notify(self) -> None:
        """Wake the waiting thread; does nothing once closed, as signals may still come then."""
        with contextlib.suppress(OSError):  # a full pipe wakes it too
            self._write.send(b"\0")

    def clear(self) -> None:
        """Discard the notifications so far."""
        with contextlib.suppress(BlockingIOError):
            while self._read.recv(4096):
                pass

    def fileno(self) -> int:
        """For ``select``."""
        return self._read.fileno()

    def close(self) -> None:
        """Release both ends."""
        self._read.close()
        self._write.close()
