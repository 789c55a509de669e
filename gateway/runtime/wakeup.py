"""Wakes the threads that follow the journal or another thread's work."""

import contextlib
import socket
import threading


class Wakeup:
    """A counter to wait on: a thread that passes the count it last saw misses no notification."""

    def __init__(self) -> None:
        self.busy = False
        """Whether ingest is at its limit; its followers then rest most of the time."""
        self._condition = threading.Condition()
        self._count = 0

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
        """Wake the waiting thread."""
        with contextlib.suppress(BlockingIOError):  # a full pipe wakes it too
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
