"""The clock of a program, made by its composition root; other code receives ``now``."""

import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Clock:
    """Unix time in seconds. ``speed`` > 1 is for the demo, where a day passes in minutes.

    ``origin`` is the real Unix time at which the fast time began; unused with speed 1.
    """

    speed: float = 1.0
    origin: float = field(default=0.0)

    def now(self) -> float:
        """The installation's time, Unix s."""
        real = time.time()
        return real if self.speed == 1.0 else self.origin + (real - self.origin) * self.speed

    def real_s(self, seconds: float) -> float:
        """The real seconds in which ``seconds`` of this clock pass, for waits."""
        return seconds / self.speed

    def wait_s(self, due: float | None, longest_s: float) -> float:
        """Real seconds until ``due`` (Unix s), 0 to ``longest_s``; that where nothing is due."""
        if due is None:
            return longest_s
        return min(max(self.real_s(due - self.now()), 0.0), longest_s)
