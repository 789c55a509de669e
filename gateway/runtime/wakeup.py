"""Wakes the projections when the journal has grown."""

import threading
import time

AT_FIRST_S, LEAVE_AT_FIRST, LEAVE = 10.0, 19.0, 4.0
"""How many times as long as it worked a follower rests while ingest is pressed: what nodes hold
after an outage is soon taken; when it lasts, alerts must not wait for all of it."""


class Wakeup:
    """A counted bell: who waits with the count it last saw never misses a ring."""

    def __init__(self) -> None:
        self._pressed_at: float | None = None
        self._condition = threading.Condition()
        self._count = 0

    def press(self, pressed: bool) -> None:
        """Whether ingest has all that it can take: who follows leaves it most of the time."""
        if not pressed:
            self._pressed_at = None
        elif self._pressed_at is None:
            self._pressed_at = time.monotonic()

    @property
    def pressed(self) -> bool:
        """As ``press`` said last."""
        return self._pressed_at is not None

    @property
    def leave(self) -> float:
        """How many times as long as it worked a follower is to rest now."""
        since = self._pressed_at
        if since is None:
            return 0.0
        return LEAVE_AT_FIRST if time.monotonic() < since + AT_FIRST_S else LEAVE

    @property
    def count(self) -> int:
        """How often the bell rang; read it *before* looking at the journal."""
        with self._condition:
            return self._count

    def notify(self) -> None:
        """Ring: the journal has new entries, or somebody should look whether to stop."""
        with self._condition:
            self._count += 1
            self._condition.notify_all()

    def wait(self, timeout_s: float | None, seen: int | None = None) -> int:
        """Wait until the bell rang after ``seen`` (from now on when None), or ``timeout_s``.

        Real seconds; None waits for ever. Returns the count.
        """
        with self._condition:
            seen = self._count if seen is None else seen
            self._condition.wait_for(lambda: self._count != seen, timeout_s)
            return self._count
