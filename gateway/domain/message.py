"""The values of one decoded ``up`` message (WIRE.md, section 1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Fields = Mapping[str, int | str | bool | None]
"""The other fields of an event, by their wire names."""

Quantity = Literal["mm", "g", "pa", "ml", "bp"]
"""``ml`` (volume) and ``bp`` (parts in 10,000 of the capacity) come from unsigned feeds alone."""
TimeSource = Literal["ntp", "gnss", "net", "gw", "none"]


class RawReading(NamedTuple):
    """One burst of the sensor, in the wire's units.

    ``value`` is in the unit that ``quantity`` names, ``None`` when nothing came back;
    ``spread`` is 1.4826 x the median absolute deviation, same unit; ``age_s`` is seconds
    before the message was sealed; ``temperature_dc`` is tenths of a degree Celsius.
    """

    age_s: int
    quantity: Quantity
    value: int | None
    spread: int | None = None
    valid: int | None = None
    tried: int | None = None
    temperature_dc: int | None = None
    channel: int = 0


@dataclass(frozen=True, slots=True)
class RawEvent:
    """One event: its kind, and its other fields by their wire names."""

    age_s: int
    kind: str
    fields: Fields = field(default_factory=dict[str, int | str | bool | None])


class Message(NamedTuple):
    """One decoded message. Identity is (device, era, boot, seq); times are seconds.

    ``t`` is the device's Unix time when sealed (0 when it has none), ``ta_s`` seconds since its
    clock was set, ``uptime_s`` seconds since the boot, ``next_s`` the promise, ``old`` the
    (boot, seq) where the unbroken run on its flash begins. ``has_null``: a field was null that
    should be absent.
    """

    device: str
    fw: str
    era: str
    boot: int
    seq: int
    prev: str
    uptime_s: int
    t: int
    ts: TimeSource
    next_s: int
    old: tuple[int, int]
    ta_s: int | None = None
    key_generation: int = 1
    battery_mv: int | None = None
    rssi_dbm: int | None = None
    signed: bool = False
    readings: tuple[RawReading, ...] = ()
    events: tuple[RawEvent, ...] = ()
    has_null: bool = False
