"""When a tank will be low and empty, forecast from its own use.

The draws of up to 14 past days from this hour of the day on have a mean and a spread for each
hour ahead; with the level's error they make the 80 % range.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import sqrt

from gateway.domain.registry import Tank
from gateway.domain.watch.tracks.flow import Flow, drawn_l
from gateway.domain.watch.tracks.level import LevelTrack

HOUR_S = 3600.0
_KEPT_HOURS = 14 * 24
_AHEAD_HOURS = 96
LEAST_DAYS = 3
_Z80 = 1.2816
_T80 = (1.886, 1.638, 1.533, 1.476, 1.440, 1.415, 1.397, 1.383, 1.372, 1.363, 1.356, 1.350)
"""Student's t, 90th percentile, for 2 to 13 degrees of freedom."""
_UNKNOWN_PART = 0.65  # sd of a rate known from hours instead of days, as a part of it
_DAY_PART = 0.15  # days differ at least this much
_WIDER = 1.5  # the use of a crowd has heavier tails than a normal distribution
_RECENT_HOURS = 6
_LEAST_LPH = 1.0

Span3 = tuple[float, float, float]
"""An expected time and its 80 % range: at, lo, hi in Unix s."""


@dataclass(slots=True)
class Profile:
    """Litres drawn in clock hours (UTC) of the last 14 days: [hour number, litres]."""

    hours: list[list[float]] = field(default_factory=list[list[float]])
    counted_l: float = 0.0  # total drawn up to the last hour counted
    counted_hour: float = 0.0


def account(profile: Profile, level: LevelTrack, flow: Flow, now: float) -> None:
    """Add the hour that ends at ``now``; hours without readings share the next known draw."""
    hour = round(now / HOUR_S) - 1
    if level.received is None or level.received < now - HOUR_S:
        return
    total = drawn_l(flow)
    gone = max(total - profile.counted_l, 0.0)
    first = profile.counted_hour + 1 if profile.counted_hour else hour
    missed = min(hour - first + 1, 24.0)
    profile.hours += [[hour - k, gone / missed] for k in reversed(range(int(missed)))]
    del profile.hours[:-_KEPT_HOURS]
    profile.counted_l, profile.counted_hour = total, float(hour)


def largest_hour_l(profile: Profile) -> float | None:
    """The largest draw in one hour, in litres; None before two days are known."""
    if len(profile.hours) < 48:
        return None
    return max(litres for _, litres in profile.hours)


