"""How far one reading of a tank is from the truth, learned from the tank's own readings.

The sd that comes with a reading contains the sensor's unknown bias and what its maker states. How
much readings scatter around the level is another figure: it decides what is a change.
"""

from dataclasses import dataclass, field
from math import sqrt

RATIO = 0.9
"""Before anything is learned: the scatter of readings, as a part of the sd they state."""
_LEAST_RATIO, _MOST_RATIO = 0.05, 3.0
_BLOCK = 8
_QUANTILE = 0.3
"""Of the scatter of blocks: the calmest third is free of draws, in the night at least."""
_BLOCK_PART = 0.80
"""The 30 % quantile of the scatter of eight second differences, as a part of the true one."""
_FIRST_STEP, _LEAST_STEP = 0.6, 0.04
_MOST_SIGMAS = 3.0
_SHARE_STEP = 0.06
_ROUGH = 1.0  # raw units, such as mm
_SEEN_KEPT, _LEAST_SEEN, _ROUGH_PART, _REPEATED_PART = 0.98, 3.0, 0.45, 0.3
_LEAST_PART = 0.0005
"""Of the capacity: quantisation and ripples leave at least this much scatter."""


@dataclass(slots=True)
class Noise:
    """``ratio``: scatter as a part of the stated sd; ``bad_share``: recent share of outliers."""

    ratio: float = RATIO
    blocks: int = 0
    last: list[float] = field(default_factory=list[float])  # two readings before the newest
    total: float = 0.0  # of squared second differences in this block
    count: int = 0
    bad_share: float = 0.0
    good: int = 0  # consecutive readings that were no outliers
    values: list[float] = field(default_factory=list[float])  # raw, of two believed readings
    seen: float = 0.0  # believed readings lately
    rough: float = 0.0  # of these, how many were off the line through their neighbours
    repeated: float = 0.0  # of these, how many had the raw value of the one before


def sigma_l(noise: Noise, sd_l: float, capacity_l: float) -> float:
    """One sd of the scatter of a reading that states ``sd_l``, in litres."""
    sigma, least = noise.ratio * sd_l, _LEAST_PART * capacity_l
    return sigma if sigma > least else least  # max() takes four times as long


def learn(noise: Noise, litres: float, sd_l: float) -> None:
    """Learn from the next believed reading.

    The second difference of three readings is free of a steady draw; its variance is 1.5 times
    that of one reading.
    """
    last = noise.last
    if len(last) < 2:
        last.append(litres)
        return
    bend = (last[1] - (last[0] + litres) / 2.0) / (sd_l if sd_l > 1e-6 else 1e-6)
    last[0], last[1] = last[1], litres
    most = _MOST_SIGMAS * noise.ratio
    noise.total += min(bend * bend, most * most)  # a step of the level counts no more than that
    noise.count += 1
    if noise.count == _BLOCK:
        _learn_block(noise, sqrt(noise.total / _BLOCK / 1.5))
        noise.total, noise.count = 0.0, 0


def _learn_block(noise: Noise, scatter: float) -> None:
    """Move the ratio towards the quantile of the blocks' scatter (Robbins and Monro, 1951)."""
    step = max(_FIRST_STEP / (1 + 0.3 * noise.blocks), _LEAST_STEP)
    above = scatter > noise.ratio * _BLOCK_PART
    noise.ratio *= 1 + step * (_QUANTILE if above else _QUANTILE - 1)
    noise.ratio = min(max(noise.ratio, _LEAST_RATIO), _MOST_RATIO)
    noise.blocks += 1


def forget_last(noise: Noise) -> None:
    """Start a new second difference: the level has jumped, or readings are missing."""
    noise.last.clear()


def note_value(noise: Noise, value: float) -> None:
    """Remember whether raw values scatter, apart from a steady fall."""
    last = noise.values
    if len(last) < 2:
        last.append(value)
        return
    is_rough = abs(last[1] - (last[0] + value) / 2.0) >= _ROUGH
    noise.seen = _SEEN_KEPT * noise.seen + 1.0
    noise.rough = _SEEN_KEPT * noise.rough + is_rough
    noise.repeated = _SEEN_KEPT * noise.repeated + (value == last[1])
    last[0], last[1] = last[1], value


def scatters(noise: Noise) -> bool:
    """Whether this sensor's readings scatter, so that it is strange when they repeat a value."""
    if noise.seen < _LEAST_SEEN or noise.repeated > 1.0 + _REPEATED_PART * noise.seen:
        return False  # a sensor with coarse steps repeats itself
    return noise.rough >= _ROUGH_PART * noise.seen


def count_good(noise: Noise) -> None:
    """A reading was no outlier."""
    noise.bad_share -= _SHARE_STEP * noise.bad_share
    noise.good += 1


def count_bad(noise: Noise, readings: int = 1) -> None:
    """Readings were outliers."""
    for _ in range(readings):
        noise.bad_share += _SHARE_STEP * (1.0 - noise.bad_share)
        noise.good = 0
