"""Compares forecasts of time to empty with the truth, and with three simple rules. Seconds.

The rules are given the true draws of the past, which the watch has to estimate from readings.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from gateway.domain.outputs import Forecast, Span
from gateway.evaluation.truth import DAY_S, HOUR_S, Truth
from gateway.evaluation.water import Levels

_EVERY = 6  # one forecast in so many is compared
_HORIZON_S = (18 * HOUR_S, 30 * HOUR_S)
KNOWN_S = 3 * DAY_S
_LEAST_KNOWN_S = 6 * HOUR_S
_LONGEST_S = 10 * DAY_S

RULES = ("last 24 h", "same hour yesterday", "mean daily")


@dataclass(frozen=True, slots=True)
class ForecastPoint:
    """One forecast of time to empty with the truth, seconds from when it was made.

    ``known_s``: how long the tank had been watched. ``rules``: what each of ``RULES`` forecasts,
    None where it has too little to go by.
    """

    at: float
    known_s: float
    true_s: float
    likely_s: float | None
    low_s: float | None
    high_s: float | None
    rules: tuple[float | None, ...] = ()


def forecasts_of(tank: str, truth: Truth, forecasts: Sequence[Forecast]) -> list[ForecastPoint]:
    """Forecasts of one tank that would be empty in about 24 h at its mean use of the whole story.

    By that and not by the true time: the days on which a full tank lasts 24 h are the unusual
    ones. The true time is when people will have drawn what is in the tank now, as if nobody
    brought water; forecasts before a loss or a dry tank are left out.
    """
    past = Draws(truth.levels.get(tank, ()), truth.limits[tank][1])
    found: list[ForecastPoint] = []
    for forecast in [f for f in forecasts if f.tank == tank][::_EVERY]:
        at, span = forecast.at, forecast.empty_at
        true_at = past.empty_at(at)
        if true_at is None or not _HORIZON_S[0] <= past.usual_wait_s(at) <= _HORIZON_S[1]:
            continue
        ahead = [None if span is None else x - at for x in _figures(span)]
        point = ForecastPoint(
            at, at - past.times[0], true_at - at, ahead[0], ahead[1], ahead[2], past.rules(at)
        )  # fmt: skip
        found.append(point)
    return found


def _figures(span: Span | None) -> tuple[float, float, float]:
    return (0.0, 0.0, 0.0) if span is None else (span.at, span.lo, span.hi)


class Draws:
    """What people drew from one tank, from its true ``levels``; ``empty_l``: the tap."""

    def __init__(self, levels: Levels, empty_l: float) -> None:
        self._levels = levels
        self._empty_l = empty_l
        self.times = [level[0] for level in levels]
        self._drawn = [level[2] for level in levels]
        self._dry = [level[0] for level in levels if level[1] <= empty_l + 5]

    def empty_at(self, now: float) -> float | None:
        """When people will have drawn what is in the tank at ``now``; None where nobody knows.

        A tank that ran dry before hides what people wanted.
        """
        i = bisect_right(self.times, now) - 1
        if i < 0 or now - self.times[i] > 2 * HOUR_S:
            return None
        wanted = self._drawn[i] + self._left_l(i) - 1.0
        j = bisect_left(self._drawn, wanted, i)
        if not 0 < j < len(self._levels) or self._levels[j][3] - self._levels[i][3] > 5.0:
            return None
        (before_at, _, before, _), (at, _, after, _) = self._levels[j - 1], self._levels[j]
        if after > before:
            at = before_at + (at - before_at) * (wanted - before) / (after - before)
        k = bisect_right(self._dry, now)
        was_dry = k < len(self._dry) and self._dry[k] < at - 600
        return None if was_dry else at

    def left_l(self, now: float) -> float:
        """Litres above the tap at ``now``."""
        return self._left_l(bisect_right(self.times, now) - 1)

    def by_hour(self, now: float) -> list[float]:
        """Litres drawn in each past hour up to ``now``, oldest first."""
        count = int((now - self.times[0]) // HOUR_S)
        marks = [self.drawn_l(now - HOUR_S * k) for k in range(count, -1, -1)]
        return [after - before for before, after in pairwise(marks)]

    def usual_wait_s(self, now: float) -> float:
        """Seconds to empty at the mean use of the whole story."""
        mean = (self._drawn[-1] - self._drawn[0]) / max(self.times[-1] - self.times[0], 1.0)
        return _wait(self.left_l(now), mean) or float("inf")

    def _left_l(self, i: int) -> float:
        return max(self._levels[i][1] - self._empty_l, 0.0)

    def drawn_l(self, at: float) -> float:
        """Litres drawn until ``at``, between two readings by interpolation."""
        i = bisect_right(self.times, at)
        if i == 0 or i == len(self.times):
            return self._drawn[min(i, len(self.times) - 1)]
        before, after = self.times[i - 1], self.times[i]
        part = (at - before) / (after - before) if after > before else 0.0
        return self._drawn[i - 1] + part * (self._drawn[i] - self._drawn[i - 1])

    def rules(self, now: float) -> tuple[float | None, ...]:
        """Seconds to empty by each of ``RULES``."""
        known_s = now - self.times[0]
        if known_s < _LEAST_KNOWN_S:
            return None, None, None
        left = self.left_l(now)
        so_far = self.drawn_l(now)
        last_s = min(known_s, DAY_S)
        last = (so_far - self.drawn_l(now - last_s)) / last_s
        mean = (so_far - self._drawn[0]) / known_s
        yesterday = self._like_yesterday(now, left) if known_s >= DAY_S else None
        return _wait(left, last), yesterday, _wait(left, mean)

    def _like_yesterday(self, now: float, left: float) -> float | None:
        """The draws of the last 24 h again and again, hour by hour."""
        total, ahead = 0.0, 0.0
        while ahead < _LONGEST_S:
            begin = now - DAY_S + ahead % DAY_S
            litres = self.drawn_l(begin + HOUR_S) - self.drawn_l(begin)
            if total + litres >= left:
                return ahead + HOUR_S * (left - total) / litres if litres else ahead
            total, ahead = total + litres, ahead + HOUR_S
        return None


def _wait(litres: float, per_s: float) -> float | None:
    return litres / per_s if per_s > 0 else None
