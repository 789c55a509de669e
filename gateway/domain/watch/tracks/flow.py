"""Refills and draws of one tank.

A mark follows the level down only when the fall exceeds the noise, so noise makes no draws, and
the draws of a day add up to the fall of the level.
"""

from dataclasses import dataclass, field

from gateway.domain.outputs import TankEvent
from gateway.domain.registry import Tank
from gateway.domain.watch.tracks.level import Sample

TAP_LPM = 29.0
"""An open 15 mm tap under 1 m of water (Torricelli)."""

_KEPT = 24  # samples: four hours at ten minutes, twelve minutes at thirty seconds
_DRAW_PART, _DRAW_SD = 0.012, 2.0
_RISE_PART, _RISE_SD = 0.04, 5.0
_REFILL_OVER_S = 540.0  # a shorter pause of the pump does not end the refill
_MOST_ECHOES = 3
_DRAW_OVER_S = 2700.0
_DRAW_LONGEST_S = 4 * 3600.0


@dataclass(slots=True)
class Rise:
    """A refill in progress: where it began, the highest level so far."""

    at: float
    from_l: float
    top_at: float
    top_l: float


@dataclass(slots=True)
class Draw:
    """A draw in progress: when it began, the lowest level so far."""

    at: float
    low_at: float
    low_l: float


@dataclass(slots=True)
class Flow:
    """``mark_l``: the level down to which all falls are counted as draws."""

    recent: list[list[float]] = field(default_factory=list[list[float]])  # [at, litres]
    mark_l: float | None = None
    mark_at: float = 0.0
    rise: Rise | None = None
    draw: Draw | None = None
    drawn_l: float = 0.0  # total of all draws that ended
    refill_at: float | None = None
    refill_l: float | None = None
    leak_at: float = 0.0


def update(flow: Flow, tank: Tank, sample: Sample) -> list[TankEvent]:
    """Apply one believed sample; returns the refills and draws that ended with it."""
    flow.recent.append([sample.at, sample.litres])
    del flow.recent[:-_KEPT]
    if flow.mark_l is None:
        flow.mark_l, flow.mark_at = sample.litres, sample.at
        return []
    events = _follow_rise(flow, tank, sample)
    if flow.rise is None and not events:
        events = _follow_draw(flow, tank, sample)
    return events


def _follow_rise(flow: Flow, tank: Tank, sample: Sample) -> list[TankEvent]:
    assert flow.mark_l is not None
    least = max(_RISE_PART * tank.capacity_l, _RISE_SD * sample.sd_l)
    rise = flow.rise
    if rise is None:
        base = min(flow.mark_l, flow.draw.low_l) if flow.draw else flow.mark_l
        if sample.litres - base < least or flow.recent[-2:][0][1] - base < least:
            return []  # it takes two readings, so that noise makes no refill
        events = _end_draw(flow, tank)
        began = flow.recent[-3][0] if len(flow.recent) > 2 else flow.mark_at
        flow.rise = Rise(began, base, sample.at, sample.litres)
        return events
    if sample.litres < rise.from_l + least / 2 and _discard_echo(flow, rise):
        return []
    if sample.litres > rise.top_l + least / 4:
        rise.top_at, rise.top_l = sample.at, sample.litres
        return []
    if sample.at - rise.top_at < _REFILL_OVER_S and sample.litres > rise.top_l - least:
        rise.top_l = max(rise.top_l, sample.litres)
        return []
    return _end_refill(flow, tank)


def _discard_echo(flow: Flow, rise: Rise) -> bool:
    """Forget a rise of a few readings that fell right back: a false echo, not a bowser."""
    up = [entry for entry in flow.recent[:-1] if entry[0] > rise.at]
    if len(up) > _MOST_ECHOES:
        return False
    flow.recent = [entry for entry in flow.recent if entry not in up]
    flow.rise = None
    return True


def _end_refill(flow: Flow, tank: Tank) -> list[TankEvent]:
    """End the refill in progress, if any; returns it."""
    rise = flow.rise
    if rise is None:
        return []
    litres = rise.top_l - rise.from_l
    flow.rise, flow.mark_l, flow.mark_at = None, rise.top_l, rise.top_at
    flow.refill_at, flow.refill_l = rise.top_at, litres
    return [TankEvent(rise.at, rise.top_at, tank.id, "refill", round(litres, 1))]


def _follow_draw(flow: Flow, tank: Tank, sample: Sample) -> list[TankEvent]:
    assert flow.mark_l is not None
    least = max(_DRAW_PART * tank.capacity_l, _DRAW_SD * sample.sd_l)
    level = _median([litres for _, litres in flow.recent[-3:]])
    draw = flow.draw
    if draw is None:
        if flow.mark_l - level >= least:
            began = flow.recent[-3][0] if len(flow.recent) > 2 else flow.mark_at
            flow.draw = Draw(max(began, flow.mark_at), sample.at, level)
        return []
    if level < draw.low_l - least / 4:
        draw.low_at, draw.low_l = sample.at, level
    quiet = sample.at - draw.low_at >= _DRAW_OVER_S
    return _end_draw(flow, tank) if quiet or sample.at - draw.at >= _DRAW_LONGEST_S else []


def _median(litres: list[float]) -> float:
    """Of up to three; ``statistics.median`` takes as long as the rest of ``update``."""
    litres.sort()
    middle = len(litres) // 2
    return litres[middle] if len(litres) % 2 else (litres[middle - 1] + litres[middle]) / 2


def _end_draw(flow: Flow, tank: Tank) -> list[TankEvent]:
    draw = flow.draw
    if draw is None or flow.mark_l is None:
        return []
    litres = flow.mark_l - draw.low_l
    flow.drawn_l += litres
    flow.draw, flow.mark_l, flow.mark_at = None, draw.low_l, draw.low_at
    return [TankEvent(draw.at, draw.low_at, tank.id, "draw", round(litres, 1))]


def drawn_l(flow: Flow) -> float:
    """Litres drawn since the first reading, including the draw in progress."""
    if flow.draw is None or flow.mark_l is None:
        return flow.drawn_l
    return flow.drawn_l + flow.mark_l - flow.draw.low_l


def reset_after_loss(flow: Flow, litres: float, at: float) -> None:
    """Continue from the level after a theft, without counting the loss as a draw."""
    flow.draw, flow.rise, flow.mark_l, flow.mark_at = None, None, litres, at


def trend_lph(flow: Flow) -> float | None:
    """Litres per hour over the last two hours of samples; None when they are too few.

    The slope of a least-squares line, negative when the level falls.
    """
    if flow.rise is not None or len(flow.recent) < 3:
        return None
    end_at = flow.recent[-1][0]
    window = [entry for entry in flow.recent if end_at - entry[0] <= 7200.0]
    if flow.refill_at is not None:
        window = [entry for entry in window if entry[0] >= flow.refill_at]
    if len(window) < 3 or end_at - window[0][0] < 1500.0:
        return None
    mean_at = sum([at for at, _ in window]) / len(window)
    mean_l = sum([litres for _, litres in window]) / len(window)
    spread = sum([(at - mean_at) ** 2 for at, _ in window])
    slope = sum([(at - mean_at) * (litres - mean_l) for at, litres in window]) / spread
    return round(slope * 3600.0, 1)
