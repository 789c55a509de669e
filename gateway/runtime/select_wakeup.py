"""Wakes a thread that waits in ``select``."""

import contextlib
import socket


class SelectWakeup:
    """Notified from any thread or signal handler; ``fileno`` makes it selectable."""

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
