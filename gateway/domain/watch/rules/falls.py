"""Finds falls too large or too fast for people at the taps; ``removal`` weighs them.

A sequential test (Page's cumulative sum): each step adds what fell beyond a permitted rate. Where
the sum last left zero is the onset; the sum itself decides whether there is a fall at all.
"""

from math import sqrt
from statistics import median_high, median_low

from gateway.domain.geometry import Curve
from gateway.domain.inputs import Reading
from gateway.domain.registry import Tank
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, TankState
from gateway.domain.watch.rules import habit, presence, removal, sensor_checks
from gateway.domain.watch.tracks import noise as scatter
from gateway.domain.watch.tracks.flow import TAP_LPM
from gateway.domain.watch.tracks.settling import Sample
from gateway.domain.watch.tracks.tamper import Episode, Fall

_LATELY = 8  # samples
_QUICK_PART = 0.05  # of the capacity: a smaller recent change begins no fall
_LEAST_PART, _LEAST_SIGMAS = 0.10, 8.0
_PERMITTED_TAPS = 0.10  # of the flow of all taps
_PERMITTED_USE = 1.0  # times the largest draw in an hour
_FLAT_PART, _FLAT_SIGMAS = 0.006, 2.5
_BOTTOM_PART = 0.05  # of the capacity above the tap: practically empty
_PLATEAU_S, _PLATEAU_STEPS = 45.0, 1.5
_OLD_S, _OLD_STEPS = 3600.0, 3.0
"""A fall is old after this, or after so many times the step in which it ended, if that is longer:
a node that reports each half hour shows a plateau by its second reading after it."""
_LEAST_TAPS = 2  # one wide or uncounted tap must not look like a theft
_ORDINARY = 0.25  # of all taps open: without other evidence people are drawing water
_IMPROBABLE = 8.0
"""A loss as improbable as this (exp(-8) for the hour) is looked at however slow it is."""
_DECIDED_BY = 2  # samples after a fall
_BEFORE = 3
_LATE_KEPT = 24
_DECAY = 0.6
_TAIL_PART = 0.1  # of the fall so far: a smaller step no longer belongs to it
_LEAST_RUN = 5  # samples
_LEAST_HEAD_MM = 200.0  # wide taps and short falls near the floor must not look like a theft
_RECOVERY_S = 300.0


def check(
    context: WatchContext, tank: TankState, row: Tank, device: DeviceState, sample: Sample,
    later_l: float = 0.0,
) -> None:  # fmt: skip
    """Look for a fall that ends at the newest settled sample or is in progress.

    None when the water was back later: ``later_l`` is the level that is known from after it.
    """
    levels = tank.flow.recent_l
    if len(levels) < 3 or row.kind == "station":  # people carry cans away quickly
        return
    is_small = max(levels[-_LATELY:]) - levels[-1] < _QUICK_PART * row.capacity_l
    if is_small and (tank.episode is None or not _is_in_progress(tank.episode, sample.at)):
        return  # the usual case
    if tank.flow.rise is not None or _is_double(device):
        return
    if context.now - sample.at > removal.TOO_OLD_S:
        return
    sigma = scatter.sigma_l(tank.settling.noise, sample.sd_l, row.capacity_l)
    found = find_fall(tank.flow.recent, row, sigma, habit.usual_lps(context, tank.tank))
    if found is None or _is_undecided(found):
        return
    if later_l > found.from_l - _LEAST_PART * row.capacity_l:
        return
    if habit.is_small_delivery(tank, row, found):
        return
    habit.compare(context, row, found)
    sensor_checks.note(tank, row, found, tank.flow.recent, sample.sd_l)
    if tank.episode or _is_unusual(found):
        removal.add_fall(context, tank, device, found)


def _is_double(device: DeviceState) -> bool:
    """Whether two devices speak as one: their levels have nothing to do with each other."""
    return len(device.promises) > 1 and len(presence.active_promises(device)) > 1


def _is_unusual(fall: Fall) -> bool:
    """Whether a fall, without other evidence, is more than people drawing water."""
    return fall.taps_ratio >= _ORDINARY or fall.improbable >= _IMPROBABLE


def _is_undecided(fall: Fall) -> bool:
    """Whether the next reading of a node that does not report often must show what it is: water
    that goes on falling, a tank that is empty, or a sensor that is wrong from now on.
    """
    if fall.until - fall.at <= _RECOVERY_S:
        return False
    if fall.emptied:
        return fall.step_s > _RECOVERY_S and not fall.later
    return fall.single_step and not fall.plateau and fall.later < _DECIDED_BY


