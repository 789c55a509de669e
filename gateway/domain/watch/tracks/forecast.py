"""When a tank will be low, critical and empty, forecast from its own use.

The litres expected in each hour ahead are the profile's, times a factor of the last hours that
fades. Their 80 % range is scaled by how earlier forecasts of this tank came true; a level is
reached when the expected litres, or an end of the range, reach the litres above it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import erf, sqrt
from typing import NamedTuple

from gateway.domain.local_time import HOUR_S
from gateway.domain.registry import Tank
from gateway.domain.watch.tracks import profile as profiles
from gateway.domain.watch.tracks import scaling as scalings
from gateway.domain.watch.tracks.account import Flow
from gateway.domain.watch.tracks.flow import drawn_l
from gateway.domain.watch.tracks.level import LevelTrack
from gateway.domain.watch.tracks.profile import Profile, Usual
from gateway.domain.watch.tracks.scaling import Scaling

_AHEAD_HOURS = 96
_Z80 = 1.2816  # deviations at the ends of 80 % of a normal distribution
_OLDEST_S = 6 * HOUR_S  # a reading this old or older is taken as this old
_MOST_MISSED = 24  # hours without readings that are counted after the first reading again
_LEAST_SCORED_PART = 0.03  # of the capacity: less expected says nothing about the range
_MOST_PART = 0.5  # of the capacity: more than this in an hour is no ordinary draw
_FADES = tuple(0.5 ** (k / 6) for k in range(24))
"""What is left of the factor of the last hours: half of it six hours later, nothing after a day."""

Span3 = tuple[float, float, float]
"""An expected time and its 80 % range: at, lo, hi in Unix s."""


class Outlook(NamedTuple):
    """When a tank will be low, critical and empty; None when not within four days.

    ``dry_before_round``: the probability that it is empty before the next usual round.
    """

    low: Span3 | None = None
    critical: Span3 | None = None
    empty: Span3 | None = None
    dry_before_round: float | None = None


class Demand(NamedTuple):
    """The litres expected to be drawn from ``now`` on: by ``first``, and by each hour after it."""

    now: float
    first: float
    litres: Sequence[float]  # by ``now`` (0), ``first``, an hour later, …

    @property
    def end(self) -> float:
        """How far it looks ahead, Unix s."""
        return self.first + (len(self.litres) - 2) * HOUR_S

    def by(self, at: float) -> float:
        """Litres expected by ``at``, at most four days ahead."""
        place = min(max((at - self.first) / HOUR_S + 1, 0.0), len(self.litres) - 1.0)
        if at < self.first:
            place = max((at - self.now) / (self.first - self.now), 0.0)
        below = min(int(place), len(self.litres) - 2)
        before, after = self.litres[below : below + 2]
        return before + (after - before) * (place - below)

    def when(self, litres: float) -> float | None:
        """When so many litres are expected to be drawn; None when not within four days."""
        now, first, expected = self
        after = bisect_left(expected, litres)
        if after == 0:
            return now
        if after == len(expected):
            return None
        before, reached = expected[after - 1], expected[after]
        start = now if after == 1 else first + (after - 2) * HOUR_S
        end = first + (after - 1) * HOUR_S
        return start + (end - start) * (litres - before) / (reached - before)


def account(
    profile: Profile, scaling: Scaling, level: LevelTrack, flow: Flow, row: Tank, timezone: str,
    now: float, before: Usual, *, is_known: bool = True,
) -> Usual:  # fmt: skip
    """Add the hour that ends at ``now``; hours without readings share the next known draw.

    Returns what is usual after it; ``before`` it was usual before. Without ``is_known`` the water
    that is gone since the last hour was no draw, or its level is not trusted: it counts for
    nothing.
    """
    hour = round(now / HOUR_S) - 1
    if level.received is None or level.received < now - HOUR_S:
        return before
    total = drawn_l(flow)
    gone, missed = max(total - profile.counted_l, 0.0), max(hour - int(profile.counted_hour), 1)
    is_first = not profile.counted_hour  # it began before the first reading
    profile.counted_l, profile.counted_hour = total, hour
    if is_first or not is_known:
        scaling.pending = []
        return before
    dry = is_dry(level, row)
    known = min(missed, _MOST_MISSED)
    first = hour - known + 1
    for k, litres in enumerate(_spread(before, timezone, first, known, gone / missed)):
        if dry or profile.was_dry:
            profiles.skip(profile)
        else:
            most_l = _MOST_PART * row.capacity_l
            profiles.learn(profile, first + k, timezone, litres, most_l, None if k else before)
    profile.was_dry = dry
    usual = profiles.usual(profile)
    _score(profile, usual, scaling, row, timezone, hour, dry)
    return usual


def is_dry(level: LevelTrack, row: Tank) -> bool:
    """Whether there is next to nothing left that people could draw."""
    least = max(2 * (level.sd_l or 0.0), row.capacity_l / 100)
    return level.volume_l is not None and level.volume_l <= row.empty_l + least


def _spread(usual: Usual, timezone: str, first: int, count: int, mean_l: float) -> Iterable[float]:
    """``mean_l`` litres an hour, spread over ``count`` hours from ``first`` on by what is usual."""
    if count == 1:
        return (mean_l,)
    expected = profiles.expected_l(usual, timezone, first, count)
    return [mean_l * count * part / sum(expected) for part in expected]


def _score(
    profile: Profile, usual: Usual, scaling: Scaling, row: Tank, timezone: str, hour: int,
    dry: bool,
) -> None:  # fmt: skip
    """Finish the forecasts whose hours have passed or whose tank ran dry; make new ones."""
    if hour % scalings.EVERY_H and not dry:
        return  # all are made, and end, at these hours
    waiting: list[list[float]] = []
    for entry in scaling.pending:
        made, ahead_h, drawn, expected = int(entry[0]), int(entry[1]), entry[2], entry[3]
        if hour - made < ahead_h and not dry:
            waiting.append(entry)
        elif hour - made <= ahead_h:
            if hour - made < ahead_h:
                hourly = profiles.expected_l(usual, timezone, made + 1, ahead_h)
                hourly_until_dry = sum(hourly[: hour - made]) - hourly[hour - made - 1] / 2
                expected *= hourly_until_dry / sum(hourly)
            if expected >= _LEAST_SCORED_PART * row.capacity_l:
                error = profile.counted_l - drawn - expected
                scalings.finish(scaling, error / profiles.sd_l(usual, expected))
    scaling.pending = waiting
    if not dry:
        demand = expect(usual, timezone, (hour + 1) * HOUR_S, max(scalings.HORIZONS_H))
        for ahead_h in scalings.HORIZONS_H:
            scalings.expect(scaling, hour, ahead_h, profile.counted_l, demand.litres[ahead_h])


def expect(usual: Usual, timezone: str, now: float, hours: int = _AHEAD_HOURS) -> Demand:
    """The litres that people are expected to draw from ``now`` on, for at least a day."""
    start = int(now // HOUR_S)
    litres = profiles.expected_l(usual, timezone, start, hours)
    more = usual.recent - 1
    soon = [part * (1.0 + more * fade) for part, fade in zip(litres, _FADES, strict=False)]
    litres[: len(soon)] = soon
    first = (start + 1) * HOUR_S
    litres[0] *= (first - now) / HOUR_S
    return Demand(now, first, list(accumulate(litres, initial=0.0)))


def outlook(
    usual: Usual, scaling: Scaling, level: LevelTrack, row: Tank, timezone: str, now: float,
    round_at: float | None = None,
) -> Outlook:  # fmt: skip
    """When ``row`` will be low, critical and empty; nothing while its level is not known.

    ``round_at``: when its next usual round is due.
    """
    if level.volume_l is None or level.at is None:
        return Outlook()
    # People have drawn since the newest reading, too.
    demand = expect(usual, timezone, min(max(level.at, now - _OLDEST_S), now))
    variance = (level.sd_l or 0.0) ** 2
    limits = (row.low_pct * row.capacity_l / 100, row.critical_pct * row.capacity_l / 100,
              row.empty_l)  # fmt: skip
    spans = [
        _crossing(usual, scaling, demand, level.volume_l - limit, variance, now) for limit in limits
    ]
    dry = None
    if round_at is not None and round_at <= demand.end:
        dry = _dry_by(usual, scaling, demand.by(round_at), level.volume_l - row.empty_l, variance)
    return Outlook(*spans, dry_before_round=dry)


def _dry_by(
    usual: Usual, scaling: Scaling, expected: float, litres: float, variance: float
) -> float:
    """The probability that ``litres`` are drawn while ``expected`` are, to three digits."""
    if litres <= 0:
        return 1.0
    deviations = (expected - litres) / sqrt(profiles.sd_l(usual, expected) ** 2 + variance + 1.0)
    scale = (scaling.more if deviations < 0 else scaling.less) / _Z80
    return round(0.5 * (1 + erf(deviations / scale / sqrt(2))), 3)


def _crossing(
    usual: Usual, scaling: Scaling, demand: Demand, litres: float, variance: float, now: float
) -> Span3 | None:
    """When ``litres`` will be drawn; ``variance`` is the level's."""
    if litres <= 0:
        return now, now, now
    likely = demand.when(litres)
    if likely is None:
        return None
    soon = demand.when(profiles.expected_for(usual, litres, scaling.more, variance))
    late = demand.when(profiles.expected_for(usual, litres, -scaling.less, variance))
    lo = likely if soon is None else soon
    hi = demand.end if late is None else late
    return max(likely, now), max(min(lo, likely), now), max(hi, likely, now)
