"""Leaks: a level that falls along a straight line in hours of little use.

At night people draw next to nothing; the tank's own profile defines its quiet hours.
"""

from itertools import pairwise
from math import sqrt

from gateway.domain.outputs import TankEvent
from gateway.domain.registry import Tank
from gateway.domain.watch.tracks.flow import Flow
from gateway.domain.watch.tracks.forecast import HOUR_S, LEAST_DAYS, Profile, usual_lph

_LEAST_S = 3 * HOUR_S
_LEAST_SAMPLES = 12
_LEAST_LPH = 6.0
_QUIET_PART = 0.3  # of the day's mean: an hour below it is quiet
_STEP_PART = 0.03  # of the capacity: a larger step is a filled can or noise
_AGAIN_S = 20 * HOUR_S
_LEAST_ERRORS = 8.0  # a slope this many times its standard error is certain


def check(flow: Flow, profile: Profile, row: Tank, now: float) -> list[TankEvent]:
    """A ``leak`` event, at most once a night, when the last hours fell along a line."""
    samples = flow.recent
    if flow.rise is not None or len(samples) < _LEAST_SAMPLES or now - flow.leak_at < _AGAIN_S:
        return []
    start, end = samples[0][0], samples[-1][0]
    if end - start < _LEAST_S or len(profile.hours) < 24 * LEAST_DAYS:
        return []
    whole, error = _slope_lph(samples)
    usual = usual_lph(profile, start, end) if -whole >= _LEAST_LPH else None
    if usual is None or usual[0] > _QUIET_PART * usual[1]:
        return []
    third = len(samples) // 3
    thirds = (samples[:third], samples[third : 2 * third], samples[2 * third :])
    least = max(_LEAST_LPH, 2 * usual[0])
    steady = all(_slope_lph(part)[0] < -least / 2 for part in thirds)
    in_steps = max(a[1] - b[1] for a, b in pairwise(samples)) > _STEP_PART * row.capacity_l
    if -whole < max(least, _LEAST_ERRORS * error) or not steady or in_steps:
        return []
    flow.leak_at = now
    litres = round(-whole * (end - start) / HOUR_S, 1)
    return [TankEvent(start, end, row.id, "leak", litres)]


def _slope_lph(samples: list[list[float]]) -> tuple[float, float]:
    """Slope of a least-squares line in litres per hour, and its standard error."""
    count = len(samples)
    mean_at = sum([at for at, _ in samples]) / count
    mean_l = sum([litres for _, litres in samples]) / count
    across = sum([(at - mean_at) ** 2 for at, _ in samples])
    slope = sum([(at - mean_at) * (litres - mean_l) for at, litres in samples]) / across
    left = sum([(litres - mean_l - slope * (at - mean_at)) ** 2 for at, litres in samples])
    return slope * HOUR_S, sqrt(left / (count - 2) / across) * HOUR_S