def usual_lph(profile: Profile, start: float, end: float) -> tuple[float, float] | None:
    """Mean litres per hour between two times of day, and over the whole day.

    None before three days are known.
    """
    if len(profile.hours) < 24 * LEAST_DAYS:
        return None
    means = _means(profile)
    span = [means.get(h % 24, 0.0) for h in range(int(start // HOUR_S), int(end // HOUR_S) + 1)]
    return sum(span) / len(span), sum(litres for _, litres in profile.hours) / len(profile.hours)


def outlook(
    profile: Profile, level: LevelTrack, trend_lph: float | None, row: Tank, now: float
) -> tuple[Span3 | None, Span3 | None]:
    """When ``row`` will be low and empty; None when not within four days."""
    litres = level.volume_l
    if litres is None:
        return None, None
    ahead = _ahead(profile, trend_lph, now)
    sd = level.sd_l or 0.0
    limits = (row.capacity_l * row.low_pct / 100, row.empty_l)
    low, empty = (_crossing(ahead, litres - limit, sd, now) for limit in limits)
    return low, empty


def _ahead(profile: Profile, trend_lph: float | None, now: float) -> list[Span3]:
    """For each hour ahead (Unix s): litres drawn by then, half the width of the 80 % range."""
    days = _days(profile, now)
    if len(days) >= LEAST_DAYS:
        return list(_from_days(days, now))
    return list(_from_rates(_rates(profile, trend_lph, now), now))


def _from_rates(rates: Sequence[float], now: float) -> Iterator[Span3]:
    yield now, 0.0, 0.0
    gone, before = 0.0, now
    for at, rate in zip(_times(now), rates, strict=True):
        gone += rate * (at - before) / HOUR_S
        before = at
        yield at, gone, _Z80 * _UNKNOWN_PART * gone


def _times(now: float) -> list[float]:
    """The clock hours ahead."""
    first = (now // HOUR_S + 1) * HOUR_S
    return [first + k * HOUR_S for k in range(_AHEAD_HOURS)]


def _days(profile: Profile, now: float) -> list[list[float]]:
    """The draws of each past day, hour by hour, from this hour of the day on.

    The mean of that hour of the day replaces hours that are not known.
    """
    known = {int(hour): litres for hour, litres in profile.hours}
    if len(known) < 24 * LEAST_DAYS:
        return []
    means = _means(profile)
    hour = int(now // HOUR_S)
    starts = [h for h in range(hour - 24, hour - _KEPT_HOURS - 1, -24) if h in known]
    overall = sum(known.values()) / len(known)
    if not starts:
        return []
    first, usual = starts[-1], [means.get(h, overall) for h in range(24)]
    span = range(first, starts[0] + _AHEAD_HOURS)
    line = [known[h] if h in known else usual[h % 24] for h in span]
    return [line[start - first : start - first + _AHEAD_HOURS] for start in starts]


def _means(profile: Profile) -> dict[int, float]:
    by_hour: list[list[float]] = [[] for _ in range(24)]
    for hour, litres in profile.hours:
        by_hour[int(hour) % 24].append(litres)
    return {hour: sum(values) / len(values) for hour, values in enumerate(by_hour) if values}


def _from_days(days: Sequence[Sequence[float]], now: float) -> Iterator[Span3]:
    count = len(days)
    t80 = _T80[min(count - 1, 13) - 2]
    times = _times(now)
    left = (times[0] - now) / HOUR_S  # of the first hour
    totals = [accumulate((day[0] * left, *day[1:])) for day in days]
    yield now, 0.0, 0.0
    for at, gone in zip(times, zip(*totals, strict=True), strict=True):
        mean = sum(gone) / count
        variance = sum([(g - mean) ** 2 for g in gone]) / (count - 1)
        spread = sqrt(_WIDER * variance * (1 + 1 / count) + (_DAY_PART * mean) ** 2)
        yield at, mean, t80 * spread


def _rates(profile: Profile, trend_lph: float | None, now: float) -> list[float]:
    """Litres per hour for each hour ahead, estimated from less than three days."""
    recent = [litres for _, litres in profile.hours[-_RECENT_HOURS:]]
    rate = sum(recent) / len(recent) if recent else 0.0
    if trend_lph is not None and len(recent) < _RECENT_HOURS:
        rate = max(rate, -trend_lph)
    means = _means(profile) if len(profile.hours) >= 24 else {}
    hour = int(now // HOUR_S)
    rates = [means.get((hour + k) % 24, rate) for k in range(24)] * (_AHEAD_HOURS // 24)
    return rates if sum(rates) >= _LEAST_LPH * len(rates) else [0.0] * len(rates)


def _crossing(ahead: Sequence[Span3], litres: float, sd: float, now: float) -> Span3 | None:
    """When ``litres`` will be drawn; None when not within the time ahead."""
    if litres <= 0:
        return (now, now, now)
    likely = _first(ahead, litres)
    if likely is None:
        return None
    variance = (_Z80 * sd) ** 2
    lo, hi = (_first(ahead, litres, side, variance) for side in (1, -1))
    return likely, min(lo if lo is not None else likely, likely), max(hi or ahead[-1][0], likely)


def _first(
    ahead: Sequence[Span3], litres: float, side: int = 0, variance: float = 0.0
) -> float | None:
    """The first time at which ``litres`` are drawn, interpolated between hours.

    ``side`` 1: the upper bound of the 80 % range, -1: the lower, 0: the mean. ``variance`` is
    the level's, scaled to that range.
    """
    before_at = before = 0.0
    for at, mean, half in ahead:
        value = mean + side * sqrt(half**2 + variance) if side else mean
        if value >= litres:
            if not before_at:
                return at
            return before_at + (at - before_at) * (litres - before) / (value - before)
        before_at, before = at, value
    return None
