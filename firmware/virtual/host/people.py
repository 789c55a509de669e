"""People who fill cans at a tank: bursts, busy hours of the day, hardly any at night."""

import math
from dataclasses import dataclass
from random import Random

from firmware.virtual.host.vessel import Flow

LOCAL_OFFSET_S = 3600  # Calais in winter
_TAP_LITRES_PER_S = 0.15  # 40 s to 3 min for 20 L
_CANS_L = (5.0, 5.0, 5.0, 10.0, 20.0)  # 5 L is what Calais hands out
# A day's shares by the hour, from midnight.
_NIGHT = (0.04, 0.03, 0.02, 0.02, 0.03, 0.10)
_MORNING = (0.5, 1.3, 2.0, 2.2, 1.9, 1.6)
_AFTERNOON = (1.8, 1.7, 1.4, 1.3, 1.5, 1.9)
_EVENING = (2.1, 1.6, 1.0, 0.5, 0.2, 0.08)
_HOURS = (*_NIGHT, *_MORNING, *_AFTERNOON, *_EVENING)
_MEAN, _PEAK = sum(_HOURS) / 24, max(_HOURS)


@dataclass(slots=True)
class People:
    """Draws at a mean of ``litres_per_h`` over a day, reproducible by their seed."""

    litres_per_h: float
    random: Random
    next_at: float = 0.0

    def draws(self, since: float, until: float) -> list[Flow]:
        """The can fills that begin within a span of time, as flows out of the vessel.

        Arrivals are drawn at the busiest hour's rate, then thinned to the rate of their hour.
        """
        if self.next_at < since:
            self.next_at = since + self._wait_s()
        flows: list[Flow] = []
        while self.next_at < until:
            if self.random.random() < _share(self.next_at):
                duration_s = self.random.choice(_CANS_L) / _TAP_LITRES_PER_S
                flows.append(Flow(self.next_at, self.next_at + duration_s, -_TAP_LITRES_PER_S))
            self.next_at += self._wait_s()
        return flows

    def change(self, litres_per_h: float, now: float) -> None:
        """Set a new mean from ``now`` on."""
        self.litres_per_h = litres_per_h
        self.next_at = now + self._wait_s()

    def _wait_s(self) -> float:
        """Time to the next arrival at the busiest hour's rate."""
        can_l = sum(_CANS_L) / len(_CANS_L)
        per_s = self.litres_per_h * _PEAK / _MEAN / can_l / 3600.0
        return self.random.expovariate(per_s) if per_s > 0.0 else math.inf


def _share(at: float) -> float:
    """How busy the hour of ``at`` is, against the busiest."""
    return _HOURS[int((at + LOCAL_OFFSET_S) // 3600) % 24] / _PEAK
