"""From time and litres to the chart's own units; the SVG is stretched to the page's width."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 1000, 400
TOP = 6  # leaves room for the surface line of a full tank


@dataclass(frozen=True, slots=True)
class Scale:
    """``start`` to ``end`` in Unix s across, 0 to ``capacity_l`` upwards."""

    start: float
    end: float
    capacity_l: float

    def x(self, at: float) -> float:
        """Units from the left edge."""
        return round((at - self.start) / (self.end - self.start) * WIDTH, 1)

    def y(self, litres: float) -> float:
        """Units from the top edge."""
        share = min(max(litres / self.capacity_l, 0.0), 1.0)
        return round(HEIGHT - share * (HEIGHT - TOP), 1)

    def left_pct(self, at: float) -> float:
        """Per cent from the left edge, for an HTML label."""
        return round(self.x(at) / WIDTH * 100, 2)

    def top_pct(self, litres: float) -> float:
        """Per cent from the top edge, for an HTML label."""
        return round(self.y(litres) / HEIGHT * 100, 2)


Point = tuple[float, float]


def path(points: Sequence[Point]) -> str:
    """An SVG path through points in chart units."""
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points) if points else ""


def area(points: Sequence[Point]) -> str:
    """The same, closed down to the base."""
    if not points:
        return ""
    return f"{path(points)}L{points[-1][0]:g} {HEIGHT}L{points[0][0]:g} {HEIGHT}Z"
