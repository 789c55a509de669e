"""What a tank's people usually draw, against what it has lost: by the hour, and at most.

How improbable a loss is as use is a bound for sums of random draws (Chernoff's, for a compound
Poisson sum whose variance is ``burst`` times its mean): the probability of more than ``litres``
where ``mean`` are expected is at most exp(-(litres ln(litres / mean) - litres + mean) / burst).
"""

from math import log, sqrt

from gateway.domain.local_time import HOUR_S
from gateway.domain.registry import Tank
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import TankState
from gateway.domain.watch.tracks import profile
from gateway.domain.watch.tracks.profile import Usual, largest_hour_l
from gateway.domain.watch.tracks.tamper import Fall

_LEAST_HOUR_PART = 0.05
_BUSY_SDS = 2.0  # of the factor that all hours of a day share: a day on which people draw more
_LEAST_EXPECTED_L = 5.0  # one can, at any hour
_LONGEST_H = 168
_WAITED_S, _SMALL_PART = 1800.0, 0.25  # after a delivery of less than this part of the capacity


def usual_lps(context: WatchContext, tank: str) -> float:
    """The rate of the hour in which most was drawn lately; 0 before that is known."""
    return (largest_hour_l(context.profile(tank).profile) or 0.0) / HOUR_S


def compare(context: WatchContext, row: Tank, fall: Fall) -> None:
    """Set a fall's figures of this tank's use: ``use_ratio``, ``usual_l``, ``improbable``.

    None before two days are known: the hours that are assumed before that accuse nobody.
    """
    fall.use_ratio = _use_ratio(context, row, fall)
    known = context.profile(row.id).profile
    if fall.use_ratio is None or not known.by_hour:
        return
    usual = profile.usual(known)
    site = context.registry.site(row.site)
    zone = site.timezone if site is not None else "UTC"
    fall.usual_l = round(usual_l(usual, zone, fall.at, fall.until), 1)
    busy = max(usual.recent, 1.0) * (1 + _BUSY_SDS * sqrt(usual.relative))
    expected = max(busy * fall.usual_l, _LEAST_EXPECTED_L)
    fall.improbable = round(improbability(fall.from_l - fall.to_l, expected, usual.burst_l), 2)


def is_small_delivery(tank: TankState, row: Tank, fall: Fall) -> bool:
    """Whether people, who had waited for it, drew no more than a small delivery had brought."""
    refill_at, refill_l = tank.flow.refill_at, tank.flow.refill_l or 0.0
    if refill_at is None or not 0 <= fall.at - refill_at <= _WAITED_S:
        return False
    return fall.from_l - fall.to_l <= refill_l <= _SMALL_PART * row.capacity_l


def usual_l(usual: Usual, timezone: str, at: float, until: float) -> float:
    """Litres that people usually draw from ``at`` to ``until`` (Unix s), at most a week.

    0 where a node's clock went back in between.
    """
    if until <= at:
        return 0.0
    first = int(at // HOUR_S)
    count = min(int(until // HOUR_S) - first + 1, _LONGEST_H)
    hours = profile.expected_l(usual, timezone, first, count)
    return sum(
        litres * (min(until, begin + HOUR_S) - max(at, begin)) / HOUR_S
        for litres, begin in zip(hours, (HOUR_S * (first + i) for i in range(count)), strict=True)
    )


def improbability(litres: float, mean: float, burst_l: float) -> float:
    """Minus the natural logarithm of a bound for the probability that people draw so much.

    ``mean`` litres are expected, with a variance of ``burst_l`` times that; 0 for no more than it.
    """
    if litres <= mean:
        return 0.0
    return (litres * log(litres / mean) - litres + mean) / burst_l


def _use_ratio(context: WatchContext, row: Tank, fall: Fall) -> float | None:
    """The loss relative to the largest draw of this tank's profile in one hour."""
    most = largest_hour_l(context.profile(row.id).profile)
    if most is None:
        return None
    hours = max((fall.until - fall.at) / HOUR_S, 1.0)
    return (fall.from_l - fall.to_l) / hours / max(most, _LEAST_HOUR_PART * row.capacity_l)
