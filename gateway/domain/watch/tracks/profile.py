"""What one tank's people draw: by hour of the local day, by weekday, a day, and today.

Every figure starts at a prior and gives way to what is measured. The draws of an hour of the day
are the mean of past days, newer days counting more; a day's total, a weekday and the last hours
each multiply them, because the hours of one day rise and fall together. Hours in which the tank
was dry count for nothing: nobody knows what people would have drawn.
"""

from dataclasses import dataclass, field
from math import inf, sqrt
from typing import NamedTuple

from gateway.domain.local_time import hour_of_week, hours_of_week
from gateway.domain.registry import Site, Tank

SHAPE: tuple[float, ...] = tuple(
    weight / 20.8 for weight in (
        0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.6, 1.2, 1.6, 1.5, 1.3, 1.4,
        1.6, 1.4, 1.2, 1.2, 1.5, 1.8, 1.6, 1.0, 0.6, 0.4, 0.2, 0.1,
    )
)  # fmt: skip
"""The part of a day's water that is drawn in each local hour, before anything is measured.

Assumed: nobody has published hourly draws of a camp. Reported are bursts with a strong time of
day and nights that are nearly flat; peaks in the morning, at noon and before dark are a guess.
"""

_TURNOVER = 0.55
"""Capacities drawn a day where the number of people is not known: reported from Calais, about
6,000 L a day over about 11 tanks of 1000 L."""
_PERSON_L = 5.0
"""Litres a person and day: 4.9 L (Calais 2021, Coalition Eau and Solidarités International) and
5.14 L (court, 2020); reported are 2.3 L to 11 L."""
_PRIOR_DAYS = 1.5  # weight of the prior for a day's total, in measured days
_WEEK_DAYS = 6.0  # weight of "all weekdays are alike", in days of that weekday
_SHAPE_RATIO = 48.0
"""Weight of the prior for an hour of the day, in days: this times the burst over a day's litres.
Hours differ from the prior by 0.7 of it (assumed): 48 = 24 h / 0.7²."""
_KEPT_TOTAL, _KEPT_SHAPE, _KEPT_WEEK = 0.90, 0.95, 0.95
"""The part of a measured day's weight that is left a day (for weekdays: that weekday) later."""
_MOST_WEEKLY = 3.0
_RECENT_KEPT = 0.944  # the part that is left an hour later: half after 12 hours
_RELATIVE_SD = 0.25  # of the factor that all hours of a day share
_UNKNOWN_SD = 0.26
"""The same while one day is known, as a part of its litres: with 0.45 the 80 % range held 89 % of
122 simulated times to empty in the first three days, with this 84 % (fitting seeds)."""
_BURST_L, _BURST_WEIGHT_L = 40.0, 400.0
"""Variance of a sum of draws over its mean before it is measured, and the litres that it weighs:
groups of a few people who fill cans of 5 to 25 L (assumed)."""
_BURSTS = (5.0, 300.0)  # bounds of it, L
_KEPT_BURST = 0.995  # the part that is left an hour later
_LEAST_DAY_L = 1.0
_PEAKS_KEPT = 14
_LEAST_PEAK_HOURS = 48


@dataclass(slots=True)
class Profile:
    """Weighted sums of litres and of the days that they were measured in.

    ``by_hour``, ``hour_days``: for each local hour; ``week``, ``week_days``: for each weekday,
    Monday first, as multiples of an expected day; ``total``, ``total_days``: all hours;
    ``recent``, ``recent_days``: the last hours, as multiples of an expected day.
    """

    by_hour: list[float] = field(default_factory=list[float])
    hour_days: list[float] = field(default_factory=list[float])
    week: list[float] = field(default_factory=list[float])
    week_days: list[float] = field(default_factory=list[float])
    total: float = 0.0
    total_days: float = 0.0
    recent: float = 0.0
    recent_days: float = 0.0
    weekday: int = 0  # of the newest hour
    day_drawn: float = 0.0  # on that day, as a multiple of an ordinary day's litres
    day_part: float = 0.0  # how much of that day was measured
    burst: float = 0.0  # squared deviations of hours from what was expected, L²
    burst_l: float = 0.0  # expected in these hours
    known: int = 0  # hours measured
    peaks: list[float] = field(default_factory=list[float])  # most in an hour, by day
    peak_day: int = 0
    counted_l: float = 0.0  # total drawn up to the last hour counted
    counted_hour: int = 0  # that hour, UTC, since 1970; 0: none yet
    was_dry: bool = False


