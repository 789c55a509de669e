"""People who fill cans: bursts, busy hours, hardly any at night, feasts and hot days."""

from dataclasses import dataclass, field
from math import exp
from random import Random

from gateway.evaluation.truth import DAY_S, HOUR_S

_SHAPES = (
    (0.04, 0.03, 0.02, 0.02, 0.03, 0.10, 0.5, 1.3, 2.0, 2.2, 1.9, 1.6,
     1.8, 1.7, 1.4, 1.3, 1.5, 1.9, 2.1, 1.6, 1.0, 0.5, 0.2, 0.08),
    (0.10, 0.10, 0.10, 0.10, 0.10, 0.10, 0.6, 1.2, 1.6, 1.5, 1.3, 1.4,
     1.6, 1.4, 1.2, 1.2, 1.5, 1.8, 1.6, 1.0, 0.6, 0.4, 0.2, 0.1),
    (0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.2, 0.5, 1.0, 1.6, 2.0, 2.0,
     1.5, 1.2, 1.2, 1.4, 1.8, 2.2, 2.4, 2.0, 1.4, 0.9, 0.6, 0.4),
)  # fmt: skip
"""Relative use by local hour, from midnight: nights are nearly flat."""
_CANS_L = (5.0, 5.0, 5.0, 5.0, 10.0, 10.0, 20.0, 25.0)
_MEAN_CAN_L = sum(_CANS_L) / len(_CANS_L)
_SUMMER = (1_774_746_000.0, 1_792_890_000.0)  # 2026-03-29 and 2026-10-25, 01:00 UTC


def local_s(at: float) -> float:
    """Calais time minus UTC at ``at``, seconds."""
    return 2 * HOUR_S if _SUMMER[0] <= at < _SUMMER[1] else HOUR_S


@dataclass(slots=True)
class Crowd:
    """The people of one site. ``daily_l``: litres that they draw on a mean day."""

    random: Random
    daily_l: float
    group: float  # mean number of cans in a burst
    shape: tuple[float, ...] = ()
    weekly: tuple[float, ...] = ()
    day_sd: float = 0.2
    hot_days: set[int] = field(default_factory=set[int])
    feasts: list[tuple[float, float, float]] = field(
        default_factory=list[tuple[float, float, float]]
    )
    _factors: dict[int, float] = field(default_factory=dict[int, float])

    def litres_per_h(self, at: float) -> float:
        """The mean use at ``at``."""
        local = at + local_s(at)
        day, hour = int(local // DAY_S), int(local // HOUR_S) % 24
        if day not in self._factors:
            factor = exp(self.random.gauss(0.0, self.day_sd)) * self.weekly[day % 7]
            self._factors[day] = factor * (2.0 if day in self.hot_days else 1.0)
        rate = self.daily_l * self.shape[hour] / sum(self.shape) * self._factors[day]
        for start, end, times in self.feasts:
            if start <= at < end:
                rate = max(rate, self.daily_l / 24) * times
        return rate

    def bursts(self, hour_at: float) -> list[tuple[float, float]]:
        """The bursts of the hour that begins at ``hour_at``: (Unix s, litres), in order."""
        expected = self.litres_per_h(hour_at) / (self.group * _MEAN_CAN_L)
        found: list[tuple[float, float]] = []
        for _ in range(poisson(self.random, expected)):
            cans = 1 + poisson(self.random, self.group - 1)
            litres = sum(self.random.choice(_CANS_L) for _ in range(cans))
            found.append((hour_at + self.random.uniform(0, HOUR_S), litres))
        return sorted(found)


def crowd(random: Random, daily_l: float) -> Crowd:
    """A crowd with its own habits."""
    weekly = tuple(random.uniform(0.9, 1.1) for _ in range(7))
    return Crowd(
        random, daily_l, group=random.uniform(1.2, 4.0), shape=random.choice(_SHAPES),
        weekly=weekly, day_sd=random.uniform(0.05, 0.2),
    )  # fmt: skip


def poisson(random: Random, mean: float) -> int:
    """A Poisson number; for large means a rounded normal one."""
    if mean > 30:
        return max(round(random.gauss(mean, mean**0.5)), 0)
    count, left, floor = 0, random.random(), exp(-mean)
    while left > floor:
        count, left = count + 1, left * random.random()
    return count
