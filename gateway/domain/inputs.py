"""What a message means: readings with event time and litres, events with event time.

These are the values that flow from the journal to the stores and to the watch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from gateway.domain.message import Fields, Quantity

Auth = Literal["sig", "mac", "unsigned"]


class Reading(NamedTuple):
    """One reading placed in time and turned into litres.

    ``at`` is event time and ``received`` receive time, Unix s; ``estimated`` says that ``at`` was
    worked out by the gateway; ``i`` is the place in its message; ``volume_l`` and ``sd_l`` are
    None when the sensor heard nothing or the value is not believable for this tank (``fault``).
    Up to ``estimated`` the readings of one message mostly agree, from ``quantity`` on stands what
    was measured: who writes many makes use of both.
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
    """One event of a device placed in time; ``fields`` by their wire names."""

    tank: str
    device: str
    kind: str
    at: float
    estimated: bool
    fields: Fields = field(default_factory=dict[str, int | str | bool | None])


class JournaledMessage(NamedTuple):
    """One authentic message as the watch hears it.

    ``newest`` is true when it is the newest of its era (order by boot, seq): only such a message
    renews the promise ``next_s``. ``tank`` is where the device hangs now.
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


@dataclass(frozen=True, slots=True)
class ForkedMessage:
    """A number or a place in the chain was used twice, by messages that differ.

    ``era`` is empty where it could not be read.
    """

    device: str
    era: str
    received: float
    auth: Auth


@dataclass(frozen=True, slots=True)
class ListeningChange:
    """Our own ears: the gateway or its broker went away or came back, or its clock was stepped."""

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
    """The registry has new rows from here on."""

    received: float


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passes."""

    received: float


WatchInput = (
    JournaledMessage | ForkedMessage | ListeningChange | OperatorAction | RegistryChanged | Tick
)
