"""Interpreted messages: readings with event time and litres, events with event time.

These values pass from the journal to the stores and to the watch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from gateway.domain.message import Fields, Quantity

Auth = Literal["sig", "mac", "unsigned"]


class Reading(NamedTuple):
    """One reading with its event time and litres.

    ``at`` is event time and ``received`` receive time, Unix s; ``estimated``: the gateway
    estimated ``at``; ``i`` is the index in its message; ``volume_l`` and ``sd_l`` are None when
    there was no echo or the value is not possible in this tank (``fault``). The order matters to
    bulk writers: readings of one message mostly agree up to ``estimated``; the measured values
    start at ``quantity``.
    """

    tank: str
    device: str
    era: str
    boot: int
    seq: int
    channel: int
    received: float
    estimated: bool
    i: int
    at: float
    quantity: Quantity
    value: int | None
    spread: int | None
    valid: int | None
    tried: int | None
    temperature_dc: int | None
    volume_l: float | None
    sd_l: float | None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """One event of a device with its event time; ``fields`` by their wire names."""

    tank: str
    device: str
    kind: str
    at: float
    estimated: bool
    fields: Fields = field(default_factory=dict[str, int | str | bool | None])


class JournaledMessage(NamedTuple):
    """One authentic message.

    ``newest``: it is the newest of its era (order by boot, seq); only such a message renews the
    promise ``next_s``. ``tank`` is where the device is installed now. ``uptime_s`` and
    ``sealed_at`` (Unix s, by the device's clock; None: not known) are of its sealing.
    """

    device: str
    tank: str
    era: str
    boot: int
    seq: int
    received: float
    next_s: int
    newest: bool
    auth: Auth
    battery_mv: int | None
    rssi_dbm: int | None
    readings: tuple[Reading, ...] = ()
    events: tuple[DeviceEvent, ...] = ()
    uptime_s: int = 0
    sealed_at: float | None = None


@dataclass(frozen=True, slots=True)
class ForkedMessage:
    """Two different messages used one number or one place in the chain.

    ``era`` is empty when it could not be read.
    """

    device: str
    era: str
    received: float
    auth: Auth


@dataclass(frozen=True, slots=True)
class ListeningChange:
    """The gateway or its broker stopped or started receiving, or the clock was stepped."""

    change: Literal["stop", "start", "lost", "back", "drained", "clock"]
    received: float
    step_s: float = 0.0


@dataclass(frozen=True, slots=True)
class OperatorAction:
    """A person acted on an incident: ``close``, ``moved_by_us``, ``seen_there``, ``claim``…"""

    incident: str
    op: str
    received: float
    fields: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class RegistryChanged:
    """The registry has new rows."""

    received: float


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passes."""

    received: float


WatchInput = (
    JournaledMessage | ForkedMessage | ListeningChange | OperatorAction | RegistryChanged | Tick
)
