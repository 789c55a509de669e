"""Refills of one tank: how a rise begins, goes on and ends.

What people draw while water comes in is estimated from the draws before.
"""

from math import sqrt
from statistics import median

from gateway.domain.outputs import TankEvent
from gateway.domain.registry import Tank
from gateway.domain.watch.tracks import account
from gateway.domain.watch.tracks.account import GAP_S, Flow, Rise
from gateway.domain.watch.tracks.settling import Sample, drawable_l

_BEFORE = 5  # samples that show the level and the draws before a refill
_STEP_SIGMAS, _STEP_SD, _STEP_PART = 5.0, 2.5, 0.015
_RISEN_PART = 0.9  # that the reading itself must have risen: draws that stop are no refill
SLOW_SIGMAS, SLOW_PART, _SLOW_S = 6.0, 0.03, 3.5 * 3600.0
_GROWTH_SIGMAS, _GROWTH_PART = 1.5, 0.005
_PAUSE_S, _PAUSE_PART, _LONGEST_PAUSE_S = 540.0, 0.3, 3600.0
"""A refill ends when the level has not grown for this long, or for a part of its duration: a
slow pump rests, a bowser does not."""
_ECHO_PART, _MOST_ECHOES = 0.4, 3
_LEAST_AFTER = 3  # readings at the top, or an hour's third
_DRAWN_SIGMAS = 2.0  # below what the draws let expect: drawn since, so this reading is the level
_PROOF, _ECHO_PROOF = 6.0, 7.0
"""A rise is proven when the mean at its top is above the mean before it by so many standard errors
of their difference; one that fell right back must be clearer."""
_SEEN_PROOF = 3.0  # sd, above the last readings before
_MOST_DRAWN = 0.5  # of the rise


def step_l(tank: Tank, sigma_l: float, sd_l: float) -> float:
    """The rise between two samples, in litres, that is a refill.

    ``sigma_l`` is the learned scatter of a reading, ``sd_l`` what its sensor states: air and
    temperature move a level by more than it scatters.
    """
    return max(_STEP_SIGMAS * sigma_l, _STEP_SD * sd_l, _STEP_PART * tank.capacity_l)


def has_jumped(flow: Flow, sample: Sample, step: float) -> bool:
    """Whether the level is above what the draws before let expect: since the sample before, or
    since the one before that, when it was taken while water came.
    """
    smooth = flow.smooth_l or 0.0
    levels = flow.recent_l
    risen = sample.litres - (levels[-2] if len(levels) > 1 else smooth)
    least = _RISEN_PART * step
    if risen > least and _excess(flow, sample, flow.smooth_at, smooth) > step:
        return True
    if not flow.before or smooth <= flow.before[1] or risen < 0 or len(levels) < 3:
        return False
    risen = sample.litres - levels[-3]
    return risen > least and _excess(flow, sample, *flow.before) > step


def _excess(flow: Flow, sample: Sample, at: float, level: float) -> float:
    elapsed = min(max(sample.at - at, 0.0), GAP_S)
    return sample.litres - level - flow.trend_lps * elapsed


def begin_step(flow: Flow, sample: Sample, sigma_l: float) -> None:
    """The level jumped: a refill since the sample before.

    That one may have been taken while water came already: when it is above what those before it
    let expect, that is the level before.
    """
    before = [s for s in flow.recent[-2 - _BEFORE : -1] if s[0] >= flow.followed_since]
    count = len(before)
    if before:
        at, last_l = before[-1]
        _, level, rate = _before(before[:-1] if len(before) > 2 else before)
        level -= rate * (at - before[-2][0]) if len(before) > 2 else 0.0
        if last_l < level - _DRAWN_SIGMAS * sigma_l:  # drawn since the one before it
            level, count = last_l, 1
        elif last_l < level:  # no water came before it
            _, level, rate = _before(before)
    else:
        at, level, rate = flow.smooth_at, flow.smooth_l or 0.0, 0.0
    after = [[sample.at, sample.litres]]
    last = [litres for _, litres in before[-_LEAST_AFTER:]] or [level]
    seen_l = min(last[-1], sum(last) / len(last))
    flow.rise = Rise(
        at, max(level, 0.0), sample.at, sample.litres, rate, after, max(count, 1), seen_l
    )


def _before(samples: list[list[float]]) -> tuple[float, float, float]:
    """The last time, the level then, and litres a second drawn until then (0 or more)."""
    if not samples:
        return 0.0, 0.0, 0.0
    if len(samples) < 3:
        return samples[-1][0], samples[-1][1], 0.0
    level, slope = account.line([at for at, _ in samples], [litres for _, litres in samples])
    return samples[-1][0], level, max(-slope, 0.0)


def begin_slow_rise(flow: Flow, tank: Tank, sample: Sample, sigma_l: float) -> bool:
    """A level that rose within hours by more than the noise is a slow refill."""
    assert flow.smooth_l is not None
    low = flow.low
    while low and low[-1][1] >= flow.smooth_l:
        low.pop()
    low.append([sample.at, flow.smooth_l])
    while sample.at - low[0][0] > _SLOW_S and len(low) > 1:
        del low[0]
    least = max(SLOW_SIGMAS * sigma_l, SLOW_PART * tank.capacity_l)
    if flow.smooth_l - low[0][1] < least:
        return False
    at, litres = low[0]
    flow.rise = Rise(
        at, litres, sample.at, sample.litres, 0.0, [[sample.at, sample.litres]], _BEFORE
    )
    return True