def _is_in_progress(episode: Episode, at: float) -> bool:
    """Whether a fall is known that may go on, or that has just become flat."""
    fall = episode.fall
    return fall is not None and at - fall.until <= max(_OLD_S, _OLD_STEPS * fall.step_s)


def check_late(
    context: WatchContext, tank: TankState, row: Tank, device: DeviceState, reading: Reading
) -> None:
    """Look for a fall in readings that arrive after newer ones were judged.

    None where later readings show the water back.
    """
    if reading.volume_l is None or row.kind == "station" or _is_double(device):
        return
    if context.now - reading.at > removal.TOO_OLD_S:
        return
    backlog = tank.backlog
    backlog.append([reading.at, reading.volume_l])
    backlog.sort()
    del backlog[:-_LATE_KEPT]
    sigma = scatter.sigma_l(tank.settling.noise, reading.sd_l or 0.0, row.capacity_l)
    found = find_fall(backlog, row, sigma, habit.usual_lps(context, tank.tank))
    if found is None or _is_reverted(tank, row, found):
        return
    habit.compare(context, row, found)
    sensor_checks.note(tank, row, found, backlog, reading.sd_l or 0.0)
    if tank.episode or _is_unusual(found):
        removal.add_fall(context, tank, device, found)


def _is_reverted(tank: TankState, row: Tank, fall: Fall) -> bool:
    """Whether a later reading shows the level from before the fall."""
    at, litres = tank.settling.settled_at, tank.settling.smooth_l
    if tank.settling.waiting:
        at, _, litres = tank.settling.waiting[-1][:3]
    if litres is None or at <= fall.until:
        return False
    return litres > fall.from_l - _LEAST_PART * row.capacity_l


def find_fall(
    samples: list[list[float]], row: Tank, sigma_l: float, usual_lps: float
) -> Fall | None:
    """The fall at the end of ``samples`` ([at, litres], oldest first), or None.

    ``sigma_l``: scatter of one sample; ``usual_lps``: the largest usual draw, litres a second.
    """
    curve = Curve(row)
    permitted = _permitted_lps(curve, row, samples[-1][1], usual_lps)
    start, end, total = _excursion(samples, permitted, sigma_l)
    if total < max(_LEAST_PART * row.capacity_l, _LEAST_SIGMAS * sigma_l):
        return None
    until, low = samples[end]
    stayed = samples[-1][0] - until
    if stayed > max(_OLD_S, _OLD_STEPS * (until - samples[end - 1][0])):
        return None
    flat = _flat_from(samples, end, 2 * max(_FLAT_SIGMAS * sigma_l, _FLAT_PART * row.capacity_l))
    is_falling = samples[-1][1] < low  # on, but too slowly to belong to the fall
    low = _after([litres for _, litres in samples[flat if is_falling else end :]][:_BEFORE])
    from_l = _before(samples, start)
    if from_l - low < max(_LEAST_PART * row.capacity_l, _LEAST_SIGMAS * sigma_l):
        return None
    lpm, ratio = _fastest(samples[start : end + 1], curve, row, sigma_l)
    interval = until - samples[end - 1][0]
    emptied = low <= row.empty_l + _BOTTOM_PART * row.capacity_l
    stayed = samples[-1][0] - samples[flat][0]
    is_flat = stayed >= max(_PLATEAU_S, _PLATEAU_STEPS * interval)
    return Fall(
        at=samples[start][0], until=until, from_l=from_l, to_l=low, lpm=lpm, taps_ratio=ratio,
        single_step=end - start == 1, plateau=not emptied and is_flat, emptied=emptied,
        decays=_decays(samples[start : end + 1]),
        slowing=_slowing(samples[start : end + 1], curve),
        step_s=samples[start + 1][0] - samples[start][0] if end > start else 0.0,
        later=len(samples) - 1 - end,
    )  # fmt: skip


def _flat_from(samples: list[list[float]], end: int, within_l: float) -> int:
    """The first sample, from ``end`` on, of those at the end that agree with one another."""
    low = high = samples[-1][1]
    first = len(samples) - 1
    while first > end:
        low, high = min(low, samples[first - 1][1]), max(high, samples[first - 1][1])
        if high - low > within_l:
            break
        first -= 1
    return first


