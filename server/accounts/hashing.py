"""Where passwords are hashed: two at once, a short queue, and then *busy*.

One argon2 check takes 64 MiB and all cores. Without a limit, 80 sign-ins at once took 2.5 GB, and
every page waited for them.
"""

import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

AT_ONCE = 2
WAITING = 8
"""Each holds one of the server's forty threads while it waits."""
KNOWN = 4
"""Further places, for devices that were here before: strangers cannot take them."""
BUSY_S = 5
"""After how long it is worth trying again: ten checks on the slowest machine meant for us."""
_NICE = 10

_T = TypeVar("_T")


class Busy(Exception):
    """Too many passwords are being checked: nothing was tried."""


class Hashing:
    """Runs what hashes passwords in two threads that give way to pages."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, "hashing", initializer=_give_way)
        self._lock = threading.Lock()
        self._taken = 0

    def run(
        self, work: Callable[[], _T], admitted: Callable[[], None] = lambda: None, *,
        known: bool = False,
    ) -> _T:  # fmt: skip
        """What ``work()`` returns or raises; ``admitted`` is called before, once it has a place.

        Raises Busy, and calls neither, where too many wait.
        """
        with self._lock:
            if self._taken >= AT_ONCE + WAITING + (KNOWN if known else 0):
                raise Busy
            self._taken += 1
        try:
            admitted()
            return self._pool.submit(work).result()
        finally:
            with self._lock:
                self._taken -= 1

    def close(self) -> None:
        """End the threads once they have nothing to do."""
        self._pool.shutdown(wait=False)


def _give_way() -> None:
    # On Linux a priority belongs to a thread; argon2's own threads inherit it. Elsewhere it belongs
    # to the process, whose pages must not give way.
    if hasattr(os, "sched_getaffinity"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
