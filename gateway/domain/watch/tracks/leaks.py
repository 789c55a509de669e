"""Leaks: a level that falls along a straight line in hours of little use.

At night people draw next to nothing; the tank's own profile defines its quiet hours.
"""

from math import sqrt
from operator import sub

from gateway.domain.local_time import HOUR_S
from gateway.domain.outputs import TankEvent
from gateway.domain.registry import Tank
from gateway.domain.watch.tracks import profile as profiles
from gateway.domain.watch.tracks.account import Flow
from gateway.domain.watch.tracks.profile import Profile, Usual

_LEAST_HOURS = 72  # known to the profile, before it defines quiet hours
_MOST_HOURS = 24
_LEAST_S = 3 * HOUR_S
_LEAST_SAMPLES = 12
_LEAST_LPH = 6.0
_QUIET_PART = 0.3  # of the day's mean: an hour below it is quiet
_STEP_PART = 0.03  # of the capacity: a larger step is a filled can or noise
_AGAIN_S = 20 * HOUR_S
_LEAST_ERRORS = 8.0  # a slope this many times its standard error is certain


def check(
    flow: Flow, profile: Profile, row: Tank, timezone: str, now: float, usual: Usual | None = None
) -> list[TankEvent]:
    """A ``leak`` event, at most once a night, when the last hours fell along a line.

    ``usual``: of the profile, where the caller has it.
    """
    levels = flow.recent_l
    if flow.rise is not None or len(levels) < _LEAST_SAMPLES or now - flow.leak_at < _AGAIN_S:
        return []
    start, end = flow.recent_at[0], flow.recent_at[-1]
    if end - start < _LEAST_S or profile.known < _LEAST_HOURS:
        return []
    # Cheap checks come first: this runs for every tank in every hour.
    fallen = levels[0] - levels[-1]
    if fallen < _LEAST_LPH / 2 * (end - start) / HOUR_S or _has_step(levels, row):
        return []
    usual = usual or profiles.usual(profile)
    usual_lph = _usual_lph(usual, timezone, start, end)
    if usual_lph > _QUIET_PART * usual.day_l / 24:
        return []
    samples = flow.recent
    if not _is_steady(samples, max(_LEAST_LPH, 2 * usual_lph)):
        return []
    flow.leak_at = now
    litres = round(-_slope_lph(samples)[0] * (end - start) / HOUR_S, 1)
    return [TankEvent(start, end, row.id, "leak", litres)]


def _usual_lph(usual: Usual, timezone: str, start: float, end: float) -> float:
    """Mean litres per hour that people draw in the clock hours between two times."""
    first = int(start // HOUR_S)
    count = min(int(end // HOUR_S) + 1 - first, _MOST_HOURS)
    return sum(profiles.expected_l(usual, timezone, first, count)) / count


def _has_step(levels: list[float], row: Tank) -> bool:
    """Whether the level fell by as much as a filled can, or noise, between two samples."""
    return max(map(sub, levels, levels[1:])) > _STEP_PART * row.capacity_l


def _is_steady(samples: list[list[float]], least_lph: float) -> bool:
    """Whether the level falls along one line, as fast as ``least_lph`` or faster."""
    whole, error = _slope_lph(samples)
    if -whole < max(least_lph, _LEAST_ERRORS * error):
        return False
    third = len(samples) // 3
    thirds = (samples[:third], samples[third : 2 * third], samples[2 * third :])
    return all(_slope_lph(part)[0] < -least_lph / 2 for part in thirds)


def _slope_lph(samples: list[list[float]]) -> tuple[float, float]:
    """Slope of a least-squares line in litres per hour, and its standard error."""
    count = len(samples)
    mean_at = sum([at for at, _ in samples]) / count
    mean_l = sum([litres for _, litres in samples]) / count
    across = sum([(at - mean_at) ** 2 for at, _ in samples])
    slope = sum([(at - mean_at) * (litres - mean_l) for at, litres in samples]) / across
    left = sum([(litres - mean_l - slope * (at - mean_at)) ** 2 for at, litres in samples])
    return slope * HOUR_S, sqrt(left / (count - 2) / across) * HOUR_S
