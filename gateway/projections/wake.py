"""Wakes the projections when the journal has grown."""

import threading


class Wake:
    """A counted bell: who waits with the count it last saw never misses a ring."""

    def __init__(self) -> None:
        self.pressed = False
        """Ingest has all that it can take: who follows leaves it most of the time."""
        self._condition = threading.Condition()
        self._count = 0

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
