"""What a value can be at this tank, and what is wrong when it cannot be that.

A JSN-SR04T hears nothing nearer than 200 mm but a later bounce: too full reads farther, at worst
*far*. Whatever the distance d below 200 mm, the first bounce that it can hear, k x d, lies between
200 and 400 mm: so nothing below 400 mm is believed. A bounce further on is weak: bursts that hear
it seldom agree (``measure``), and below the floor (``floor_mm``) nothing is. Last, a tank that
stood near that zone does not fall by more than ``_FALL_MM`` between two readings while nobody is
at it: then it is *blind* until a reading is near the zone again, or ``_BLIND_TIMES`` bursts in a
row agree.

**What cannot be told:** a tank filled from far below into the zone between two readings, or
before the very first one, if it skips the first bounce and agrees on a later one above the floor.
"""

from micropython import const

_FALL_MM = const(100)  # a 20 L can is 19 mm
_FALL_MM_PER_S = const(6)  # the open valve of an IBC: 320 L/min
_SHORT_S = const(60)  # readings closer than this have seen a fall happen
_GUARD_MM = const(150)  # how near the zone a last level makes a fall suspicious
_BELOW_FLOOR_MM = const(60)  # a bent floor, and the sensor's own error
STUCK_S = 48 * 3600  # to the millimetre the same for so long
_BLIND_TIMES = const(6)

NEAR, FAR, BLIND, STUCK = "near", "far", "blind", "stuck"


def limits(config, sensor):
    """(lowest, highest) of a value in the sensor's unit, with the tank's own bounds.

    ``near_mm`` is where water can stand at most: nearer is a wet face or an object.
    """
    if sensor.quantity != "mm":
        return sensor.lowest, sensor.highest
    highest = config.floor_mm + _BELOW_FLOOR_MM if config.floor_mm else sensor.highest
    return max(sensor.lowest, config.near_mm), min(sensor.highest, highest)


def judged(value, bounds, blind_mm, last, since_s, blind_n):
    """The code of what is wrong with ``value``, or "".

    ``last`` is the last good value (None: never one), ``since_s`` ago; ``blind_n`` counts the
    readings before this one that ``fell`` says it of.
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
    """Whether water that stood near the blind zone is farther than it can have fallen unseen."""
    if not blind_mm or last is None or last > 2 * blind_mm + _GUARD_MM:
        return False
    fall_mm = _FALL_MM
    if since_s <= _SHORT_S and not blind_n:
        fall_mm += _FALL_MM_PER_S * since_s
    return value > last + fall_mm