class Usual(NamedTuple):
    """What people usually draw.

    ``hourly``: litres in each local hour of an ordinary day; ``weekly``: factors by weekday;
    ``day_l``: litres a day; ``burst_l``: variance of a sum of draws over its mean; ``relative``:
    relative variance of a factor that all hours of a day share; ``recent``: that factor now.
    """

    hourly: list[float]
    weekly: list[float]
    day_l: float
    burst_l: float
    relative: float
    recent: float


def prior_day_l(row: Tank, site: Site | None, capacity_l: float) -> float:
    """Litres that people draw from ``row`` a day, before anything is measured.

    ``capacity_l``: of all tanks at the site, which share its people by their size.
    """
    counts = [n for n in (site.people_low, site.people_high) if n] if site else []
    if not counts:
        return _TURNOVER * row.capacity_l
    people = sqrt(counts[0] * counts[-1])
    return people * _PERSON_L * row.capacity_l / max(capacity_l, row.capacity_l)


def start(profile: Profile, day_l: float) -> None:
    """Start with the prior of ``day_l`` litres a day, unless it was started before."""
    if profile.by_hour:
        return
    profile.by_hour, profile.hour_days = [0.0] * 24, [0.0] * 24
    profile.week, profile.week_days = [_WEEK_DAYS] * 7, [_WEEK_DAYS] * 7
    profile.burst, profile.burst_l = _BURST_L * _BURST_WEIGHT_L, _BURST_WEIGHT_L
    profile.total, profile.total_days = round(day_l * _PRIOR_DAYS, 3), _PRIOR_DAYS


def usual(profile: Profile) -> Usual:
    """The profile as figures."""
    day_l = max(profile.total / profile.total_days, _LEAST_DAY_L)
    burst_l = min(max(profile.burst / max(profile.burst_l, 1.0), _BURSTS[0]), _BURSTS[1])
    weight = _SHAPE_RATIO * burst_l / day_l
    prior_l = weight * day_l
    means = [
        (drawn + prior_l * part) / (days + weight)
        for drawn, days, part in zip(profile.by_hour, profile.hour_days, SHAPE, strict=True)
    ]
    scale = day_l / sum(means)
    weekly = [drawn / days for drawn, days in zip(profile.week, profile.week_days, strict=True)]
    mean = sum(weekly) / 7
    as_usual = burst_l / (_RELATIVE_SD * _RELATIVE_SD * day_l)
    relative = _RELATIVE_SD * _RELATIVE_SD + _UNKNOWN_SD * _UNKNOWN_SD / profile.total_days
    recent = (as_usual + profile.recent) / (as_usual + profile.recent_days)
    return Usual(
        [litres * scale for litres in means], [factor / mean for factor in weekly],
        day_l, burst_l, relative, recent,
    )  # fmt: skip


