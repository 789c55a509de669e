"""Whether a value is possible at this tank, and the fault code if not.

Below 200 mm a JSN-SR04T receives only a later bounce, so a tank that is too full reads farther, at
worst *far*. For every distance d below 200 mm the first bounce that it can receive, k x d, is
between 200 and 400 mm: values below 400 mm are rejected. Later bounces are weak: bursts of them
seldom agree (``sampling.py``), and values below the floor (``floor_mm``) are rejected. Last, a
level near that zone does not fall by more than ``_FALL_MM`` between two readings while nobody is
at the tank: then it is *blind* until a reading is near the zone again, or ``_BLIND_TIMES`` bursts
in a row agree.

**Not detected:** a tank filled from far below into the zone between two readings, or before the
very first one, if the burst skips the first bounce and agrees on a later one above the floor.
"""

from micropython import const

_FALL_MM = const(100)  # a 20 L can is 19 mm
_FALL_MM_PER_S = const(6)  # the open valve of an IBC: 320 L/min
_SHORT_S = const(60)  # between readings closer than this, a fall is limited by its rate
_GUARD_MM = const(150)  # how near the zone a last level makes a fall suspicious
_BELOW_FLOOR_MM = const(60)  # a bent floor, and the sensor's own error
STUCK_S = 48 * 3600  # exactly the same value for this long
_BLIND_TIMES = const(6)

NEAR, FAR, BLIND, STUCK = "near", "far", "blind", "stuck"


def limits(config, sensor):
    """(lowest, highest) of a value in the sensor's unit, with the tank's own bounds.

    ``near_mm`` is the distance of the highest possible level: nearer is a wet face or an object.
    """
    if sensor.quantity != "mm":
        return sensor.lowest, sensor.highest
    highest = config.floor_mm + _BELOW_FLOOR_MM if config.floor_mm else sensor.highest
    return max(sensor.lowest, config.near_mm), min(sensor.highest, highest)


def judged(value, bounds, blind_mm, last, since_s, blind_n):
    """The fault code of ``value``, or "".

    ``last`` is the last good value (None: never one), ``since_s`` ago; ``blind_n`` counts the
    readings in a row before this one for which ``fell`` is true.
    """
    if value < bounds[0]:
        return NEAR
    if value > bounds[1]:
        return FAR
    if value < 2 * blind_mm:
        return BLIND
    if fell(value, blind_mm, last, since_s, blind_n) and blind_n + 1 < _BLIND_TIMES:
        return BLIND
    return ""


def fell(value, blind_mm, last, since_s, blind_n):
    """Whether a level near the blind zone fell by more than it can between two readings."""
    if not blind_mm or last is None or last > 2 * blind_mm + _GUARD_MM:
        return False
    fall_mm = _FALL_MM
    if since_s <= _SHORT_S and not blind_n:
        fall_mm += _FALL_MM_PER_S * since_s
    return value > last + fall_mm
