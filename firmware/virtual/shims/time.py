"""ESP32's ``time``: epoch 2000, whole seconds, ticks that wrap at 2^30, scaled sleep."""

import utime as _real
from micropython import const

import _hal

_EPOCH_S = const(946684800)
_TICKS_MASK = const((1 << 30) - 1)
_TICKS_HALF = const(1 << 29)

ticks_ms = _hal.ticks_ms
ticks_us = _hal.ticks_us
sleep_us = _hal.sleep_us


def sleep_ms(ms):
    """Sleep for device milliseconds."""
    _hal.sleep_us(int(ms) * 1000)


def sleep(seconds):
    """Sleep for device seconds."""
    _hal.sleep_us(int(seconds * 1000000))


def ticks_add(start, by):
    """``start`` moved by ``by``, wrapped."""
    return (start + by) & _TICKS_MASK


def ticks_diff(end, start):
    """Signed distance, correct below half the period."""
    return ((end - start + _TICKS_HALF) & _TICKS_MASK) - _TICKS_HALF


def time():
    """Whole seconds since 2000-01-01, by the board's real-time clock."""
    return _hal.unix_ns() // 1000000000 - _EPOCH_S


def time_ns():
    """Nanoseconds since 2000-01-01."""
    return _hal.unix_ns() - _EPOCH_S * 1000000000


def gmtime(seconds=None):
    """Eight numbers: year, month, day, hour, minute, second, weekday, day of the year."""
    if seconds is None:
        seconds = time()
    return tuple(_real.gmtime(seconds + _EPOCH_S))[:8]


def mktime(parts):
    """Seconds since 2000-01-01 of a tuple as :func:`gmtime` gives it."""
    year, month, day, hour, minute, second = parts[:6]
    shifted = year - (month <= 2)  # years from March: the leap day comes last
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    days = shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + day_of_year
    return (days - 730425) * 86400 + hour * 3600 + minute * 60 + second
