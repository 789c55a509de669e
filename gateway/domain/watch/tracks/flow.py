"""Refills and draws of one tank from its settled samples."""

from bisect import bisect_left

from gateway.domain.outputs import TankEvent
from gateway.domain.registry import Tank
from gateway.domain.watch.tracks import account, delivery, refill
from gateway.domain.watch.tracks.account import Flow
from gateway.domain.watch.tracks.settling import Sample

TAP_LPM = 29.0
"""An open 15 mm tap under 1 m of water (Torricelli)."""

_KEPT = 24  # samples: four hours at ten minutes, twelve minutes at thirty seconds
_DRAW_SIGMAS, _DRAW_PART = 2.0, 0.005
_DRAW_OVER_S = 1500.0
_DRAW_LONGEST_S = 3600.0
_TREND_S, _TREND_LEAST_S = 7200.0, 1500.0


def update(
    flow: Flow, tank: Tank, sample: Sample, sigma_l: float, is_suspect: bool = False
) -> list[TankEvent]:
    """Apply one settled sample; returns the refills and draws that ended with it.

    ``sigma_l`` is the learned scatter of one reading in litres; while a fall ``is_suspect``, it is
    not booked as a draw.
    """
    flow.recent_at.append(sample.at)
    flow.recent_l.append(sample.litres)
    if len(flow.recent_at) > _KEPT:
        del flow.recent_at[0], flow.recent_l[0]
    if flow.smooth_l is None:
        _begin(flow, sample)
        return []
    events = _follow(flow, tank, sample, sigma_l, is_suspect)
    return delivery.hold(flow, events, sample.at) if events or flow.held else events


def _follow(
    flow: Flow, tank: Tank, sample: Sample, sigma_l: float, is_suspect: bool
) -> list[TankEvent]:
    """The refills and draws that end with a sample."""
    assert flow.smooth_l is not None
    if flow.rise is not None:
        return refill.follow_rise(flow, tank, sample, sigma_l)
    step = refill.step_l(tank, sigma_l, sample.sd_l)
    if refill.has_jumped(flow, sample, step):
        refill.begin_step(flow, sample, sigma_l)
        return []
    flow.before = [flow.smooth_at, flow.smooth_l]
    account.smooth(flow, sample.litres, sample.at, step)
    if refill.begin_slow_rise(flow, tank, sample, sigma_l):
        return []
    return _follow_draw(flow, tank, sample, sigma_l, is_suspect)


def _begin(flow: Flow, sample: Sample) -> None:
    flow.booked_l, flow.booked_at = sample.litres, sample.at
    account.restart(flow, sample.litres, sample.at)


def _follow_draw(
    flow: Flow, tank: Tank, sample: Sample, sigma_l: float, is_suspect: bool
) -> list[TankEvent]:
    assert flow.smooth_l is not None
    level = flow.smooth_l
    if flow.draw_at is None:
        least = max(_DRAW_PART * tank.capacity_l, _DRAW_SIGMAS * sigma_l)
        if flow.booked_l - level >= least:
            began = flow.recent_at[-3] if len(flow.recent_at) > 2 else flow.booked_at
            flow.draw_at = max(began, flow.booked_at)
    if level < flow.bottom_l:
        if level < flow.bottom_l - sigma_l / 2:
            flow.drawn_at = sample.at
        flow.bottom_l = level
    if flow.draw_at is None or is_suspect:
        return []
    is_quiet = sample.at - flow.drawn_at >= _DRAW_OVER_S
    if is_quiet or sample.at - flow.draw_at >= _DRAW_LONGEST_S:
        events = account.book_draw(flow, tank, level, sample.at, sigma_l)
        flow.bottom_l = level
        return events
    return []


def drawn_l(flow: Flow) -> float:
    """Litres drawn since the first reading, including the draw in progress."""
    return flow.drawn_l + max(flow.booked_l - flow.bottom_l, 0.0)


def resume(flow: Flow, tank: Tank, sample: Sample, sigma_l: float) -> list[TankEvent]:
    """Continue after a spell without a believable level; returns what must have happened in it.

    How much was drawn and refilled in the spell is not known, only the difference.
    """
    if flow.smooth_l is None:
        _begin(flow, sample)
        return []
    flow.rise = None
    change = sample.litres - flow.booked_l
    error = account.error_l(sigma_l)
    events = delivery.release(flow)
    if change > max(refill.SLOW_SIGMAS * sigma_l, refill.SLOW_PART * tank.capacity_l):
        events.append(account.event(tank, flow.drawn_at, sample.at, "refill", change,
                             max(change - error, 0.0), tank.capacity_l + change))  # fmt: skip
        flow.booked_l, flow.booked_at = sample.litres, sample.at
        flow.refill_at, flow.refill_l = sample.at, change
    else:
        events += account.book_draw(flow, tank, sample.litres, sample.at, sigma_l)
    flow.recent = [[sample.at, sample.litres]]
    account.restart(flow, sample.litres, sample.at)
    return events


def book_loss(
    flow: Flow, tank: Tank, from_l: float, to_l: float, at: float, until: float, sigma_l: float
) -> list[TankEvent]:
    """Continue from the level after a theft, which is no draw; returns the draws before it."""
    flow.rise = None
    events = delivery.release(flow)
    events += account.book_draw(flow, tank, from_l, at, sigma_l)
    flow.booked_l -= from_l - to_l
    flow.booked_at = until
    account.restart(flow, to_l, until)
    return events


def trend_lph(flow: Flow) -> float | None:
    """Litres per hour over the last two hours of samples; None when they are too few.

    The slope of a least-squares line, negative when the level falls.
    """
    times = flow.recent_at
    if flow.rise is not None or len(times) < 3:
        return None
    end_at = times[-1]
    since = end_at - _TREND_S if flow.refill_at is None else max(end_at - _TREND_S, flow.refill_at)
    first = bisect_left(times, since)
    if len(times) - first < 3 or end_at - times[first] < _TREND_LEAST_S:
        return None
    return round(account.line(times[first:], flow.recent_l[first:])[1] * 3600.0, 1)
