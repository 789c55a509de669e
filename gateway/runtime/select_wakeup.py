"""Wakes a thread that waits in ``select``."""

import contextlib
import socket


class SelectWakeup:
    """Rung from any thread or signal handler; ``fileno`` makes it selectable."""

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)

    def ring(self) -> None:
        """Wake the waiting thread; a full pipe has woken it already."""
        with contextlib.suppress(BlockingIOError):
            self._write.send(b"\0")

    def hear(self) -> None:
        """Take all rings that there are."""
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
