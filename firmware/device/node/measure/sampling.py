"""Reduces a burst of samples to one reading: the median of those that agree, or none.

A burst has five samples; when they do not all agree, seven, then nine. If more than half of the
samples were corrupted independently, the burst passes only when three or more of them fall by
chance within the window of the true ones (tests print how often); the value is then still right.
Without a majority there is no reading.
"""

from drivers import SensorError
from micropython import const

_MAD_TO_SD = const(14826)  # 1.4826 x MAD estimates a normal standard deviation; in 1e-4
_MOMENTS = (5, 7, 9)  # samples after which a burst may end
_DEAD = const(3)  # errors in a row at the beginning: the sensor is not there
_BUDGET_MS = const(3000)  # of a wake, for all sensors

NO_ECHO, DISAGREE = "no_echo", "disagree"
_FAULT = const("fault")


class Burst:
    """One reading: ``value`` and ``spread`` in the sensor's unit, or None and the reason ``code``.

    ``valid`` of ``tried`` samples agree (without a value: of ``tried`` samples, the valid ones).
    """

    def __init__(self, value, spread, valid, tried, code=""):
        self.value = value
        self.spread = spread
        self.valid = valid
        self.tried = tried
        self.code = code
        self.error = None  # type: Exception | None
        """The last exception that was no SensorError, as buses raise it."""


def burst(samples, window, code=""):
    """The :class:`Burst` of ``samples``, integers, with None for each invalid one.

    Samples agree when all are within ``window``. ``code`` is the reason of the last invalid one,
    empty for no echo.
    """
    valid = sorted(sample for sample in samples if sample is not None)
    agreeing = agreed(valid, window)
    if len(samples) >= _MOMENTS[0] and len(agreeing) >= needed(len(samples)):
        return Burst(median(agreeing), spread(agreeing), len(agreeing), len(samples))
    if 2 * len(valid) > len(samples):
        code = DISAGREE
    return Burst(None, None, len(valid), len(samples), code or NO_ECHO)


def needed(tried):
    """How many of ``tried`` samples must agree: all of 5, 6 of 7, 7 of 9."""
    return tried if tried <= _MOMENTS[0] else (3 * tried + 3) // 4


def agreed(ordered, window):
    """The longest run of a sorted list whose ends are within ``window``; the first of equals."""
    best_at = best = at = 0
    for end in range(len(ordered)):
        while ordered[end] - ordered[at] > window:
            at += 1
        if end - at + 1 > best:
            best_at, best = at, end - at + 1
    return ordered[best_at : best_at + best]


def spread(ordered):
    """1.4826 x the median absolute deviation of a sorted list, rounded."""
    middle = median(ordered)
    mad = median(sorted(abs(sample - middle) for sample in ordered))
    return (mad * _MAD_TO_SD + 5000) // 10000


def median(ordered):
    """Middle of a sorted list of integers; between two, the mean rounded down."""
    half = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[half]
    return (ordered[half - 1] + ordered[half]) // 2


def take_burst(sensor, ticks_ms, ticks_diff):
    """The :class:`Burst` of ``sensor``, within 3 s; any exception counts as an invalid sample."""
    start = ticks_ms()
    samples, code, failure = [], "", None
    while True:
        try:
            sample = sensor.read()
            code = code if sample is not None else ""
        except SensorError as error:
            sample, code = None, error.code
        except Exception as error:  # noqa: BLE001 - of a bus
            sample, code, failure = None, _FAULT, error
        samples.append(sample)
        if _ends(samples, code, sensor.window) or ticks_diff(ticks_ms(), start) >= _BUDGET_MS:
            found = burst(samples, sensor.window, code)
            found.error = failure
            return found


def _ends(samples, code, window):
    tried = len(samples)
    if tried == _DEAD and code and not any(sample is not None for sample in samples):
        return True
    if tried not in _MOMENTS:
        return False
    return tried == _MOMENTS[-1] or burst(samples, window).value is not None
