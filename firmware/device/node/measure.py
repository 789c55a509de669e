"""A burst of samples made into one reading: the median, with its spread as quality."""

import math

_MAD_TO_SD = 14826  # 1.4826 x MAD estimates a normal standard deviation; in 1e-4


class Burst:
    """One reading: ``value`` and ``spread`` in the sensor's unit, None without any echo."""

    def __init__(self, value, spread, valid, tried):
        self.value = value
        self.spread = spread
        self.valid = valid
        self.tried = tried


def burst(samples):
    """The :class:`Burst` of ``samples``, a list of integers with None for each invalid one."""
    valid = sorted(sample for sample in samples if sample is not None)
    if not valid:
        return Burst(None, None, 0, len(samples))
    middle = median(valid)
    mad = median(sorted(abs(sample - middle) for sample in valid))
    return Burst(middle, (mad * _MAD_TO_SD + 5000) // 10000, len(valid), len(samples))


def median(ordered):
    """Middle of a sorted list of integers; between two, the mean rounded down."""
    half = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[half]
    return (ordered[half - 1] + ordered[half]) // 2


def sampled(read, ticks_ms, ticks_diff, tries, budget_ms):
    """Up to ``tries`` results of ``read()`` within ``budget_ms``; at least one is tried."""
    start = ticks_ms()
    samples = []
    while len(samples) < tries:
        samples.append(read())
        if ticks_diff(ticks_ms(), start) >= budget_ms:
            break
    return samples


def magnitude(axes):
    """Length of a vector of integers, in their unit, rounded down."""
    return int(math.sqrt(sum(axis * axis for axis in axes)))


def tilt_deg(axes):
    """Whole degrees between the third axis and upright; single precision is plenty."""
    x, y, z = axes
    return int(math.degrees(math.atan2(math.sqrt(x * x + y * y), z)) + 0.5)


def mean(vectors):
    """Mean of vectors of three integers, rounded down; None of none."""
    if not vectors:
        return None
    return tuple(sum(axes[at] for axes in vectors) // len(vectors) for at in range(3))
