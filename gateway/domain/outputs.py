"""The watch's outputs: levels, tank events, incident changes, forecasts (WIRE.md, section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from gateway.domain.inputs import Auth

LevelState = Literal["ok", "low", "critical", "empty", "fault", "unknown"]
EventKind = Literal[
    "refill", "draw", "drain", "slash", "leak", "knock", "lid", "moved",
    "fault", "fault_over", "silent", "back",
]  # fmt: skip
Verdict = Literal[
    "seized", "drained", "slashed", "lid_open", "moved_by_us", "battery",
    "network_out", "sensor_fault", "clone", "unknown",
]  # fmt: skip
IncidentKind = Literal[
    "low", "critical", "empty", "seized", "drained", "slashed", "lid_open", "network_out",
    "silent", "battery", "sensor_fault", "moved_by_us", "access_blocked", "clone", "unknown",
]  # fmt: skip
Basis = Literal["measured", "witnessed", "inferred"]
Figure = float | int | str | bool | None
Figures = Mapping[str, Figure]
"""Values by name, units in the names."""
WATER_KINDS: tuple[IncidentKind, ...] = ("low", "critical", "empty")
THEFT_KINDS: tuple[Verdict, ...] = ("seized", "drained", "slashed", "lid_open")


class Level(NamedTuple):
    """One reading's level and the tank's state after it. ``sd_l``: one standard deviation."""

    at: float
    tank: str
    volume_l: float | None
    sd_l: float | None
    state: LevelState


@dataclass(frozen=True, slots=True)
class TankEvent:
    """An event of a tank between ``at`` and ``until`` (Unix s).

    ``litres`` is the best estimate; it is between ``least_l`` and ``most_l`` with 90 %
    confidence, where that is known.
    """

    at: float
    until: float
    tank: str
    kind: EventKind
    litres: float | None = None
    least_l: float | None = None
    most_l: float | None = None


@dataclass(frozen=True, slots=True)
class Because:
    """One named term of a verdict: its log-odds and its source.

    ``weight`` is natural log-odds towards (+) or away from (-) the leading verdict; ``values``
    are the figures for a sentence about it.
    """

    term: str
    weight: float
    basis: Basis
    values: Figures = field(default_factory=dict[str, Figure])


@dataclass(frozen=True, slots=True)
class IncidentChange:
    """An incident opened, was updated or closed.

    ``id`` is derived from its first evidence, so a rebuild returns the same; ``change_number``
    counts from 1. ``at`` is the earliest evidence, ``received`` when it was decided. Either
    ``tank`` or ``uplink`` is set. ``alert``: this change sends an alert.
    """

    id: str
    change: Literal["opened", "updated", "closed"]
    change_number: int
    at: float
    received: float
    tank: str | None
    uplink: str | None
    kind: IncidentKind
    probability: float
    causes: Mapping[str, float]
    because: tuple[Because, ...]
    auth: Auth
    alert: bool
    learned_late: bool = False
    figures: Figures = field(default_factory=dict[str, Figure])


@dataclass(frozen=True, slots=True)
class Span:
    """A moment with its 80 % range, Unix s."""

    at: float
    lo: float
    hi: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a tank will be low, critical and empty, forecast at ``at``; None: not within four days.

    ``next_round_at``: when its next usual refill round is due; ``dry_before_round``: the
    probability that it is empty before that; None where no round is usual.
    """

    at: float
    tank: str
    low_at: Span | None
    empty_at: Span | None
    critical_at: Span | None = None
    next_round_at: float | None = None
    dry_before_round: float | None = None


@dataclass(frozen=True, slots=True)
class TankNow:
    """Everything that a page shows of one tank.

    ``at`` and ``received`` belong to the newest good reading, ``state_since`` to the state;
    ``due`` is when its next message is promised; ``trend_lph`` is litres per hour, negative when
    falling.
    """

    tank: str
    state: LevelState
    state_since: float | None
    at: float | None = None
    received: float | None = None
    volume_l: float | None = None
    sd_l: float | None = None
    pct: float | None = None
    trend_lph: float | None = None
    low_at: Span | None = None
    empty_at: Span | None = None
    presence: Literal["speaking", "late", "silent"] = "speaking"
    presence_since: float | None = None
    due: float | None = None
    last_refill_at: float | None = None
    last_refill_l: float | None = None
    battery_mv: int | None = None
    rssi_dbm: int | None = None
    auth: Auth | None = None
    critical_at: Span | None = None
    next_round_at: float | None = None
    dry_before_round: float | None = None
    known_h: int = 0
    """Hours in which what people draw was measured; the forecasts assume the rest."""


WatchOutput = Level | TankEvent | IncidentChange | Forecast
