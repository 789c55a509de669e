"""Fast time: the gateway's formula again, since the firmware does not import the gateway."""

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """Unix seconds that pass ``speed`` times as fast since the real Unix time ``origin``."""

    speed: float = 1.0
    origin: float = 0.0

    def now(self) -> float:
        """The time in the boards' world."""
        real = time.time()
        return real if self.speed == 1.0 else self.origin + (real - self.origin) * self.speed

    def real_s(self, seconds: float) -> float:
        """How long ``seconds`` of that world last for a timer of this process."""
        return seconds / self.speed
