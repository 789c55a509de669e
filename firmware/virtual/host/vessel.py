"""Water in a container: flows in and out, and leaks by Torricelli's law."""

import math
from dataclasses import dataclass, field

IBC_LITRES_PER_MM = 1140.0 * 940.0 / 1e6
"""Inside footprint of an IBC 1000: about 10.7 L per cm."""

_GRAVITY = 9.81
_DISCHARGE = 0.62  # of a sharp-edged hole
_STEP_S = 20.0
_HOLE_STEP_S = 1.0


@dataclass(slots=True)
class Flow:
    """A steady flow from ``start`` to ``end`` (Unix s), positive into the vessel."""

    start: float
    end: float
    litres_per_s: float

    @property
    def fills(self) -> bool:
        """Whether it is a refill."""
        return self.litres_per_s > 0.0

    def litres(self, since: float, until: float) -> float:
        """Litres that flowed within a span of time."""
        overlap = min(until, self.end) - max(since, self.start)
        return max(overlap, 0.0) * self.litres_per_s


@dataclass(slots=True)
class Hole:
    """An opening ``height_mm`` above the floor: a tap left open, or a cut."""

    height_mm: float
    diameter_mm: float

    def litres_per_s(self, level_mm: float) -> float:
        """Outflow under the head above it; 320 L/min through 50 mm under one metre."""
        head_m = (level_mm - self.height_mm) / 1000.0
        if head_m <= 0.0:
            return 0.0
        area_m2 = math.pi * (self.diameter_mm / 2000.0) ** 2
        return _DISCHARGE * area_m2 * math.sqrt(2.0 * _GRAVITY * head_m) * 1000.0


def _no_flows() -> list[Flow]:
    return []


def _no_holes() -> list[Hole]:
    return []


@dataclass(slots=True)
class Vessel:
    """``level_l`` litres at Unix time ``at``; changes only by :meth:`advance`."""

    capacity_l: float
    level_l: float
    at: float
    litres_per_mm: float = IBC_LITRES_PER_MM
    flows: list[Flow] = field(default_factory=_no_flows)
    holes: list[Hole] = field(default_factory=_no_holes)

    @property
    def level_mm(self) -> float:
        """Height of the water above the inside floor."""
        return self.level_l / self.litres_per_mm

    def advance(self, now: float) -> None:
        """Let time pass until ``now``; an earlier time does nothing."""
        while self.at < now:
            step_s = min(now - self.at, _HOLE_STEP_S if self._leaks() else _STEP_S)
            if step_s == _STEP_S and self._stays_inside(now):
                step_s = now - self.at
            self._flow(self.at, self.at + step_s)
            self.at += step_s
        self.flows = [flow for flow in self.flows if flow.end > self.at]

    def _stays_inside(self, until: float) -> bool:
        """Whether no flow can empty or overfill it before ``until``, so that one step is exact."""
        if self.holes:
            return False
        litres = [flow.litres(self.at, until) for flow in self.flows]
        most = self.level_l + sum(one for one in litres if one > 0.0)
        least = self.level_l + sum(one for one in litres if one < 0.0)
        return least >= 0.0 and most <= self.capacity_l

    def _leaks(self) -> bool:
        return any(hole.litres_per_s(self.level_mm) > 0.0 for hole in self.holes)

    def _flow(self, since: float, until: float) -> None:
        litres = sum(flow.litres(since, until) for flow in self.flows)
        out = sum(hole.litres_per_s(self.level_mm) for hole in self.holes) * (until - since)
        self.level_l = min(max(self.level_l + litres - out, 0.0), self.capacity_l)
