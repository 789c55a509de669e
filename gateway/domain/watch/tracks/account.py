"""The account of one tank's water, which closes.

``booked_l`` is the level up to which every change is booked, as a refill, a draw or a loss. So at
any time: first level + refills - draws - losses = booked level, and what is not booked yet is less
than the noise hides.
"""

from dataclasses import dataclass, field
from math import sqrt
from operator import mul

from gateway.domain.entry import JSON
from gateway.domain.outputs import EventKind, TankEvent
from gateway.domain.registry import Tank

GAP_S = 3600.0
"""After so long without a sample nothing is known of what happened meanwhile."""
_SMOOTHING, _TREND, _TREND_BACK = 0.5, 0.2, 0.35  # draws stop faster than they begin
_TREND_S = 600.0  # a shorter step moves the trend by less
_DRAW_PART = 0.005  # of the capacity: less is no event
_Z90 = 1.645
_SMOOTH_PART = 0.6
"""The sd of a smoothed level, as a part of that of one reading: sqrt(0.5 / 1.5)."""


@dataclass(slots=True)
class Rise:
    """A refill in progress: from which level and when, the top so far, the draws before it."""

    at: float
    from_l: float
    top_at: float
    top_l: float
    draw_lps: float
    after: list[list[float]]  # [at, litres] since the top
    before: int = 1  # samples that ``from_l`` is the mean of
    seen_l: float | None = None  # the level before, as read and not as draws let expect


@dataclass(slots=True)
class Flow:
    """``recent_at``, ``recent_l``: settled samples, event time (Unix s) and litres, oldest first;
    ``bottom_l``: lowest level since ``booked_l``.
    """

    recent_at: list[float] = field(default_factory=list[float])
    recent_l: list[float] = field(default_factory=list[float])
    smooth_l: float | None = None
    smooth_at: float = 0.0
    trend_lps: float = 0.0  # of the level by draws, 0 or less
    before: list[float] = field(default_factory=list[float])  # smoothed, one sample earlier
    followed_since: float = 0.0  # the last refill, loss or restart
    booked_l: float = 0.0
    booked_at: float = 0.0
    bottom_l: float = 0.0
    low: list[list[float]] = field(default_factory=list[list[float]])  # smoothed, [at, litres]
    rise: Rise | None = None
    draw_at: float | None = None  # a draw in progress
    drawn_at: float = 0.0  # the level last fell
    drawn_l: float = 0.0  # total of all draws booked
    refill_at: float | None = None
    refill_l: float | None = None
    leak_at: float = 0.0
    held: list[list[JSON]] = field(default_factory=list[list[JSON]])  # a refill, draws after it
    part_s: float = 0.0  # the longest refill lately without a pause

    @property
    def recent(self) -> list[list[float]]:
        """A copy of the settled samples as [at, litres]; assign to it to replace them."""
        return [[at, litres] for at, litres in zip(self.recent_at, self.recent_l, strict=True)]

    @recent.setter
    def recent(self, samples: list[list[float]]) -> None:
        """Replace the settled samples."""
        self.recent_at = [at for at, _ in samples]
        self.recent_l = [litres for _, litres in samples]


def restart(flow: Flow, litres: float, at: float) -> None:
    """Follow the level from here; what is booked stays."""
    flow.smooth_l = flow.bottom_l = litres
    flow.smooth_at = flow.drawn_at = flow.followed_since = at
    flow.before = []
    flow.draw_at = None
    flow.low = [[at, litres]]


def smooth(flow: Flow, litres: float, at: float, least_l: float) -> None:
    """Holt's double exponential smoothing: level and trend, so that it does not lag a draw.

    A fall of more than ``least_l`` beyond the trend is followed at once and is no trend.
    """
    elapsed = at - flow.smooth_at
    if flow.smooth_l is None or not 0 < elapsed <= GAP_S:
        flow.smooth_l, flow.smooth_at, flow.trend_lps = litres, at, 0.0
        return
    expected = flow.smooth_l + flow.trend_lps * elapsed
    error = litres - expected
    flow.smooth_at = at
    if abs(error) > least_l:
        flow.smooth_l = litres
        return
    flow.smooth_l = expected + _SMOOTHING * error
    pace = (_TREND if error < 0 else _TREND_BACK) * min(elapsed / _TREND_S, 1.0)
    flow.trend_lps = min(flow.trend_lps + pace * error / elapsed, 0.0)


def book_draw(flow: Flow, tank: Tank, litres: float, at: float, sigma_l: float) -> list[TankEvent]:
    """Book the level down to ``litres`` as drawn, when that is worth an event."""
    drawn = flow.booked_l - litres
    if drawn < max(_DRAW_PART * tank.capacity_l, 0.1):
        return []
    began = flow.draw_at if flow.draw_at is not None else flow.booked_at
    flow.drawn_l += drawn
    flow.booked_l, flow.booked_at, flow.draw_at = litres, at, None
    error = error_l(sigma_l)
    return [event(tank, began, at, "draw", drawn, max(drawn - error, 0.0), drawn + error)]


def event(
    tank: Tank, at: float, until: float, kind: EventKind, litres: float, least: float, most: float
) -> TankEvent:
    """An event with its bounds, in litres."""
    rounded = round(litres, 1), round(least, 1), round(most, 1)
    return TankEvent(min(at, until), until, tank.id, kind, *rounded)


def line(times: list[float], litres: list[float]) -> tuple[float, float]:
    """A least-squares line: its level at the last sample, and its slope in litres a second."""
    end_at, count = times[-1], len(times)
    ago = [at - end_at for at in times]  # small numbers: their squares keep all digits
    total_at, total_l = sum(ago), sum(litres)
    squares = sum(map(mul, ago, ago))
    products = sum(map(mul, ago, litres))
    spread = squares - total_at * total_at / count
    if spread <= 0:
        return total_l / count, 0.0
    slope = (products - total_at * total_l / count) / spread
    return (total_l - slope * total_at) / count, slope


def error_l(sigma_l: float) -> float:
    """The error of a difference of two smoothed levels: with 90 % confidence it is less, litres."""
    return _Z90 * _SMOOTH_PART * sqrt(2) * sigma_l
