"""Which readings to believe: settled samples, from which refills, draws and falls follow.

A reading that departs from the level by more than the learned noise waits for the next ones. Those
that agree with it settle it; otherwise it is dropped as an outlier. So a spike changes nothing, two
spikes make no fall, and an echo that repeats one figure to the millimetre is no water.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, cast

from gateway.domain.inputs import Reading
from gateway.domain.registry import Tank
from gateway.domain.watch.tracks import noise as scatter
from gateway.domain.watch.tracks.noise import Noise

_GATE_SIGMAS, _GATE_SD = 5.0, 1.5
_GATE_PART = 0.01  # of the capacity
_DRAW_LPM = 20.0  # of one tap: a faster fall between two agreeing readings is not agreement
_DRAW_PART, _SMALL_PART, _DRAW_L = 0.12, 0.17, 100.0
"""Drawn between two readings at most: a part of the tank, and of a small one some cans."""
_LEAST_TAPS = 2
_SMOOTHING = 0.5
_MOST_WAITING = 6
_DROPPED = 6  # outliers that are remembered
_MOST_BETWEEN = 3  # readings that a small delivery stays in the tank unsettled
_CANS_L = 200.0
"""More than some cans is a delivery that stays for longer, or a false echo in a large tank."""
_KNOWN, _MOST_BAD = 15.0, 0.08
"""Readings of a sensor, and their share of outliers, with which a single one may be water."""
_MUCH_SIGMAS, _MUCH_PART, _SAME_SIGMAS = 8.0, 0.03, 1.5
_FULL_PART = 0.8  # of a burst's samples: fewer may come from elsewhere, and prove no draw
_FAR_GATES = 2.0  # nearer ones are no echoes
_FAST_S = 120.0
"""A node that reports as often as this does so because it was handled: two readings that go on in
one direction are a movement of the water."""
_SCATTERED = (0.10, 0.18)
"""Shares of outliers from which three and four readings must agree, not two."""
_SAME_VALUE, _SAME_PART = 3, 0.6
_LEAST_SCATTER_MM = 1.2
_STATED_MM = 5.8  # the least sd that an ultrasonic sensor states (``volume``)
_STEP_PART, _STEP_SIGMAS = 0.20, 8.0
_ROUND_PART, _ROUND_S = 0.015, 86_400.0
_ROUNDS = 2
_SICK_SHARE = 0.5


class Sample(NamedTuple):
    """One believed reading: event time, receive time (Unix s), litres, one sd in litres."""

    at: float
    received: float
    litres: float
    sd_l: float


# The constructor of a NamedTuple takes twice as long, once for every reading.
_sample = cast("Callable[[type[Sample], tuple[float, ...]], Sample]", cast(object, tuple).__new__)


@dataclass(slots=True)
class Settling:
    """``smooth_l``: the settled samples, smoothed; ``waiting``: readings that are not settled
    yet, [Sample..., raw value, part of its burst]; ``step``: the last sudden change, [at, from,
    to] in Unix s and litres; ``rounds``: how often the level went back and forth between two
    figures; ``dropped``: the last outliers, [at, litres].
    """

    smooth_l: float | None = None
    settled_at: float = 0.0
    waiting: list[list[float]] = field(default_factory=list[list[float]])
    noise: Noise = field(default_factory=Noise)
    step: list[float] = field(default_factory=list[float])
    rounds: int = 0
    dropped: list[list[float]] = field(default_factory=list[list[float]])


def settle(track: Settling, tank: Tank, reading: Reading) -> list[Sample]:
    """Apply one good reading; returns the samples that are settled by it, oldest first."""
    assert reading.volume_l is not None and reading.sd_l is not None
    new = _sample(Sample, (reading.at, reading.received, reading.volume_l, reading.sd_l))
    level, noise = track.smooth_l, track.noise
    if level is None:
        track.settled_at = new.at
        track.smooth_l = new.litres
        scatter.note_value(noise, float(reading.value or 0))
        return [new]
    gate = gate_l(track, tank, new.sd_l)
    is_near = abs(new.litres - level) <= gate
    if is_near and not (track.waiting and _agrees_more(track, new, level)):
        between = _dismiss_waiting(track, tank, new, level, gate) if track.waiting else []
        scatter.count_good(noise)
        track.settled_at = new.at
        scatter.learn(noise, new.litres, new.sd_l)
        scatter.note_value(noise, float(reading.value or 0))
        track.smooth_l = level + _SMOOTHING * (new.litres - level)
        return [*between, new]
    track.waiting.append([*new, float(reading.value or 0), _echoed_part(reading)])
    return _settle_waiting(track, tank, level, gate)


def _echoed_part(reading: Reading) -> float:
    """The part of a burst's samples that found an echo: few do when it comes from elsewhere."""
    if reading.valid is None or not reading.tried:
        return 1.0
    return reading.valid / reading.tried


