"""What the watch remembers, one record for each tank, device, uplink and open incident.

Everything is bounded, and made of JSON values, so that it is saved with the place in the journal
where it stands, and a restart changes nothing.
"""

from dataclasses import dataclass, field

from gateway.domain.inputs import Auth
from gateway.domain.outputs import IncidentKind
from gateway.domain.watch.tracks.flow import Flow
from gateway.domain.watch.tracks.forecast import Profile
from gateway.domain.watch.tracks.health import Health
from gateway.domain.watch.tracks.level import LevelTrack
from gateway.domain.watch.tracks.tamper import Episode
from gateway.domain.watch.tracks.tilted import TiltedSpell

Due = dict[str, float]
"""Timers of a record, by name: Unix s at which each fires."""


@dataclass(slots=True)
class ListeningState:
    """Our own listening. ``credit_s``: seconds that no promise is held to, summed up so far."""

    heard_at: float = 0.0  # the last input of all
    stopped: bool = False
    lost: bool = False
    deaf_since: float | None = None
    settling: bool = False  # reconnected, the broker's queue not yet drained
    credit_s: float = 0.0
    due: Due = field(default_factory=dict[str, float])


@dataclass(slots=True)
class Promise:
    """The newest message of one era: when it came, what it promised, where it stands."""

    era: str
    boot: int
    seq: int
    began: float  # first receipt of this era
    received: float
    next_s: int
    credit_s: float
    live: bool = True  # came as it was spoken, not out of a backlog


@dataclass(slots=True)
class DeviceState:
    """One node. ``promises``: eras in the order first heard, the newest last."""

    device: str
    tank: str
    promises: list[Promise] = field(default_factory=list[Promise])
    presence: str = "speaking"
    presence_since: float | None = None
    waiting: bool = False  # silent, but the neighbours have not yet shown whose fault it is
    auth: Auth = "mac"
    battery_mv: int | None = None
    rssi_dbm: int | None = None
    battery: list[list[float]] = field(default_factory=list[list[float]])  # [received, mV]
    rssi: list[float] = field(default_factory=list[float])
    low_battery: int = 0  # consecutive messages below the warning, negative above
    battery_muted: bool = False  # a person closed the warning; until it was charged
    twins_told: bool = False  # while two eras speak
    forked_told: list[str] = field(default_factory=list[str])  # eras whose fork was reported
    lags: list[float] = field(default_factory=list[float])  # receipt - event time, when live
    lagged_at: float = 0.0
    due: Due = field(default_factory=dict[str, float])


@dataclass(slots=True)
class TankState:
    """One tank. ``source``: the device and channel that feed its level."""

    tank: str
    source: str = ""
    level: LevelTrack = field(default_factory=LevelTrack)
    flow: Flow = field(default_factory=Flow)
    health: Health = field(default_factory=Health)
    episode: Episode | None = None
    aslant: TiltedSpell | None = None
    knock_at: float = 0.0
    backlog: list[list[float]] = field(default_factory=list[list[float]])  # late [at, litres]
    held: bool = False  # a water alert waits: queue not drained, or a quiet window
    muted: str = ""  # a person closed the water incident at this kind
    low_at: list[float] = field(default_factory=list[float])  # forecast: at, lo, hi
    empty_at: list[float] = field(default_factory=list[float])
    due: Due = field(default_factory=dict[str, float])


@dataclass(slots=True)
class ProfileState:
    """What a tank's days look like; apart from the tank, because it changes once an hour."""

    tank: str
    profile: Profile = field(default_factory=Profile)


@dataclass(slots=True)
class UplinkState:
    """A way to the broker that several devices share."""

    uplink: str
    muted: bool = False  # a person closed the incident; until something speaks again
    due: Due = field(default_factory=dict[str, float])


@dataclass(slots=True)
class Incident:
    """An open incident. ``family`` and ``subject`` say what it is about: there is one of each."""

    id: str
    family: str
    subject: str
    number: int
    at: float
    opened: float
    tank: str | None
    uplink: str | None
    kind: IncidentKind
    probability: float
    causes: dict[str, float]
    because: list[dict[str, object]]
    auth: Auth
    learned_late: bool
    figures: dict[str, float | int | str | bool | None]
    told: list[str]  # kinds that people were told of
