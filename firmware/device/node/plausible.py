"""What a value can be at this tank, and what is wrong when it cannot be that.

A JSN-SR04T hears water nearer than 200 mm as a later bounce: too full reads far. Three things tell:
far below the floor is impossible (``floor_mm``); bounces seldom agree (``measure``); and a tank
that stood near the blind zone does not fall by more than ``_FALL_MM`` between two readings while
nobody is at it: then every reading is *blind* until one is near the zone again. **What cannot
be told:** a tank that was filled from far below the zone into it between two readings, or before
the very first one, whose bounces agree above the floor; and a bounce that itself falls near the
zone (it errs by less than 200 mm, and towards full). So the sensor needs a riser.
"""

_FALL_MM = 100  # a 20 L can is 19 mm
_FALL_MM_PER_S = 6  # the open valve of an IBC: 320 L/min
_SHORT_S = 60  # readings closer than this have seen a fall happen
_GUARD_MM = 150  # how near the blind zone a last level makes a fall suspicious
_BELOW_FLOOR_MM = 60  # a bent floor, and the sensor's own error
STUCK_S = 48 * 3600  # to the millimetre the same for so long

NEAR, FAR, BLIND, STUCK = "near", "far", "blind", "stuck"


def limits(config, sensor):
    """(lowest, highest) of a value in the sensor's unit, with the tank's own bounds.

    ``near_mm`` is where water can stand at most: nearer is a wet face or an object.
    """
    if sensor.quantity != "mm":
        return sensor.lowest, sensor.highest
    highest = config.floor_mm + _BELOW_FLOOR_MM if config.floor_mm else sensor.highest
    return max(sensor.lowest, config.near_mm), min(sensor.highest, highest)


def judged(value, bounds, blind_mm, last, since_s, was_blind):
    """The code of what is wrong with ``value``, or "".

    ``last`` is the last good value (None: never one), ``since_s`` ago; ``was_blind`` says that
    the reading before this one was judged blind.
    """
    if value < bounds[0]:
        return NEAR
    if value > bounds[1]:
        return FAR
    if blind_mm and last is not None and _hidden(value, blind_mm, last, since_s, was_blind):
        return BLIND
    return ""


def _hidden(value, blind_mm, last, since_s, was_blind):
    if last > blind_mm + _GUARD_MM:
        return False
    fall_mm = _FALL_MM
    if since_s <= _SHORT_S and not was_blind:
        fall_mm += _FALL_MM_PER_S * since_s
    return value > last + fall_mm
