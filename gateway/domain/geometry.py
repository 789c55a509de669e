"""The shapes of tanks: water level in millimetres to litres, and back.

Levels start at the inside floor. Every shape is monotone; no sensor is involved here.
"""

from bisect import bisect_right
from math import asin, pi, sin, sqrt

from gateway.domain.registry import Tank

_MM3_PER_L = 1e6

IBC_AREA_MM2 = {"ibc1000": 1140.0 * 940.0, "ibc600": 1140.0 * 740.0}
"""Inside footprints: an IBC 1000 contains about 10.7 L per cm."""


class Curve:
    """Litres by water level for one tank. ``top_mm``: the level at its capacity.

    A lying cylinder is full at its diameter, a table ends at its last row; the other shapes
    continue above the capacity, so that a full tank differs from an impossible level. Raises
    ValueError, when created, if the registry row lacks a dimension.
    """

    __slots__ = ("_area_mm2", "_diameter_mm", "_length_mm", "_levels", "_litres", "top_mm")

    def __init__(self, tank: Tank) -> None:
        self._area_mm2 = self._diameter_mm = self._length_mm = 0.0
        self._levels: list[float] = []
        self._litres: list[float] = []
        if tank.shape == "lying":
            self._diameter_mm = _dimension(tank, "diameter_mm")
            self._length_mm = _dimension(tank, "length_mm")
        elif tank.shape == "table":
            self._levels, self._litres = _columns(tank)
        else:
            self._area_mm2 = _footprint_mm2(tank)
        self.top_mm = self.level_mm(tank.capacity_l)

    def volume_l(self, level_mm: float) -> float:
        """Litres at a water level; the litres at the floor for one below it."""
        level = max(level_mm, 0.0)
        if self._area_mm2:
            return level * self._area_mm2 / _MM3_PER_L
        if self._levels:
            return _interpolate(self._levels, self._litres, level)
        return _segment_mm2(self._diameter_mm, level) * self._length_mm / _MM3_PER_L

    def level_mm(self, litres: float) -> float:
        """The water level at which the tank contains ``litres``."""
        wanted = max(litres, 0.0)
        if self._area_mm2:
            return wanted * _MM3_PER_L / self._area_mm2
        if self._levels:
            return _interpolate(self._litres, self._levels, wanted)
        low, high = 0.0, self._diameter_mm
        for _ in range(60):  # 60 halvings leave less than a femtometre
            middle = (low + high) / 2
            low, high = (middle, high) if self.volume_l(middle) < wanted else (low, middle)
        return high

    def litres_per_mm(self, level_mm: float) -> float:
        """Litres per millimetre at a water level, or at the nearest one between floor and top.

        The mean over 20 mm, so that a rounded end or a short table row does not make it 0.
        """
        low = max(min(level_mm, self.top_mm) - 10.0, 0.0)
        slope = (self.volume_l(low + 20.0) - self.volume_l(low)) / 20.0
        return slope if slope > 0 else (self.volume_l(low) - self.volume_l(low - 20.0)) / 20.0


def _dimension(tank: Tank, name: str) -> float:
    value = getattr(tank, name)
    if value is None or value <= 0:
        raise ValueError(f"tank {tank.id!r} of shape {tank.shape!r} needs {name} above 0")
    return float(value)


def _footprint_mm2(tank: Tank) -> float:
    if tank.shape in IBC_AREA_MM2:
        return IBC_AREA_MM2[tank.shape]
    if tank.shape == "cylinder":
        return pi / 4 * _dimension(tank, "diameter_mm") ** 2
    if tank.shape == "box":
        return _dimension(tank, "length_mm") * _dimension(tank, "width_mm")
    raise ValueError(f"tank {tank.id!r} has no shape that turns a level into litres")


def _segment_mm2(diameter: float, level: float) -> float:
    """Area of the circular segment below ``level`` in a circle of ``diameter``, mm2.

    ``r**2 / 2 * (a - sin(a))`` with the central angle ``a``, taken from the half-angle sine: the
    arc cosine of ``1 - level / r`` loses all its digits near the floor, and the area could become
    negative. ``sin(a) <= a`` holds in floating point too.
    """
    angle = 4 * asin(sqrt(min(level / diameter, 1.0)))
    return diameter * diameter / 8 * (angle - sin(angle))


def _columns(tank: Tank) -> tuple[list[float], list[float]]:
    if len(tank.table) < 2:
        raise ValueError(f"tank {tank.id!r} needs a table of at least two rows [mm, l]")
    levels, litres = [row[0] for row in tank.table], [row[1] for row in tank.table]
    rising = zip(tank.table, tank.table[1:], strict=False)
    if any(b[0] <= a[0] or b[1] < a[1] for a, b in rising):
        raise ValueError(f"tank {tank.id!r}: table rows [mm, l] must rise")
    return levels, litres


def _interpolate(xs: list[float], ys: list[float], x: float) -> float:
    """Piecewise linear through the points, constant beyond both ends."""
    i = bisect_right(xs, x)
    if i == 0:
        return ys[0]
    if i == len(xs):
        return ys[-1]
    span = xs[i] - xs[i - 1]
    return ys[i - 1] + (ys[i] - ys[i - 1]) * (x - xs[i - 1]) / span
