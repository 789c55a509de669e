"""The drawings of a tank: which shape, and where its level is, in the units of each SVG."""

from dataclasses import dataclass

from server.views.snapshot import TankView

_SIGMAS_80_PCT = 1.28
"""Standard deviations on either side of the level that hold 8 in 10 of its error."""


@dataclass(frozen=True, slots=True)
class Glyph:
    """The small drawing, 40 x 48. ``shape``: water, empty, taken, unknown, silent or fault.

    ``top`` and ``height`` place the level, ``threshold`` the tick of *low*.
    """

    shape: str
    is_station: bool
    unseen: bool
    top: float
    height: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Leader:
    """A labelled threshold beside the large drawing."""

    y: float
    text_y: float
    text: str


@dataclass(frozen=True, slots=True)
class Large:
    """The large drawing, 180 x 212: the level, its band of doubt, and the thresholds.

    ``sign`` is empty, unknown or none.
    """

    is_station: bool
    unseen: bool
    sign: str
    top: float
    height: float
    band_top: float
    band_height: float
    leaders: tuple[Leader, ...]


def glyph(view: TankView) -> Glyph:
    """A tank's small drawing."""
    shape, pct, is_station = _shape(view), _pct(view), view.tank.kind == "station"
    unseen = shape in ("unknown", "silent")
    base, unit = 38.5, 0.27
    if is_station:
        base, unit = (40.5 if unseen else 43.0), 0.24
    return Glyph(
        shape, is_station, unseen, top=round(base - unit * pct, 1), height=round(unit * pct, 1),
        threshold=round(base - unit * view.tank.low_pct, 1),
    )  # fmt: skip


def large(view: TankView, limits: tuple[tuple[float, str], ...]) -> Large:
    """A tank's large drawing; ``limits`` are litres with their label."""
    pct, full = _pct(view), view.tank.capacity_l
    doubt = min((view.now.sd_l or 0.0) * _SIGMAS_80_PCT / full * 100, pct)
    ys = [(182 - 156 * litres / full, text) for litres, text in limits]
    return Large(
        is_station=view.tank.kind == "station", unseen=not view.seen,
        sign="unknown" if not view.seen else "empty" if view.now.state == "empty" else "",
        top=round(182 - 1.56 * pct, 1), height=round(1.56 * pct, 1),
        band_top=round(182 - 1.56 * min(pct + doubt, 100), 1), band_height=round(3.12 * doubt, 1),
        leaders=tuple(Leader(y, y + 5, text) for y, text in ys),
    )  # fmt: skip


def _pct(view: TankView) -> float:
    return min(max(view.now.pct or 0, 0), 100)


def _shape(view: TankView) -> str:
    if view.is_taken:
        return "taken"
    if view.now.state == "fault":
        return "fault"
    if view.network is None and view.now.presence == "silent" and view.live:
        return "silent"
    if not view.seen:
        return "unknown"
    return "empty" if view.now.state == "empty" else "water"
