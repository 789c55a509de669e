"""The watch's records: one for each tank, device, uplink and open incident.

All are bounded and consist of JSON values, so they can be saved with the cursor and restored
without changing any later output.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gateway.domain.entry import JSON
from gateway.domain.inputs import Auth
from gateway.domain.outputs import Because, Figure, IncidentKind
from gateway.domain.watch.tracks.account import Flow
from gateway.domain.watch.tracks.health import SensorTrack
from gateway.domain.watch.tracks.level import LevelTrack
from gateway.domain.watch.tracks.profile import Profile
from gateway.domain.watch.tracks.rounds import Rounds
from gateway.domain.watch.tracks.scaling import Scaling
from gateway.domain.watch.tracks.settling import Settling
from gateway.domain.watch.tracks.tamper import Episode
from gateway.domain.watch.tracks.tilt import TiltedSpell

RecordKind = Literal["device", "ears", "incident", "profile", "tank", "uplink"]
RecordKey = tuple[RecordKind, str]
"""The kind of a record and the name of its subject; empty for the only record of kind ``ears``."""
Presence = Literal["speaking", "late", "silent"]
Due = dict[str, float]
"""Timers of a record, by name: Unix s at which each fires."""


@dataclass(slots=True)
class ListeningState:
    """Whether this gateway receives messages. ``credit_s``: total s excluded from promises.

    ``outages``: the last spans [from, until] in which it received nothing, the newest last.
    ``steps_ahead``: when its clock was set ahead without an outage, and by how many seconds.
    """

    last_input_at: float = 0.0
    gateway_stopped: bool = False
    broker_lost: bool = False
    offline_since: float | None = None
    settling: bool = False  # reconnected, the broker's queue not yet drained
    credit_s: float = 0.0
    outages: list[list[float]] = field(default_factory=list[list[float]])
    steps_ahead: list[list[float]] = field(default_factory=list[list[float]])
    due: Due = field(default_factory=dict[str, float])

    @property
    def is_down(self) -> bool:
        """Whether no message can arrive."""
        return self.gateway_stopped or self.broker_lost

    @property
    def is_judging(self) -> bool:
        """Whether silence counts: messages arrive, and the broker's queue has drained."""
        return self.offline_since is None and not self.settling


@dataclass(slots=True)
class Promise:
    """The newest message of one era: its number, its receive time and its promise."""

    era: str
    boot: int
    seq: int
    began: float  # first receipt of this era
    received: float
    next_s: int
    credit_s: float
    live: bool = True  # not from a backlog


@dataclass(slots=True)
class DeviceState:
    """One node. ``promises``: eras in the order of their first message, the newest last."""

    device: str
    tank: str
    promises: list[Promise] = field(default_factory=list[Promise])
    presence: Presence = "speaking"
    presence_since: float | None = None
    waiting: bool = False  # silent, and undecided whether device or uplink is the cause
    silence_muted: bool = False  # a person closed the silence; until it sends again
    auth: Auth = "mac"
    battery_mv: int | None = None
    rssi_dbm: int | None = None
    air_dc: int | None = None  # tenths of degC in the newest reading
    battery: list[list[float]] = field(default_factory=list[list[float]])  # [received, mV]
    rssi: list[float] = field(default_factory=list[float])
    low_battery: int = 0  # consecutive messages below the warning, negative above
    battery_muted: bool = False  # a person closed the warning; until it was charged
    clone_reported: bool = False  # until one of two active eras ends
    reported_forks: list[str] = field(default_factory=list[str])  # their eras
    lags: list[float] = field(default_factory=list[float])  # receipt - event time, when live
    lagged_at: float = 0.0
    sealed_era: str = ""  # of the last message that came when it was sealed
    sealed_boot: int = 0
    sealed_up: int = 0
    sealed_received: float = 0.0
    clock_was_right: bool = False  # in one of them
    clock_stepped_at: float | None = None  # the last large step of its clock
    clock_stepped_by: int = 0
    due: Due = field(default_factory=dict[str, float])


