"""The one clock of a program. Only the composition roots make one; all else is handed ``now``."""

import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Clock:
    """Unix time in seconds; ``speed`` > 1 only in the demo, where a day passes in minutes.

    ``origin`` is the real Unix time at which fast time began; with speed 1 it has no effect.
    """

    speed: float = 1.0
    origin: float = field(default=0.0)

    def now(self) -> float:
        """Unix seconds, as this installation counts them."""
        real = time.time()
        return real if self.speed == 1.0 else self.origin + (real - self.origin) * self.speed

    def real_s(self, seconds: float) -> float:
        """How long ``seconds`` of this clock last in real seconds, for waits."""
        return seconds / self.speed