def _dismiss_waiting(
    track: Settling, tank: Tank, new: Sample, level: float, gate: float
) -> list[Sample]:
    """The level is where it was: returns the readings that waited when water made them, a small
    delivery and what was drawn of it. Others were outliers.
    """
    waiting, noise = track.waiting, track.noise
    between = [Sample(*w[:4]) for w in waiting] if _is_water(track, tank, new, level) else []
    if between:
        for _ in between:
            scatter.count_good(noise)
        scatter.forget_last(noise)
    else:
        _drop(track, waiting)
        scatter.count_bad(noise, sum(abs(w[2] - level) > _FAR_GATES * gate for w in waiting))
    waiting.clear()
    return between


def _is_water(track: Settling, tank: Tank, new: Sample, level: float) -> bool:
    """Whether what waited may be water that came and was drawn within a few readings.

    Only with a known sensor that erred seldom lately, full bursts, and no fall beyond the taps.
    """
    waiting = track.waiting
    if len(waiting) > _MOST_BETWEEN:
        return False
    if track.noise.seen < _KNOWN or track.noise.bad_share > _MOST_BAD:
        return False
    if max(w[2] for w in waiting) - level > _CANS_L:
        return False
    if any(_echoed(w) < 1.0 for w in waiting) or _is_the_same_again(track, tank, new, level):
        return False
    at, litres = track.settled_at, level
    for next_at, _, next_l, *_ in [*waiting, new]:
        if litres - next_l > drawable_l(tank, next_at - at):
            return False
        at, litres = next_at, next_l
    return True


def _is_the_same_again(track: Settling, tank: Tank, new: Sample, level: float) -> bool:
    """Whether much seemed to come or go and the level is the very same again, above the tap:
    people seldom draw just what was delivered, but of an empty tank they draw all of it.
    """
    sigma = scatter.sigma_l(track.noise, new.sd_l, tank.capacity_l)
    largest = max([abs(w[2] - level) for w in track.waiting])
    if largest <= max(_MUCH_SIGMAS * sigma, _MUCH_PART * tank.capacity_l):
        return False
    is_same = abs(new.litres - level) < _SAME_SIGMAS * sigma
    return is_same and level > tank.empty_l + _MUCH_PART * tank.capacity_l


def _echoed(waiting: list[float]) -> float:
    """``_echoed_part`` of a reading that waits; an earlier version did not save it."""
    return waiting[5] if len(waiting) > 5 else 1.0


def _agrees_more(track: Settling, new: Sample, level: float) -> bool:
    """Whether a reading is nearer to the one that waits than to the level."""
    return abs(new.litres - track.waiting[-1][2]) < abs(new.litres - level)


def gate_l(track: Settling, tank: Tank, sd_l: float) -> float:
    """The departure from the level, in litres, above which a reading waits for the next."""
    sigma = scatter.sigma_l(track.noise, sd_l, tank.capacity_l)
    gate, least = _GATE_SIGMAS * sigma, _GATE_SD * sd_l
    if gate < least:
        gate = least
    least = _GATE_PART * tank.capacity_l
    return gate if gate > least else least


def _settle_waiting(track: Settling, tank: Tank, level: float, gate: float) -> list[Sample]:
    waiting = track.waiting
    run = _agreeing(waiting, tank, level, gate) if _moves_on(waiting, level) == 0 else len(waiting)
    if run == 0 or run < _needed(track.noise) or _is_echo(track, waiting[-run:]):
        if len(waiting) > _MOST_WAITING:
            _drop(track, [waiting.pop(0)])
            scatter.count_bad(track.noise)
        return []
    settled = [Sample(*w[:4]) for w in waiting]
    kept = _on_the_way(settled, level, len(settled) - run)
    scatter.count_bad(track.noise, len(settled) - len(kept))
    _drop(track, [w for w, sample in zip(waiting, settled, strict=True) if sample not in kept])
    waiting.clear()
    for sample in kept:
        scatter.count_good(track.noise)
        track.settled_at = sample.at
    _record_step(track, tank, level, kept)
    scatter.forget_last(track.noise)
    newest = kept[-1:] if _is_moving(kept, gate) else kept[-2:]
    track.smooth_l = sum(s.litres for s in newest) / len(newest)
    return kept


