"""Whether somebody moves the tank, from five seconds of its accelerometer. Pure.

Fifty samples a second are averaged over 100 ms. That keeps motion of the whole tank (a lift, a
drag, a ride: below 5 Hz) and removes vibration: a knock, drumming fingers, the stream of a filling
hose, rattling in the wind. A second moves when four of its ten means differ from the mean of the
second by 60 mg; it is tilted when that mean is over 20 degrees from rest. A person who leans on
the tank turns it by a degree or two.
"""

import math

from micropython import const

TILT_DEG = 20  # more than a lid or a hand does
_CONFIRM_S = const(5)
LONGEST_S = 8  # time for five moving seconds, one quiet one among them allowed
_STILL_MG = const(30)

_BLOCK = const(5)  # samples: 100 ms
_SECOND = const(10)  # blocks
_MOVED_MG = const(60)
_MOVING_BLOCKS = const(4)
_QUIET_S = const(2)  # this long without motion ends the watch


class Watch:
    """Judges samples (x, y, z in mg, 20 ms apart) against ``rest``, gravity at rest."""

    def __init__(self, rest):
        self._rest = rest
        self._samples = []
        self._blocks = []
        self._moving = self._tilted = 0
        self._quiet = 0
        self._first = self._last = None
        self.seconds = 0
        self.peak_mg = 0
        """The largest acceleration, gravity included."""
        self.deg = 0
        """Angle from rest in the last second."""
        self.moved = False
        """Whether any 100 ms differed from the mean of its second by 30 mg."""
        self.gravity = None
        """The mean of the last second."""

    def add(self, samples):
        """Add samples, oldest first."""
        for axes in samples:
            self.peak_mg = max(self.peak_mg, magnitude(axes))
            self._samples.append(axes)
            if len(self._samples) == _BLOCK:
                self._blocks.append(mean(self._samples))
                self._samples = []
            if len(self._blocks) == _SECOND:
                self._judge(self._blocks)
                self._blocks = []

    def _judge(self, blocks):
        self.gravity = mean(blocks)
        self.deg = angle_deg(self._rest, self.gravity)
        away = [_distance(block, self.gravity) for block in blocks]
        moving = sum(mg > _MOVED_MG for mg in away) >= _MOVING_BLOCKS
        tilted = self.deg > TILT_DEG
        self.moved = self.moved or max(away) > _STILL_MG
        self._moving += moving
        self._tilted = self._tilted + 1 if tilted else 0
        self._quiet = 0 if moving or tilted else self._quiet + 1
        for at, mg in enumerate(away):
            if mg > _MOVED_MG or tilted:
                self._mark(self.seconds * 1000 + at * 100)
        self.seconds += 1

    def _mark(self, ms):
        self._first = ms if self._first is None else self._first
        self._last = ms + 100

    @property
    def tilted(self):
        """Whether a tilt lasted for five seconds."""
        return self._tilted >= _CONFIRM_S

    @property
    def confirmed(self):
        """Whether there were five seconds of motion, or of tilt: more than a bump."""
        return self.tilted or self._moving >= _CONFIRM_S

    @property
    def over(self):
        """Whether more samples cannot change the result."""
        return self.confirmed or self._quiet >= _QUIET_S or self.seconds >= LONGEST_S

    @property
    def lasted_ms(self):
        """From the first to the last 100 ms of motion or tilt; unconfirmed, always below 5 s."""
        span = 0 if self._first is None else self._last - self._first
        if self.confirmed:
            return max(span, _CONFIRM_S * 1000)
        return min(span, _CONFIRM_S * 1000 - 100)


def rest_of(samples):
    """Gravity (x, y, z) mg of a still tank; None when it moved or samples are too few."""
    watch = Watch((0, 0, 0))
    watch.add(samples)
    return None if watch.gravity is None or watch.moved else watch.gravity


def _distance(one, other):
    return magnitude(tuple(a - b for a, b in zip(one, other)))  # noqa: B905 - MicroPython's zip has no strict


def magnitude(axes):
    """Length of a vector of integers, in their unit, rounded down."""
    return int(math.sqrt(sum(axis * axis for axis in axes)))


def angle_deg(one, other):
    """Whole degrees between two vectors, 0 when either has no length.

    Computed by the arc tangent of cross and dot product: in single precision the arc cosine is
    useless near 0.
    """
    (a, b, c), (x, y, z) = one, other
    cross = (b * z - c * y, c * x - a * z, a * y - b * x)
    across = math.sqrt(sum(float(axis) * axis for axis in cross))
    return int(math.degrees(math.atan2(across, float(a * x + b * y + c * z))) + 0.5)


def mean(vectors):
    """Mean of vectors of three integers, rounded down; None of none."""
    if not vectors:
        return None
    return tuple(sum(axes[at] for axes in vectors) // len(vectors) for at in range(3))
