"""People at a tank: who fills a can, when. Bursts, a strong time of day, nearly flat nights."""

import math
from dataclasses import dataclass
from random import Random

from firmware.virtual.host.vessel import Flow

_LOCAL_OFFSET_S = 3600  # Calais in winter
_TAP_LITRES_PER_S = 0.15  # 40 s to 3 min for 20 L
_CANS_L = (5.0, 5.0, 5.0, 10.0, 20.0)  # 5 L is what Calais hands out
# A day's shares by the hour, from midnight.
_NIGHT = (0.04, 0.03, 0.02, 0.02, 0.03, 0.10)
_MORNING = (0.5, 1.3, 2.0, 2.2, 1.9, 1.6)
_AFTERNOON = (1.8, 1.7, 1.4, 1.3, 1.5, 1.9)
_EVENING = (2.1, 1.6, 1.0, 0.5, 0.2, 0.08)
_HOURS = (*_NIGHT, *_MORNING, *_AFTERNOON, *_EVENING)
_MEAN = sum(_HOURS) / 24


@dataclass(slots=True)
class People:
    """Draws at a mean of ``litres_per_h`` over a day, the same each time for the same seed."""

    litres_per_h: float
    random: Random
    next_at: float = 0.0

    def draws(self, since: float, until: float) -> list[Flow]:
        """The can fills that begin within a span of time, as flows out of the vessel."""
        if self.next_at < since:
            self.next_at = since + self._wait_s(since)
        flows: list[Flow] = []
        while self.next_at < until:
            litres = self.random.choice(_CANS_L)
            duration_s = litres / _TAP_LITRES_PER_S
            flows.append(Flow(self.next_at, self.next_at + duration_s, -_TAP_LITRES_PER_S))
            self.next_at += self._wait_s(self.next_at)
        return flows

    def change(self, litres_per_h: float, now: float) -> None:
        """A new mean, in force at once."""
        self.litres_per_h = litres_per_h
        self.next_at = now + self._wait_s(now)

    def _wait_s(self, now: float) -> float:
        """Time to the next fill: exponential, longer at night."""
        hour = int((now + _LOCAL_OFFSET_S) // 3600) % 24
        per_s = self.litres_per_h * _HOURS[hour] / _MEAN / 3600.0 / (sum(_CANS_L) / len(_CANS_L))
        if per_s <= 0.0:
            return 3600.0 if self.litres_per_h > 0 else math.inf
        # At most an hour ahead: the rate of the next hour is another one.
        return min(self.random.expovariate(per_s), 3600.0)
