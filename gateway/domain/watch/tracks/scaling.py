"""How wide the range of a forecast must be, learned from the forecasts that came true.

Every six hours the litres expected over the next 12 and 24 hours are kept. When these have
passed, or the tank has run dry before, the error is kept as a multiple of the predicted
deviation; quantiles of the last 60 multiples scale the range, each side by itself (split
conformal). Litres are compared and not times, because a refill does not hide them.
The quantiles adapt: after each miss they move outwards, else inwards (Gibbs and Candès 2021).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

EVERY_H = 6
HORIZONS_H = (12, 24)
_KEPT = 60
_GAMMA = 0.02
_MISSED = 0.09
"""The part of all outcomes beyond each side of an 80 % range."""
_PRIOR = tuple(NormalDist().inv_cdf(k / 15) for k in range(1, 15))
"""Multiples before any forecast came true: evenly spaced quantiles of the normal distribution."""
_ODDS = (0.02, 0.3)  # bounds of the adapted part
_LEAST = 0.3
_NORMAL = 1.2816


@dataclass(slots=True)
class Scaling:
    """``pending``: [hour, hours ahead, total drawn then, litres expected].

    ``errors``: (drawn - expected) / deviation. ``less``, ``more``: how many deviations people
    draw less or more than expected at the ends of the 80 % range. ``less_odds``, ``more_odds``:
    which part of the errors lies beyond each.
    """

    pending: list[list[float]] = field(default_factory=list[list[float]])
    errors: list[float] = field(default_factory=list[float])
    less: float = _NORMAL
    more: float = _NORMAL
    less_odds: float = _MISSED
    more_odds: float = _MISSED


def expect(scaling: Scaling, hour: int, ahead_h: int, drawn_l: float, litres: float) -> None:
    """Keep a forecast made at the end of ``hour``: ``litres`` in the next ``ahead_h`` hours."""
    scaling.pending.append([hour, ahead_h, drawn_l, round(litres, 2)])


def finish(scaling: Scaling, error: float) -> None:
    """Add the error of a forecast that came true, in deviations; adapts both sides."""
    scaling.less_odds = _adapt(scaling.less_odds, error < -scaling.less)
    scaling.more_odds = _adapt(scaling.more_odds, error > scaling.more)
    scaling.errors.append(round(error, 3))
    del scaling.errors[:-_KEPT]
    ordered = sorted((*scaling.errors, *_PRIOR))
    scaling.less = round(max(-_quantile(ordered, scaling.less_odds), _LEAST), 4)
    scaling.more = round(max(_quantile(ordered, 1 - scaling.more_odds), _LEAST), 4)


def _adapt(odds: float, missed: bool) -> float:
    lowest, highest = _ODDS
    return round(min(max(odds + _GAMMA * (_MISSED - missed), lowest), highest), 4)


def _quantile(ordered: Sequence[float], part: float) -> float:
    """The quantile ``part`` of ordered values, interpolated; their count is large enough."""
    place = part * (len(ordered) + 1) - 1
    below = min(max(int(place), 0), len(ordered) - 2)
    return ordered[below] + (ordered[below + 1] - ordered[below]) * min(
        max(place - below, 0.0), 1.0
    )