def learn(
    profile: Profile, hour: int, timezone: str, litres: float, most_l: float,
    before: Usual | None = None,
) -> None:  # fmt: skip
    """Add the litres drawn in one UTC hour since 1970; more than ``most_l`` count as ``most_l``.

    ``before``: what was usual before it, where the caller knows.
    """
    day, local = divmod(hour_of_week(timezone, hour), 24)
    before = before or usual(profile)
    litres = min(litres, most_l)
    part = before.hourly[local] / before.day_l
    weekly = before.weekly[day]
    kept = _KEPT_TOTAL**part
    profile.total = kept * profile.total + litres / weekly
    profile.total_days = kept * profile.total_days + part
    # Of a day as it is known now: one draw after weeks without any is not many days' use.
    days = litres / max(profile.total / profile.total_days, _LEAST_DAY_L)
    _fade_recent(profile)
    profile.recent += days
    profile.recent_days += part * weekly
    _add(profile.by_hour, local, _KEPT_SHAPE, litres / weekly)
    _add(profile.hour_days, local, _KEPT_SHAPE, 1.0)
    _learn_weekday(profile, day, litres / before.day_l, part)
    expected = before.hourly[local] * weekly * before.recent
    shared = before.relative * expected * expected  # with the other hours of a day: no burst
    profile.burst = _KEPT_BURST * profile.burst + (litres - expected) ** 2 - shared
    profile.burst_l = _KEPT_BURST * profile.burst_l + expected
    profile.known += 1
    _add_peak(profile, hour // 24, litres)


def _learn_weekday(profile: Profile, weekday: int, drawn: float, part: float) -> None:
    """Add a part of a day, and ``drawn`` as multiples of an ordinary day's draws.

    A day counts when it is over, as no more than three times as much or as little as expected.
    """
    if weekday != profile.weekday:
        ended = profile.weekday
        if profile.day_part > 0:
            lowest, highest = profile.day_part / _MOST_WEEKLY, profile.day_part * _MOST_WEEKLY
            known = min(max(profile.day_drawn, lowest), highest)
            _add(profile.week, ended, _KEPT_WEEK, (1 - _KEPT_WEEK) * _WEEK_DAYS + known)
            _add(profile.week_days, ended, _KEPT_WEEK,
                 (1 - _KEPT_WEEK) * _WEEK_DAYS + profile.day_part)  # fmt: skip
        profile.weekday, profile.day_drawn, profile.day_part = weekday, 0.0, 0.0
    profile.day_drawn += drawn
    profile.day_part += part


def skip(profile: Profile) -> None:
    """An hour passes in which nobody could draw, or in which nobody knows what was drawn."""
    _fade_recent(profile)


def _fade_recent(profile: Profile) -> None:
    profile.recent *= _RECENT_KEPT
    profile.recent_days *= _RECENT_KEPT


def _add(values: list[float], place: int, kept: float, new: float) -> None:
    values[place] = round(kept * values[place] + new, 4)


def _add_peak(profile: Profile, day: int, litres: float) -> None:
    if day != profile.peak_day:
        profile.peaks.append(0.0)
        del profile.peaks[:-_PEAKS_KEPT]
        profile.peak_day = day
    profile.peaks[-1] = max(profile.peaks[-1], round(litres, 1))


def largest_hour_l(profile: Profile) -> float | None:
    """The largest draw in one hour of the last 14 days, in litres; None before two are known."""
    return max(profile.peaks) if profile.known >= _LEAST_PEAK_HOURS else None


def expected_l(usual: Usual, timezone: str, first: int, count: int) -> list[float]:
    """Litres that people draw in ``count`` UTC hours since 1970, at most 168, from ``first`` on.

    On ordinary days of their weekdays.
    """
    hours = hours_of_week(timezone, first, count)
    if isinstance(hours, range):
        day, local = divmod(hours.start, 24)
        weekly = (usual.weekly * 2)[day : day + (local + count + 23) // 24]
        return [litres * factor for factor in weekly for litres in usual.hourly][local:][:count]
    week = [litres * factor for factor in usual.weekly for litres in usual.hourly]
    return [week[hour] for hour in hours]


def sd_l(usual: Usual, litres: float) -> float:
    """One standard deviation of the litres drawn while ``litres`` are expected.

    Two parts: bursts, whose variance grows with the sum, and a factor that all hours of a day
    share, whose standard deviation does. The less is measured, the larger the second.
    """
    return sqrt(usual.burst_l * litres + usual.relative * litres * litres)


def expected_for(usual: Usual, litres: float, deviations: float, variance: float) -> float:
    """The expected litres for which ``litres`` is so many deviations more (or, negative, less).

    ``variance`` is added to that of the draws. Infinite when ``litres`` are that many
    deviations less than any expected litres, 0 when they are less than ``variance`` makes.
    """
    # (litres - x)^2 = d^2 (burst x + relative x^2 + variance), solved for x
    square = deviations * deviations
    quadratic = 1.0 - square * usual.relative
    linear = 2.0 * litres + square * usual.burst_l
    constant = litres * litres - square * variance
    root = sqrt(max(linear * linear - 4.0 * quadratic * constant, 0.0))
    if deviations > 0.0:
        return max(2.0 * constant / (linear + root), 0.0)
    return (linear + root) / (2.0 * quadratic) if quadratic > 0.0 else inf
