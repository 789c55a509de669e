"""The shapes of tanks: water level in millimetres to litres, and back.

Levels count from the inside floor. Every shape is monotone; nothing here knows a sensor.
"""

from bisect import bisect_right
from math import asin, pi, sin, sqrt

from gateway.domain.registry import Tank

_MM3_PER_L = 1e6
_CURVED = ("lying", "table")
"""The shapes whose walls are not straight: a millimetre is not worth the same everywhere."""

IBC_AREA_MM2 = {"ibc1000": 1140.0 * 940.0, "ibc600": 1140.0 * 740.0}
"""Inside footprints: an IBC 1000 holds about 10.7 L per cm (DOMAIN.md, Tanks and physics)."""


def volume_l(tank: Tank, level_mm: float) -> float:
    """Litres in ``tank`` at a water level; 0 below the floor.

    A lying cylinder is full at its diameter, a table ends at its last row; the other shapes go on
    above the capacity, so that the caller can tell a full tank from an impossible one.
    Raises ValueError when the registry row lacks a dimension.
    """
    level = max(level_mm, 0.0)
    if tank.shape == "lying":
        return (
            _segment_mm2(_dimension(tank, "diameter_mm"), level)
            * _dimension(tank, "length_mm")
            / _MM3_PER_L
        )
    if tank.shape == "table":
        levels, litres = _columns(tank)
        return _interpolate(levels, litres, level)
    return level * _footprint_mm2(tank) / _MM3_PER_L


def level_mm(tank: Tank, litres: float) -> float:
    """The water level at which ``tank`` holds ``litres``: the inverse of ``volume_l``.

    Raises ValueError when the registry row lacks a dimension.
    """
    wanted = max(litres, 0.0)
    if tank.shape == "lying":
        return _bisected_mm(tank, wanted)
    if tank.shape == "table":
        levels, volumes = _columns(tank)
        return _interpolate(volumes, levels, wanted)
    return wanted * _MM3_PER_L / _footprint_mm2(tank)


def litres_per_mm(tank: Tank, level: float) -> float:
    """Litres that one millimetre is worth around ``level``; the slope that carries an error over.

    Taken over 20 mm, so that a rounded end or a short table row does not make it vanish.
    """
    if tank.shape not in _CURVED:
        return _footprint_mm2(tank) / _MM3_PER_L  # straight walls: the same everywhere
    low = max(level - 10.0, 0.0)
    slope = (volume_l(tank, low + 20.0) - volume_l(tank, low)) / 20.0
    return slope if slope > 0 else (volume_l(tank, low) - volume_l(tank, low - 20.0)) / 20.0


def top_mm(tank: Tank) -> float:
    """The level at which ``tank`` holds its capacity."""
    return level_mm(tank, tank.capacity_l)


class Curve:
    """The functions above for one tank, with what is the same at every level reckoned once.

    Raises ValueError, when made, where the registry row lacks a dimension.
    """

    __slots__ = ("_area_mm2", "_tank", "top_mm")

    def __init__(self, tank: Tank) -> None:
        self._tank = tank
        self._area_mm2 = 0.0 if tank.shape in _CURVED else _footprint_mm2(tank)
        self.top_mm = top_mm(tank)

    def volume_l(self, level_mm: float) -> float:
        """Litres at a water level."""
        if self._area_mm2:
            return level_mm * self._area_mm2 / _MM3_PER_L if level_mm > 0.0 else 0.0
        return volume_l(self._tank, level_mm)

    def litres_per_mm(self, level_mm: float) -> float:
        """The slope at a water level, or at the nearest one between floor and top."""
        if self._area_mm2:
            return self._area_mm2 / _MM3_PER_L
        return litres_per_mm(self._tank, min(max(level_mm, 0.0), self.top_mm))


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


def _bisected_mm(tank: Tank, litres: float) -> float:
    low, high = 0.0, _dimension(tank, "diameter_mm")
    for _ in range(60):  # 60 halvings leave less than a femtometre
        middle = (low + high) / 2
        if volume_l(tank, middle) < litres:
            low = middle
        else:
            high = middle
    return high


def _columns(tank: Tank) -> tuple[list[float], list[float]]:
    if len(tank.table) < 2:
        raise ValueError(f"tank {tank.id!r} needs a table of at least two rows [mm, l]")
    levels, litres = [row[0] for row in tank.table], [row[1] for row in tank.table]
    rising = zip(tank.table, tank.table[1:], strict=False)
    if any(b[0] <= a[0] or b[1] < a[1] for a, b in rising):
        raise ValueError(f"tank {tank.id!r}: table rows [mm, l] must rise")
    return levels, litres


def _interpolate(xs: list[float], ys: list[float], x: float) -> float:
    """Piecewise linear through the points, level beyond both ends."""
    i = bisect_right(xs, x)
    if i == 0:
        return ys[0]
    if i == len(xs):
        return ys[-1]
    span = xs[i] - xs[i - 1]
    return ys[i - 1] + (ys[i] - ys[i - 1]) * (x - xs[i - 1]) / span