@dataclass(slots=True)
class Gap:
    """A time without readings, some of which may still arrive: a node that was out of reach sends
    its newest message first (WIRE.md, section 1).

    ``before``: what was settled before it; ``readings``: those since, each as its fields.
    """

    before: Settling
    readings: list[list[JSON]] = field(default_factory=list[list[JSON]])


@dataclass(slots=True)
class Doubt:
    """A level that fell suddenly while nobody handled the tank: the sensor may be sick.

    Refills and draws wait ``until`` then (Unix s), and are dropped when it is; then the account
    goes on from what was booked before. ``steps``: sudden changes so far; ``moved_l``: litres up
    and down.
    """

    until: float
    booked_l: float
    booked_at: float
    drawn_l: float
    most_l: float = 0.0  # the largest draw in one hour before
    steps: int = 1
    moved_l: float = 0.0
    events: list[list[JSON]] = field(default_factory=list[list[JSON]])  # TankEvents


@dataclass(slots=True)
class TankState:
    """One tank. ``source``: the device and channel that feed its level."""

    tank: str
    source: str = ""
    settling: Settling = field(default_factory=Settling)
    level: LevelTrack = field(default_factory=LevelTrack)
    flow: Flow = field(default_factory=Flow)
    health: SensorTrack = field(default_factory=SensorTrack)
    episode: Episode | None = None
    tilted: TiltedSpell | None = None
    knocks: list[list[float]] = field(default_factory=list[list[float]])  # from, to of each run
    lid_seen_at: float = 0.0  # event time of the newest lid event
    fed_at: float = 0.0  # event time of the newest reading, good or not
    gap: Gap | None = None
    doubt: Doubt | None = None
    backlog: list[list[float]] = field(default_factory=list[list[float]])  # late [at, litres]
    alert_waits: bool = False  # for the queue to drain, or for a quiet window to end
    muted: str = ""  # a person closed the water incident at this kind
    low_at: list[float] = field(default_factory=list[float])  # forecast: at, lo, hi
    empty_at: list[float] = field(default_factory=list[float])
    due: Due = field(default_factory=dict[str, float])


@dataclass(slots=True)
class ProfileState:
    """A tank's daily use; apart from the tank, because it changes once an hour."""

    tank: str
    profile: Profile = field(default_factory=Profile)
    scaling: Scaling = field(default_factory=Scaling)
    rounds: Rounds = field(default_factory=Rounds)
    critical_at: list[float] = field(default_factory=list[float])  # forecast: at, lo, hi
    next_round_at: float | None = None
    dry_before_round: float | None = None


@dataclass(slots=True)
class UplinkState:
    """A connection to the broker that several devices share."""

    uplink: str
    muted: bool = False  # a person closed the incident; until a device on it sends again
    undecided: bool = False  # some device on it may be waiting
    last_at: float = 0.0  # receive time of the newest message over it
    quiet: list[list[float]] = field(default_factory=list[list[float]])  # back_off.Quiet
    last_clock_at: float = 0.0  # ``last_at`` by the gateway's clock as it is set now


@dataclass(slots=True)
class Incident:
    """An open incident: at most one for each pair of ``family`` and ``subject``."""

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
    because: list[Because]
    auth: Auth
    learned_late: bool
    figures: dict[str, Figure]
    alerted_kinds: list[str]
    closing: str = ""  # the reason for which somebody asks to close it
    closing_at: float | None = None


TimedRecord = DeviceState | ListeningState | TankState
Record = TimedRecord | Incident | ProfileState | UplinkState
RECORD_TYPES: Mapping[RecordKind, tuple[type[Record], str]] = {
    "device": (DeviceState, "device"),
    "ears": (ListeningState, ""),
    "incident": (Incident, "id"),
    "profile": (ProfileState, "tank"),
    "tank": (TankState, "tank"),
    "uplink": (UplinkState, "uplink"),
}
"""The record type of each kind, and the field with the name of its subject."""
_KEYS: Mapping[type, RecordKey] = {
    record_type: (kind, field) for kind, (record_type, field) in RECORD_TYPES.items()
}


def key_of(record: Record) -> RecordKey:
    """The key of a record."""
    kind, name = _KEYS[type(record)]
    return kind, getattr(record, name) if name else ""