def _drop(track: Settling, outliers: list[list[float]]) -> None:
    """Remember outliers: where the level soon follows them, they were the water."""
    track.dropped = [*track.dropped, *([w[0], w[2]] for w in outliers)][-_DROPPED:]


def _moves_on(waiting: list[list[float]], level: float) -> int:
    """How many waiting readings go on in one direction, when that proves a movement; else 0."""
    values = [level, *(w[2] for w in waiting)]
    falls = all(b < a for a, b in pairwise(values))
    rises = all(b > a for a, b in pairwise(values))
    if not (falls or rises):
        return 0
    is_fast = len(waiting) == 2 and waiting[1][0] - waiting[0][0] <= _FAST_S
    return len(waiting) if is_fast or len(waiting) > 2 else 0


def _agreeing(waiting: list[list[float]], tank: Tank, level: float, gate: float) -> int:
    """How many of the last waiting readings agree, but for what people may have drawn.

    A burst that lost samples shows no draw, and one above the level no water that was drawn.
    """
    run = 1
    for later, earlier in zip(waiting[::-1], waiting[-2::-1], strict=False):
        fallen = earlier[2] - later[2]
        is_full = _echoed(later) >= _FULL_PART and (earlier[2] <= level or _echoed(earlier) >= 1.0)
        drawable = drawable_l(tank, later[0] - earlier[0]) if is_full else 0.0
        if not -gate <= fallen <= max(gate, drawable):
            break
        run += 1
    return run if run > 1 else 0


def _needed(noise: Noise) -> int:
    """How many readings must agree: more for a sensor that often errs."""
    return 2 + sum(noise.bad_share > share for share in _SCATTERED)


def _is_echo(track: Settling, run: list[list[float]]) -> bool:
    """Whether the readings repeat one figure to the millimetre where others scatter: an echo
    from something that is not water.
    """
    is_steady = track.noise.ratio * _STATED_MM < _LEAST_SCATTER_MM
    if is_steady or not scatter.scatters(track.noise):
        return False
    values = [w[4] for w in run]
    most = max(map(values.count, values))
    return most == len(values) or (most >= _SAME_VALUE and most >= _SAME_PART * len(values))


def _on_the_way(settled: list[Sample], level: float, before: int) -> list[Sample]:
    """The samples without those before the agreeing run that are not between both levels."""
    end = settled[-1].litres
    low, high = min(level, end), max(level, end)
    return [s for i, s in enumerate(settled) if i >= before or low <= s.litres <= high]


def _is_moving(kept: list[Sample], gate: float) -> bool:
    return len(kept) > 1 and abs(kept[-1].litres - kept[-2].litres) > gate


def _record_step(track: Settling, tank: Tank, level: float, kept: list[Sample]) -> None:
    """Count rounds: sudden changes between the same two figures, which no water makes.

    Water makes them where the lower one is the tap: a tank that runs dry, and is filled from the
    same bowser or cans each time.
    """
    to, at = kept[-1].litres, kept[0].at
    sigma = scatter.sigma_l(track.noise, kept[-1].sd_l, tank.capacity_l)
    if abs(to - level) < max(_STEP_PART * tank.capacity_l, _STEP_SIGMAS * sigma):
        return
    near = max(_ROUND_PART * tank.capacity_l, _GATE_SIGMAS * sigma)
    last, track.step = track.step, [at, level, to]
    if min(level, to) <= tank.empty_l + near:
        track.rounds = 0
        return
    if not last or at - last[0] > _ROUND_S:
        track.rounds = 0
    elif abs(level - last[2]) <= near and abs(to - last[1]) <= near:
        track.rounds += 1
    if track.rounds >= _ROUNDS:
        track.noise.bad_share = max(track.noise.bad_share, _SICK_SHARE)


def copy_of(track: Settling) -> Settling:
    """A copy to continue from later."""
    return deepcopy(track)


def drawable_l(tank: Tank, seconds: float) -> float:
    """What all taps may have given in a time, at most a part of the tank, in litres."""
    drawn = max(tank.taps, _LEAST_TAPS) * _DRAW_LPM * max(seconds, 0.0) / 60
    most = max(_DRAW_PART * tank.capacity_l, min(_DRAW_L, _SMALL_PART * tank.capacity_l))
    return min(drawn, most)
