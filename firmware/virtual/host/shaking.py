"""Vibration of a tank's frame: knocks, carrying, wind, the stream of a filling hose.

Amplitudes and frequencies are estimates for an IBC in its cage, not measurements: a tank rings at
tens of Hz, is carried and dragged below 5 Hz, sways with a gust at 1 to 2 Hz.
"""

import math
from dataclasses import dataclass
from random import Random
from typing import Literal

Vector = tuple[float, float, float]
Kind = Literal["knock", "carry", "wind", "fill", "lean"]

KNOCK_S = 1.0
_RING_HZ, _RING_S = 18.0, 0.12
_NOISE_MG = 4.0
_LEAN_DEG = 2.0


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One cause of shaking or leaning, from ``start`` to ``end`` (Unix s)."""

    kind: Kind
    start: float
    end: float
    phase: float

    def acts(self, at: float) -> bool:
        """Whether it acts at that time."""
        return self.start <= at < self.end


class Shaking:
    """All disturbances of one tank. ``at`` never goes back by more than a few seconds."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._under_way: list[Disturbance] = []

    def add(self, kind: Kind, start: float, duration_s: float) -> None:
        """Begin another disturbance."""
        self._under_way = [one for one in self._under_way if one.end > start - 10.0]
        phase = self._random.uniform(0.0, math.tau)
        self._under_way.append(Disturbance(kind, start, start + duration_s, phase))

    def still(self, at: float) -> None:
        """End all disturbances."""
        self._under_way = [one for one in self._under_way if one.end <= at]

    def wakes(self, at: float) -> bool:
        """Whether the accelerometer's motion pin is high: over 128 mg, high-passed."""
        return any(one.acts(at) for one in self._under_way if one.kind in ("knock", "carry"))

    def lean_deg(self, at: float) -> float:
        """Degrees by which people who lean on it turn it."""
        leaning = [one for one in self._under_way if one.kind == "lean" and one.acts(at)]
        return _LEAN_DEG if leaning else 0.0

    def mg(self, at: float, filling: bool) -> Vector:
        """Acceleration besides gravity, in milli-g."""
        gauss = self._random.gauss
        total = [gauss(0.0, _NOISE_MG) for _ in range(3)]
        parts = [one for one in self._under_way if one.acts(at)]
        if filling:
            parts.append(Disturbance("fill", 0.0, math.inf, 0.0))
        for one in parts:
            for axis, mg in enumerate(_FORMS[one.kind](at - one.start, one.phase, self._random)):
                total[axis] += mg
        return total[0], total[1], total[2]


def _knock(since: float, phase: float, random: Random) -> Vector:
    """A can set down hard: the frame rings shortly."""
    ring = 900.0 * math.exp(-since / _RING_S) * math.sin(math.tau * _RING_HZ * since)
    return ring * math.cos(phase), ring * math.sin(phase), 0.5 * ring


def _carry(since: float, phase: float, random: Random) -> Vector:
    """People lift, drag, set down or drive it: slow and strong, with rattling."""
    slow = (
        220.0 * math.sin(math.tau * 0.9 * since + phase),
        160.0 * math.sin(math.tau * 1.7 * since + 2.0 * phase),
        180.0 * math.sin(math.tau * 2.3 * since + 3.0 * phase),
    )
    x, y, z = (axis + random.gauss(0.0, 200.0) for axis in slow)
    return x, y, z


def _wind(since: float, phase: float, random: Random) -> Vector:
    """Gusts sway it and rattle the lid."""
    gust = 0.5 + 0.5 * math.sin(math.tau * since / 7.0 + phase)
    sway = 30.0 * gust * math.sin(math.tau * 1.3 * since)
    return sway + random.gauss(0.0, 25.0 * gust), random.gauss(0.0, 25.0 * gust), 0.0


def _fill(since: float, phase: float, random: Random) -> Vector:
    """A hose's stream and its pump, and the water that sloshes."""
    pump = 60.0 * math.sin(math.tau * 23.0 * since)
    slosh = 15.0 * math.sin(math.tau * 0.6 * since)
    x, y, z = (random.gauss(0.0, 30.0) for _ in range(3))
    return x + slosh, y + pump, z + 0.5 * pump


def _lean(since: float, phase: float, random: Random) -> Vector:
    """Somebody leans on it: a push, then small movements of a body."""
    push = 80.0 * math.exp(-since / 0.3) * math.sin(math.tau * 3.0 * since)
    body = 12.0 * math.sin(math.tau * 0.5 * since + phase)
    return push * math.cos(phase) + body, push * math.sin(phase), 0.0


_FORMS = {"knock": _knock, "carry": _carry, "wind": _wind, "fill": _fill, "lean": _lean}
