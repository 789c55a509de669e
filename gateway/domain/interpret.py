"""From what a device said to what it means: event time, tank, litres.

Both projections (store and watch) run it over the journal in order, so they agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.domain import volume
from gateway.domain.boot_time import EraBoots, believable
from gateway.domain.heard import Auth, DeviceEvent, Heard, Reading
from gateway.domain.message import Message, RawReading
from gateway.domain.registry import Device, Install, Registry, Tank, in_force

_KEPT_ERAS = 8
_Place = tuple[Tank, Device, Install | None]


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What one message meant.

    ``heard`` is None when the device hangs in no tank that the registry knows. ``moved_boots`` are
    the (era, boot) whose estimated event times changed through this message: project them again.
    """

    heard: Heard | None
    moved_boots: tuple[tuple[str, int], ...] = ()

    @property
    def moved(self) -> tuple[str, int] | None:
        """The newest of ``moved_boots``, or None."""
        return max(self.moved_boots, default=None)


class Interpreter:
    """Knows the boots of every device, and the registry. Deterministic; no clock, no I/O."""

    def __init__(self, registry: Registry, state: Mapping[str, Any] | None = None) -> None:
        self.registry = registry
        self._eras: dict[str, dict[str, EraBoots]] = {
            device: {era: EraBoots.restored(boots) for era, boots in eras.items()}
            for device, eras in (state or {}).items()
        }
        self._dirty: set[str] = set()

    def hear(
        self, message: Message, received: float, *, auth: Auth, newest: bool
    ) -> Interpretation:
        """Take a message in: learn from its clock, then place what it carries."""
        moved = self._learn(message, received)
        device = message.device
        tank = self.registry.tank_of(device, received)
        if tank is None or self.registry.tank(tank) is None:
            return Interpretation(None, moved)
        heard = Heard(
            device=device, tank=tank, era=message.era, boot=message.boot, seq=message.seq,
            received=received, next_s=message.next_s, newest=newest, auth=auth,
            battery_mv=message.battery_mv, rssi_dbm=message.rssi_dbm,
            readings=self.place(message, received, auth), events=self.events(message, received),
        )  # fmt: skip
        return Interpretation(heard, moved)

    def place(self, message: Message, received: float, auth: Auth) -> tuple[Reading, ...]:
        """The message's readings with the anchors now known. Pure: learns nothing.

        ``auth`` is the message's own; it does not change where or when a reading belongs.
        """
        base, estimated = self._sealed_at(message, received)
        place = self._fixed_place(message.device)
        rows = [
            self._reading(message, i, raw, base - raw.age_s, received, estimated, place)
            for i, raw in enumerate(message.readings)
        ]
        return tuple([row for row in rows if row is not None])

    def _fixed_place(self, device: str) -> "_Place | None":
        """Where a device has always been: most have one row, one tank and no history."""
        registry = self.registry
        rows = registry.devices.get(device, ())
        if len(rows) != 1 or device in registry.installs:
            return None
        tanks = registry.tanks.get(rows[0].tank, ())
        return (tanks[0], rows[0], None) if len(tanks) == 1 else None

    def _place(self, device: str, at: float) -> "_Place | None":
        """The rows in force at event time; None where the device hung in no tank we know."""
        tank_id = self.registry.tank_of(device, at)
        tank = self.registry.tank(tank_id, at) if tank_id else None
        rows = self.registry.devices.get(device)
        if tank is None or not rows:
            return None
        return tank, in_force(rows, at), self.registry.install(device, at)

    def events(self, message: Message, received: float) -> tuple[DeviceEvent, ...]:
        """The message's events with the anchors now known. Pure: learns nothing."""
        if not message.events:
            return ()
        base, estimated = self._sealed_at(message, received)
        found: list[DeviceEvent] = []
        for raw in message.events:
            at = base - raw.age_s
            tank = self.registry.tank_of(message.device, at)
            if tank is not None:
                found.append(DeviceEvent(tank, message.device, raw.kind, at, estimated, raw.fields))
        return tuple(found)

    def state(self, device: str) -> dict[str, Any]:
        """What is known of a device's boots, JSON-able, for the constructor."""
        return {era: boots.state() for era, boots in self._eras.get(device, {}).items()}

    def dirty(self) -> set[str]:
        """Devices whose state changed since the last call."""
        changed, self._dirty = self._dirty, set()
        return changed

    def _learn(self, message: Message, received: float) -> tuple[tuple[str, int], ...]:
        eras = self._eras.setdefault(message.device, {})
        boots = eras.setdefault(message.era, EraBoots())
        while len(eras) > _KEPT_ERAS:
            del eras[next(iter(eras))]
        self._dirty.add(message.device)
        moved = boots.learn(
            message.boot, t=message.t, up=message.uptime_s, ta=message.ta_s, seq=message.seq,
            received=received,
        )  # fmt: skip
        return tuple((message.era, boot) for boot in moved)

    def _sealed_at(self, message: Message, received: float) -> tuple[float, bool]:
        """When the message was sealed (Unix s), and whether we had to work it out."""
        if believable(message.t, received):
            return float(message.t), False
        boots = self._eras.get(message.device, {}).get(message.era)
        anchor = boots.anchor(message.boot) if boots else None
        if anchor is None:
            anchor = received - message.uptime_s
        return anchor + message.uptime_s, True

    def _reading(
        self, message: Message, i: int, raw: RawReading, at: float, received: float,
        estimated: bool, fixed: "_Place | None",
    ) -> Reading | None:  # fmt: skip
        place = fixed or self._place(message.device, at)
        if place is None:
            return None
        tank, device, install = place
        found = volume.measure(raw, tank, device, install)
        return Reading(
            tank.id, message.device, message.era, message.boot, message.seq, i, raw.channel, at,
            received, estimated, raw.quantity, raw.value, raw.spread, raw.valid, raw.tried,
            raw.temperature_dc, found.volume_l, found.sd_l, found.fault,
        )  # fmt: skip