def _permitted_lps(curve: Curve, row: Tank, litres: float, usual_lps: float) -> float:
    """What a fall must exceed to be looked at: a part of all taps, or this tank's usual draw."""
    taps = _all_taps_lpm(curve, row, litres, litres) / 60
    return min(max(_PERMITTED_TAPS * taps, _PERMITTED_USE * usual_lps), 0.5 * taps)


def _excursion(
    samples: list[list[float]], permitted_lps: float, sigma_l: float
) -> tuple[int, int, float]:
    """First and last sample of the last excursion of the cumulative sum, and its largest value."""
    flat = max(_FLAT_SIGMAS * sigma_l, 0.0)
    total, start, end, largest = 0.0, len(samples) - 1, len(samples) - 1, 0.0
    low = samples[0][1]
    for i in range(1, len(samples)):
        fallen = samples[i - 1][1] - samples[i][1]
        step = fallen - permitted_lps * min(samples[i][0] - samples[i - 1][0], _OLD_S)
        if total <= 0.0:
            if step > 0:
                total, start, end, largest, low = step, i - 1, i, step, samples[i][1]
            continue
        total += step
        if total > largest:
            largest = total
        if samples[i][1] < low - max(flat, _TAIL_PART * (samples[start][1] - low)):
            end, low = i, samples[i][1]
        if total <= 0.0 and largest < flat:
            largest = 0.0
        if samples[i][1] > samples[start][1] - flat:
            total = largest = 0.0  # the water is back
    return start, end, largest


def _before(samples: list[list[float]], start: int) -> float:
    """The level before a fall: the median of up to three samples, so that one echo makes none.

    Of two the lower: one of them may be an echo, too.
    """
    return median_low(litres for _, litres in samples[max(start - _BEFORE + 1, 0) : start + 1])


def _after(found: list[float]) -> float:
    """The level after a fall: the median of up to three samples, and of two the higher."""
    return median_high(found)


def _fastest(
    run: list[list[float]], curve: Curve, row: Tank, sigma_l: float
) -> tuple[float, float]:
    """The fastest part of a run: its rate in L/min, and its ratio to all taps open.

    Each fall is reduced by the noise, so that noise over a short time makes no rate.
    """
    lpm = ratio = 0.0
    for i, (at, litres) in enumerate(run[:-1]):
        for until, left in run[i + 1 :]:
            fallen = litres - left - _FLAT_SIGMAS * sigma_l
            if fallen <= 0 or until <= at:
                continue
            rate = fallen / (until - at) * 60
            if rate > 0.8 * lpm:
                ratio = max(ratio, rate / _all_taps_lpm(curve, row, litres, left))
            lpm = max(lpm, rate)
    return lpm, ratio


def _all_taps_lpm(curve: Curve, row: Tank, from_l: float, to_l: float) -> float:
    """The flow of all open taps together while the level falls from ``from_l`` to ``to_l``, L/min.

    Torricelli: the flow is proportional to the root of the water's height above the tap, so with
    straight walls its mean over a fall is the mean of both ends.
    """
    tap_mm = curve.level_mm(row.empty_l)
    heights = (max(curve.level_mm(litres) - tap_mm, _LEAST_HEAD_MM) for litres in (from_l, to_l))
    roots = [sqrt(height / 1000) for height in heights]
    return max(row.taps, _LEAST_TAPS) * TAP_LPM * sum(roots) / 2


def _decays(run: list[list[float]]) -> bool:
    """Whether the second half of a fall was slower than the first, as through one hole."""
    if len(run) < 4:
        return False
    middle_at = (run[0][0] + run[-1][0]) / 2
    middle = min(run, key=lambda s: abs(s[0] - middle_at))
    first, second = run[0][1] - middle[1], middle[1] - run[-1][1]
    return second < _DECAY * first


def _slowing(run: list[list[float]], curve: Curve) -> float | None:
    """The rate of the second half over that of the first, divided by the same for a hole at the
    bottom: 1 for an open valve, less for a cut further up, through which less and less comes.

    Torricelli: the rate is proportional to the root of the height above the hole.
    """
    if len(run) < _LEAST_RUN:
        return None
    middle = run[len(run) // 2]
    first = (run[0][1] - middle[1]) / max(middle[0] - run[0][0], 1.0)
    second = (middle[1] - run[-1][1]) / max(run[-1][0] - middle[0], 1.0)
    heights = [max(curve.level_mm(litres), 1.0) for _, litres in (run[0], middle, run[-1])]
    expected = sqrt((heights[1] + heights[2]) / (heights[0] + heights[1]))
    return second / first / expected if first > 0 else None
