"""Interprets a message: event time, tank, litres.

Both projections (store and watch) apply it to the journal in order, so they agree.
"""

from collections.abc import Callable, Mapping
from typing import cast

from gateway.domain.boot_time import EraBoots, is_plausible
from gateway.domain.entry import JSON
from gateway.domain.inputs import Auth, DeviceEvent, JournaledMessage, Reading
from gateway.domain.message import Message
from gateway.domain.registry import Registry, in_force
from gateway.domain.volume import Gauge, gauge

_KEPT_ERAS = 8
_Place = tuple[str, Gauge]
"""A tank's id, and the gauge that converts a device's readings there into litres."""
# The constructor of a NamedTuple takes twice as long, tens of thousands of times a second.
_new = cast("Callable[[type[Reading], tuple[object, ...]], Reading]", cast(object, tuple).__new__)
_new_message = cast(
    "Callable[[type[JournaledMessage], tuple[object, ...]], JournaledMessage]",
    cast(object, tuple).__new__,
)


class Interpreter:
    """Keeps the boots of every device. Deterministic; no clock, no I/O."""

    def __init__(self, registry: Registry, state: Mapping[str, JSON] | None = None) -> None:
        self._registry = registry
        self._fixed: dict[str, _Place | None] = {}
        self._gauges: dict[tuple[int, int, int], Gauge] = {}
        saved = cast("Mapping[str, dict[str, JSON]]", state or {})
        self._eras: dict[str, dict[str, EraBoots]] = {
            device: {era: EraBoots.restored(boots) for era, boots in eras.items()}
            for device, eras in saved.items()
        }
        self._dirty: set[str] = set()

    @property
    def registry(self) -> Registry:
        """The rows in force; it may be replaced at any time."""
        return self._registry

    @registry.setter
    def registry(self, registry: Registry) -> None:
        """Drop what was computed from the former rows."""
        self._registry = registry
        self._fixed.clear()
        self._gauges.clear()

    def interpret(
        self, message: Message, received: float, *, auth: Auth, newest: bool
    ) -> JournaledMessage | None:
        """Learn from the message's clock, then place its readings and events.

        None when the device is in no tank of the registry.
        """
        self.learn(message, received)
        device = message.device
        fixed = self._fixed_place(device)
        tank = fixed[0] if fixed else self._registry.tank_of(device, received)
        if tank is None or (fixed is None and self._registry.tank(tank) is None):
            return None
        sealed = self._sealed_at(message, received)
        found = (
            device, tank, message.era, message.boot, message.seq, received, message.next_s, newest,
            auth, message.battery_mv, message.rssi_dbm,
            self._readings(message, received, sealed, fixed),
            self.events(message, received) if message.events else (), message.uptime_s, sealed[0],
        )  # fmt: skip
        return _new_message(JournaledMessage, found)

    def learn(self, message: Message, received: float) -> tuple[tuple[str, int], ...]:
        """Learn from the message's clock; returns the (era, boot) whose event times changed."""
        eras = self._eras.get(message.device)
        if eras is None:
            eras = self._eras[message.device] = {}
        boots = eras.get(message.era)
        if boots is None:
            boots = eras[message.era] = EraBoots()
            while len(eras) > _KEPT_ERAS:
                del eras[next(iter(eras))]
        moved = boots.learn(
            message.boot, t=message.t, up=message.uptime_s, ta=message.ta_s, seq=message.seq,
            received=received,
        )  # fmt: skip
        if moved is None:
            return ()
        self._dirty.add(message.device)
        return tuple([(message.era, boot) for boot in moved])

    def place(self, message: Message, received: float) -> tuple[Reading, ...]:
        """The message's readings by the anchors known now. Learns nothing."""
        sealed = self._sealed_at(message, received)
        return self._readings(message, received, sealed, self._fixed_place(message.device))

    def _readings(
        self, message: Message, received: float, sealed: tuple[float, bool], fixed: "_Place | None"
    ) -> tuple[Reading, ...]:
        base, estimated = sealed
        device, era, boot, seq = message.device, message.era, message.boot, message.seq
        rows: list[Reading] = []
        for i, raw in enumerate(message.readings):
            age_s, quantity, value, spread, valid, tried, temperature_dc, channel = raw
            at = base - age_s
            place = fixed or self._place(device, at)
            if place is None:
                continue
            volume_l, sd_l, fault = place[1].measure(raw)
            row = (
                place[0], device, era, boot, seq, channel, received, estimated, i, at, quantity,
                value, spread, valid, tried, temperature_dc, volume_l, sd_l, fault,
            )  # fmt: skip
            rows.append(_new(Reading, row))
        return tuple(rows)

    def _fixed_place(self, device: str) -> "_Place | None":
        """The place of a device without history, which most are: one row, one tank."""
        found = self._fixed.get(device)
        if found is None and device not in self._fixed:
            registry = self._registry
            devices = registry.devices.get(device, ())
            installs = registry.installs.get(device, ())
            tanks = registry.tanks.get(registry.tank_of(device, 0.0) or "", ())
            alone = all(len(rows) < 2 for rows in (devices, installs, tanks))
            found = self._fixed[device] = self._place(device, 0.0) if alone else None
        return found

    def _place(self, device: str, at: float) -> "_Place | None":
        """By the rows in force at event time; None where the device was in no known tank."""
        tank_id = self._registry.tank_of(device, at)
        tank = self._registry.tank(tank_id, at) if tank_id else None
        rows = self._registry.devices.get(device)
        if tank is None or not rows:
            return None
        row, install = in_force(rows, at), self._registry.install(device, at)
        key = id(tank), id(row), id(install)  # of rows that the registry keeps alive
        found = self._gauges.get(key)
        if found is None:
            found = self._gauges[key] = gauge(tank, row, install)
        return tank.id, found

    def events(self, message: Message, received: float) -> tuple[DeviceEvent, ...]:
        """The message's events by the anchors known now. Learns nothing."""
        base, estimated = self._sealed_at(message, received)
        found: list[DeviceEvent] = []
        for raw in message.events:
            at = base - raw.age_s
            tank = self.registry.tank_of(message.device, at)
            if tank is not None:
                found.append(DeviceEvent(tank, message.device, raw.kind, at, estimated, raw.fields))
        return tuple(found)

    def state(self, device: str) -> JSON:
        """The state of a device, for the constructor."""
        return {era: boots.state() for era, boots in self._eras.get(device, {}).items()}

    def dirty(self) -> set[str]:
        """Devices whose state changed since the last call."""
        changed, self._dirty = self._dirty, set()
        return changed

    def _sealed_at(self, message: Message, received: float) -> tuple[float, bool]:
        """When the message was sealed (Unix s), and whether that is estimated."""
        if is_plausible(message.t, received):
            return float(message.t), False
        boots = self._eras.get(message.device, {}).get(message.era)
        anchor = boots.anchor(message.boot) if boots else None
        if anchor is None:
            anchor = received - message.uptime_s
        return anchor + message.uptime_s, True
