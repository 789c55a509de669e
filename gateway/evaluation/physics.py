"""Water in a tank: flows in and out, and openings by Torricelli's law."""

from dataclasses import dataclass, field
from math import pi, sqrt

from gateway.domain.geometry import Curve
from gateway.domain.registry import Tank

GRAVITY = 9.81
DISCHARGE = 0.62
"""Of a sharp-edged opening: a 15 mm tap passes 29 L/min and a 50 mm valve 320 L/min under 1 m."""
_STEP_S = 5.0


def circle_mm2(diameter_mm: float) -> float:
    """Area of a round opening, mm2."""
    return pi / 4 * diameter_mm**2


def outflow_lps(area_mm2: float, head_mm: float) -> float:
    """Torricelli: litres per second through an opening under ``head_mm`` of water."""
    return DISCHARGE * area_mm2 * 1e-6 * sqrt(2 * GRAVITY * max(head_mm, 0.0) / 1000) * 1000


@dataclass(frozen=True, slots=True)
class Opening:
    """A cut or an open valve, its lower edge ``height_mm`` above the inside floor."""

    height_mm: float
    area_mm2: float


@dataclass(slots=True)
class Stream:
    """A steady flow until ``end``, litres per second; ``into``: a delivery, else a draw."""

    end: float
    lps: float
    into: bool


@dataclass(slots=True)
class WaterBody:
    """The water of one tank at Unix time ``at``; changes only by ``advance`` and ``streams``.

    ``drawn_l``, ``lost_l`` and ``delivered_l`` are totals. People draw down to the tap at
    ``empty_l``; an opening drains to its own height.
    """

    tank: Tank
    litres: float
    at: float
    streams: list[Stream] = field(default_factory=list[Stream])
    openings: list[Opening] = field(default_factory=list[Opening])
    drawn_l: float = 0.0
    lost_l: float = 0.0
    delivered_l: float = 0.0
    drawn_by_hour: dict[int, float] = field(default_factory=dict[int, float])
    _curve: Curve = field(init=False)

    def __post_init__(self) -> None:
        """Compute the shape once."""
        self._curve = Curve(self.tank)

    @property
    def level_mm(self) -> float:
        """Height of the water above the inside floor."""
        return self._curve.level_mm(self.litres)

    @property
    def most_l(self) -> float:
        """Litres at which it overflows: a little above the nominal capacity."""
        return self.tank.capacity_l * 1.02

    def advance(self, now: float) -> None:
        """Let time pass until ``now``; an earlier time does nothing."""
        while self.at < now:
            end = min([now, *(s.end for s in self.streams if s.end > self.at)])
            if self.openings:
                end = min(end, self.at + _STEP_S)
            self._flow(end - self.at)
            self.at = end
            if self.streams:
                self.streams = [s for s in self.streams if s.end > end]

    def _flow(self, seconds: float) -> None:
        for stream in self.streams:
            litres = stream.lps * seconds
            if stream.into:
                litres = min(litres, max(self.most_l - self.litres, 0.0))
                self.litres += litres
                self.delivered_l += litres
            else:
                self._draw(min(litres, max(self.litres - self.tank.empty_l, 0.0)))
        for opening in self.openings:
            self._drain(opening, seconds)

    def _draw(self, litres: float) -> None:
        self.litres -= litres
        self.drawn_l += litres
        hour = int(self.at // 3600)
        self.drawn_by_hour[hour] = self.drawn_by_hour.get(hour, 0.0) + litres

    def _drain(self, opening: Opening, seconds: float) -> None:
        """Exact for straight walls: the root of the head falls linearly in time."""
        head = self.level_mm - opening.height_mm
        if head <= 0:
            return
        area_mm2 = self._curve.litres_per_mm(self.level_mm) * 1e6
        slope = outflow_lps(opening.area_mm2, 1000.0) * 1e6 / area_mm2 / sqrt(1000.0) / 2
        root = max(sqrt(head) - slope * seconds, 0.0)
        left = min(self._curve.volume_l(opening.height_mm + root**2), self.litres)
        self.lost_l += self.litres - left
        self.litres = left

    def take_out(self, litres: float) -> None:
        """Remove water at once (poured away, spilt)."""
        litres = min(litres, self.litres)
        self.litres -= litres
        self.lost_l += litres