def _level_at(samples: list[list[float]], at: float, draw_lps: float, nearly: float) -> float:
    """The level at ``at`` from samples around it, each corrected by what was drawn between."""
    values = [litres - draw_lps * (at - then) for then, litres in samples if abs(at - then) < 3600]
    return median(values) if values else nearly


def follow_rise(flow: Flow, tank: Tank, sample: Sample, sigma_l: float) -> list[TankEvent]:
    """Apply a sample to the refill in progress; returns it, and draws, when it has ended."""
    rise = flow.rise
    assert rise is not None
    if sample.litres - rise.from_l < _ECHO_PART * (rise.top_l - rise.from_l):
        if _is_echo(tank, rise, sample, sigma_l):
            between = rise.at, flow.recent_at[-1]
            flow.recent = [s for s in flow.recent if not between[0] < s[0] < between[1]]
            return _drop_rise(flow, sample)
        return _end_rise(flow, tank, sample, sigma_l)
    growth = max(_GROWTH_SIGMAS * sigma_l, _GROWTH_PART * tank.capacity_l)
    if sample.litres > rise.top_l + growth:
        rise.top_at, rise.top_l = sample.at, sample.litres
        rise.after = [[sample.at, sample.litres]]
        return []
    rise.after.append([sample.at, sample.litres])
    lasted = rise.top_at - rise.at
    pause = min(max(_PAUSE_S, _PAUSE_PART * lasted), _LONGEST_PAUSE_S)
    falls = sample.litres < rise.top_l - max(_STEP_SIGMAS * sigma_l, 2 * growth)
    is_seen = len(rise.after) >= _LEAST_AFTER or sample.at - rise.top_at > _LONGEST_PAUSE_S / 3
    if (sample.at - rise.top_at < pause or not is_seen) and not falls:
        return []
    if not _is_proven(rise, sigma_l, _PROOF):
        return _drop_rise(flow, sample)
    return _end_rise(flow, tank, sample, sigma_l)


def _is_echo(tank: Tank, rise: Rise, sample: Sample, sigma_l: float) -> bool:
    """Whether a rise of a few samples, after which the level is where it was, was no water.

    People draw a few cans within a reading or two; more than the taps give cannot have been there.
    """
    if len(rise.after) > _MOST_ECHOES:
        return False
    last_at, last_l = rise.after[-1]
    if last_l - sample.litres > drawable_l(tank, sample.at - last_at):
        return True
    return not _is_proven(rise, sigma_l, _ECHO_PROOF)


def _is_proven(rise: Rise, sigma_l: float, errors: float) -> bool:
    """Whether the level rose by more than noise makes of a level that stays or falls.

    Draws that seemed to go on, and stopped, are no proof: the level itself must have risen.
    """
    after = rise.after[:_LEAST_AFTER]
    top = sum([litres for _, litres in after]) / len(after)
    if rise.seen_l is not None and top - rise.seen_l <= _SEEN_PROOF * sigma_l:
        return False
    return top - rise.from_l > errors * sigma_l * sqrt(1 / len(after) + 1 / rise.before)


def _drop_rise(flow: Flow, sample: Sample) -> list[TankEvent]:
    """Continue from a sample as if the level had not risen."""
    flow.rise = None
    flow.smooth_l, flow.smooth_at = sample.litres, sample.at
    flow.low = [[sample.at, sample.litres]]
    return []


def _end_rise(flow: Flow, tank: Tank, sample: Sample, sigma_l: float) -> list[TankEvent]:
    """Book the refill in progress, and the draws before and during it."""
    rise = flow.rise
    assert rise is not None
    flow.rise = None
    lasted = rise.top_at - rise.at
    during = [at for at in flow.recent_at if rise.at < at <= rise.top_at]
    is_gap = lasted > GAP_S and len(during) < 3
    seen = rise.after[:_LEAST_AFTER]
    after = _level_at(seen, rise.top_at, _rate_between(seen[0], seen[-1]), rise.top_l)
    rate = rise.draw_lps
    is_empty = rise.from_l <= tank.empty_l + 2 * sigma_l
    if is_empty:  # nobody drew from it before, nor until the water came
        rate = _rate_between(rise.after[0], rise.after[-1])
    drawn = rate * lasted * (0.5 if is_gap or is_empty else 1.0)
    drawn = min(drawn, _MOST_DRAWN * max(after - rise.from_l, 0.0))
    events = account.book_draw(flow, tank, rise.from_l, rise.at, sigma_l)
    litres = after - rise.from_l + drawn
    error = account.error_l(sigma_l)
    flow.booked_l += litres
    flow.booked_at = rise.top_at
    flow.refill_at, flow.refill_l = rise.top_at, litres
    least = max(after - rise.from_l - error, 0.0)
    # nobody drew before a gap: they may have drawn in it all the same
    unseen = max(2 * drawn, drawable_l(tank, lasted) if is_gap else 0.0)
    events.append(account.event(tank, rise.at, rise.top_at, "refill", litres, least,
                         litres + unseen + error))  # fmt: skip
    account.restart(flow, after, rise.top_at)
    for at, value in rise.after[1:]:
        account.smooth(flow, value, at, _STEP_SIGMAS * sigma_l)
    flow.bottom_l = min(after, flow.smooth_l or after)
    return events


def _rate_between(start: list[float], end: list[float]) -> float:
    """Litres a second that fell between two samples, 0 or more."""
    return max(start[1] - end[1], 0.0) / (end[0] - start[0]) if end[0] > start[0] else 0.0
