"""The registry's rows: sites, tanks, devices, installs and plans (WIRE.md, section 2).

Rows are never edited: a change is a new row with its ``since``. The row in force at *event* time
applies; before the first row's ``since``, the first row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol, TypeVar

from gateway.domain.envelope import up_topic

Shape = Literal["ibc1000", "ibc600", "cylinder", "lying", "box", "table"]
TankKind = Literal["tank", "station"]
Sensor = Literal["a02yyuw", "jsn-sr04t", "probe", "hx711"]
PlanKind = Literal["move", "cleaning", "eviction_risk"]


@dataclass(frozen=True, slots=True)
class Site:
    """A place with tanks. ``rid`` is its random id, the only part that leaves the registry.

    ``timezone`` is an IANA name: people draw water by local time.
    """

    id: str
    rid: str
    since: float = 0.0
    name: str = ""
    people_low: int | None = None
    people_high: int | None = None
    people_source: str = ""
    timezone: str = "Europe/Paris"


@dataclass(frozen=True, slots=True)
class Tank:
    """A tank or a jerrycan station and its geometry: millimetres, litres, grams."""

    id: str
    rid: str
    site: str
    since: float = 0.0
    name: str = ""
    kind: TankKind = "tank"
    shape: Shape | None = "ibc1000"
    capacity_l: float = 1000.0
    empty_l: float = 0.0
    sensor_height_mm: int | None = None
    probe_offset_mm: int | None = None
    taps: int = 1
    low_pct: float = 30.0
    critical_pct: float = 15.0
    diameter_mm: int | None = None
    length_mm: int | None = None
    width_mm: int | None = None
    table: tuple[tuple[float, float], ...] = ()
    tare_g: int | None = None
    cans: int | None = None
    can_l: float | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A node. ``key`` is its HMAC key (32 bytes), ``public_key`` its Ed25519 key (32 bytes).

    ``key_number`` numbers its keys: messages that name an earlier ``k`` are refused.
    """

    id: str
    tank: str
    since: float = 0.0
    key: bytes | None = field(default=None, repr=False)
    public_key: bytes | None = None
    unsigned: bool = False
    uplink: str | None = None
    sensor: Sensor = "a02yyuw"
    temp_comp: Literal["sensor", "gateway"] = "sensor"
    revoked: bool = False
    key_number: int = 1


@dataclass(frozen=True, slots=True)
class Install:
    """From ``since`` on, ``device`` is installed in ``tank``, this far above the floor."""

    device: str
    tank: str
    since: float
    sensor_height_mm: int | None = None
    probe_offset_mm: int | None = None
    tare_g: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned move or a quiet window, Unix seconds."""

    tank: str
    start: float
    end: float
    kind: PlanKind
    cancelled: bool = False


class _Dated(Protocol):
    @property
    def since(self) -> float: ...


_Row = TypeVar("_Row", bound=_Dated)


def in_force(rows: Sequence[_Row], at: float) -> _Row:
    """The row in force at ``at`` (Unix s); the first row before that. Sorted by ``since``."""
    chosen = rows[0]
    for row in rows:
        if row.since <= at:
            chosen = row
    return chosen


@dataclass(frozen=True)
class Registry:
    """All rows with their history, each list sorted by ``since``."""

    sites: Mapping[str, tuple[Site, ...]] = field(default_factory=dict[str, tuple[Site, ...]])
    tanks: Mapping[str, tuple[Tank, ...]] = field(default_factory=dict[str, tuple[Tank, ...]])
    devices: Mapping[str, tuple[Device, ...]] = field(default_factory=dict[str, tuple[Device, ...]])
    installs: Mapping[str, tuple[Install, ...]] = field(
        default_factory=dict[str, tuple[Install, ...]]
    )
    plans: Mapping[str, tuple[Plan, ...]] = field(default_factory=dict[str, tuple[Plan, ...]])

    @cached_property
    def speakers(self) -> Mapping[str, Device]:
        """The newest row of each device, by its topic."""
        return {up_topic(device): rows[-1] for device, rows in self.devices.items() if rows}

    def device(self, device: str) -> Device | None:
        """The newest row of a device, or None."""
        rows = self.devices.get(device)
        return rows[-1] if rows else None

    def tank(self, tank: str, at: float | None = None) -> Tank | None:
        """The row of a tank in force at ``at`` (newest when None), or None."""
        rows = self.tanks.get(tank)
        if not rows:
            return None
        return rows[-1] if at is None else in_force(rows, at)

    def site(self, site: str) -> Site | None:
        """The newest row of a site, or None."""
        rows = self.sites.get(site)
        return rows[-1] if rows else None

    def install(self, device: str, at: float) -> Install | None:
        """The install in force at event time, or None."""
        rows = self.installs.get(device)
        return in_force(rows, at) if rows else None

    def tank_of(self, device: str, at: float) -> str | None:
        """The id of the tank in which a device was installed at event time."""
        install = self.install(device, at)
        if install is not None:
            return install.tank
        row = self.device(device)
        return row.tank if row else None

    def plans_at(self, tank: str, at: float) -> tuple[Plan, ...]:
        """The plans of a tank that cover ``at``, without cancelled ones."""
        return self.plans_during(tank, at, at)

    def plans_during(self, tank: str, start: float, end: float) -> tuple[Plan, ...]:
        """The plans of a tank that overlap the span (Unix s), without cancelled ones.

        Plan and span include both ends. Use it for what happened at an unknown moment of a span,
        such as a move between two readings.
        """
        rows = self.plans.get(tank, ())
        return tuple(p for p in rows if p.start <= end and start <= p.end and not p.cancelled)
