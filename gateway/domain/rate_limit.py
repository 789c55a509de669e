"""Which device floods: it says new things faster than any honest one, and than all the others.

Withholding PUBACK would stop every device, so a flood is acknowledged to the broker, dropped and
counted. What is dropped gets no ``ack``, and so its node still holds it. Only *new authentic*
messages count: repeats and forgeries are cheap, and a forger must not silence the real node.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

BURST = 30_000
"""Never dropped at once; of twice as many, some are. The largest honest backlog is a whole ring,
9,072 readings in 63 days of ten minutes (DESIGN.md, *The node*), each in a message of its own at
worst: this is three times that."""

PER_S = 10.0
"""What comes back each second; a node in recovery speaks every 30 s."""

FAIR = 4.0
"""Or so many times what the others say on average: when all are busy, none floods."""

WINDOW_S = 10.0


@dataclass(slots=True)
class RateLimiter:
    """Token buckets by device. Times are receive times, Unix s; a step of the clock does no harm.

    A bucket is only filled up, for all the time that passed, when it is found empty: nearly none
    ever is. What ``spend`` takes is given back by ``undo`` unless it was handed over and settled: a
    batch that the disk refuses is tried again.
    """

    _left: dict[str, float] = field(default_factory=dict[str, float])
    _filled: dict[str, float] = field(default_factory=dict[str, float])
    _spent: list[str] = field(default_factory=list[str])
    _handed: deque[list[str]] = field(default_factory=deque[list[str]])
    _began: float = 0.0
    _said: dict[str, int] = field(default_factory=dict[str, int])
    _said_before: dict[str, int] = field(default_factory=dict[str, int])
    _total_before: int = 0

    def floods(self, device: str, now: float) -> bool:
        """Whether a message of ``device`` is to be dropped."""
        left = self._left.get(device, BURST)
        if left >= 1.0:
            return False
        left += max(0.0, now - self._filled[device]) * self._per_s(device)
        self._left[device], self._filled[device] = min(BURST, left), now
        return left < 1.0

    def spend(self, device: str, now: float) -> None:
        """A new authentic message was taken."""
        left = self._left.get(device)
        if left is None:
            left, self._filled[device] = BURST, now
        self._left[device] = left - 1.0
        self._spent.append(device)
        if not 0.0 <= now - self._began < WINDOW_S:
            self._turn(now)
        self._said[device] = self._said.get(device, 0) + 1

    def take_spent(self) -> Callable[[], object]:
        """To be called when what was spent so far is saved: in the order of handing over."""
        self._handed.append(self._spent)
        self._spent = []
        return self._handed.popleft

    def undo(self) -> None:
        """What was spent and not settled was rolled back."""
        for spent in (*self._handed, self._spent):
            for device in spent:
                self._left[device] += 1.0
        self._handed.clear()
        self._spent = []

    def _per_s(self, device: str) -> float:
        others = len(self._said_before) - (device in self._said_before)
        if others < 1:
            return PER_S
        theirs = self._total_before - self._said_before.get(device, 0)
        return max(PER_S, FAIR * theirs / others / WINDOW_S)

    def _turn(self, now: float) -> None:
        adjoining = now - self._began < 2 * WINDOW_S
        self._said_before = self._said if adjoining else {}
        self._total_before = sum(self._said_before.values())
        self._said, self._began = {}, now
