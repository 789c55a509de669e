"""Water coming and going at one tank: refills, draws, and falls too fast for taps.

A mark follows the level downwards only when water has left for certain, so that noise around a
still level draws nothing, and the draws of a day add up to what the level lost.
"""

from dataclasses import dataclass, field

from gateway.domain.outputs import TankEvent
from gateway.domain.registry import Tank
from gateway.domain.watch.tracks.level import Sample

TAP_LPM = 29.0
"""An open 15 mm tap under 1 m of water (Torricelli, DOMAIN.md)."""
VALVE_LPM = 320.0
"""An open 50 mm valve under 1 m of water."""

_KEPT = 24  # samples: four hours at ten minutes, twelve minutes at thirty seconds
_DRAW_PART, _DRAW_SD = 0.012, 2.0
_RISE_PART, _RISE_SD = 0.04, 5.0
_REFILL_OVER_S = 540.0  # a pump that pauses less than this goes on with the same refill
_ECHOES = 3
_DRAW_OVER_S = 2700.0
_DRAW_LONGEST_S = 4 * 3600.0


@dataclass(slots=True)
class Rise:
    """A refill that is going on: where it began, the highest level yet."""

    at: float
    from_l: float
    top_at: float
    top_l: float


@dataclass(slots=True)
class Draw:
    """A draw that is going on: since when, the lowest level yet."""

    at: float
    low_at: float
    low_l: float


@dataclass(slots=True)
class Flow:
    """``mark_l``: the level up to which everything is accounted for."""

    recent: list[list[float]] = field(default_factory=list[list[float]])  # [at, litres]
    mark_l: float | None = None
    mark_at: float = 0.0
    rise: Rise | None = None
    draw: Draw | None = None
    drawn_l: float = 0.0  # all draws that ended, summed up
    refill_at: float | None = None
    refill_l: float | None = None
    leak_at: float = 0.0


def follow(flow: Flow, tank: Tank, sample: Sample) -> list[TankEvent]:
    """Take one believed sample; returns the refills and draws that ended with it."""
    flow.recent.append([sample.at, sample.litres])
    del flow.recent[:-_KEPT]
    if flow.mark_l is None:
        flow.mark_l, flow.mark_at = sample.litres, sample.at
        return []
    told = _rising(flow, tank, sample)
    if flow.rise is None and not told:
        told = _falling(flow, tank, sample)
    return told


def _rising(flow: Flow, tank: Tank, sample: Sample) -> list[TankEvent]:
    assert flow.mark_l is not None
    least = max(_RISE_PART * tank.capacity_l, _RISE_SD * sample.sd_l)
    rise = flow.rise
    if rise is None:
        base = min(flow.mark_l, flow.draw.low_l) if flow.draw else flow.mark_l
        if sample.litres - base < least or flow.recent[-2:][0][1] - base < least:
            return []  # two readings, so that noise does not refill a tank
        told = _end_draw(flow, tank)
        began = flow.recent[-3][0] if len(flow.recent) > 2 else flow.mark_at
        flow.rise = Rise(began, base, sample.at, sample.litres)
        return told
    if sample.litres < rise.from_l + least / 2 and _forget_rise(flow, rise):
        return []
    if sample.litres > rise.top_l + least / 4:
        rise.top_at, rise.top_l = sample.at, sample.litres
        return []
    if sample.at - rise.top_at < _REFILL_OVER_S and sample.litres > rise.top_l - least:
        rise.top_l = max(rise.top_l, sample.litres)
        return []
    return end_refill(flow, tank)


def _forget_rise(flow: Flow, rise: Rise) -> bool:
    """Two readings up and right back to where it was: an echo off something, not a bowser."""
    up = [entry for entry in flow.recent[:-1] if entry[0] > rise.at]
    if len(up) > _ECHOES:
        return False
    flow.recent = [entry for entry in flow.recent if entry not in up]
    flow.rise = None
    return True


def end_refill(flow: Flow, tank: Tank) -> list[TankEvent]:
    """Close the refill that is going on: nothing more came for a while."""
    rise = flow.rise
    if rise is None:
        return []
    litres = rise.top_l - rise.from_l
    flow.rise, flow.mark_l, flow.mark_at = None, rise.top_l, rise.top_at
    flow.refill_at, flow.refill_l = rise.top_at, litres
    return [TankEvent(rise.at, rise.top_at, tank.id, "refill", round(litres, 1))]


def _falling(flow: Flow, tank: Tank, sample: Sample) -> list[TankEvent]:
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
    """Of up to three; ``statistics.median`` takes as long as all the rest."""
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
    """Litres drawn since the first reading, the draw that is going on included."""
    if flow.draw is None or flow.mark_l is None:
        return flow.drawn_l
    return flow.drawn_l + flow.mark_l - flow.draw.low_l


def lost(flow: Flow, litres: float, at: float) -> None:
    """What left by theft was not drawn: go on from the level after it."""
    flow.draw, flow.rise, flow.mark_l, flow.mark_at = None, None, litres, at


def trend_lph(flow: Flow) -> float | None:
    """Litres per hour over the last one to two hours of samples, None when not known."""
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
