"""One message: first promise and battery, then events and readings in order of event time."""

from gateway.domain.inputs import DeviceEvent, JournaledMessage, Reading
from gateway.domain.outputs import Level, LevelState, TankEvent
from gateway.domain.registry import Tank
from gateway.domain.watch import feed
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, TankState
from gateway.domain.watch.rules import (
    clone,
    device_clock,
    falls,
    handling,
    power,
    presence,
    removal,
    sensor,
    silence,
    water,
)
from gateway.domain.watch.tracks import level

_FRESH_S = 1800.0
"""A reading older than this on arrival is backlog (or 1.5 times its promise, if longer)."""
_LAGS_KEPT = 4
_LAG_EVERY_S = 300.0


def apply_message(context: WatchContext, message: JournaledMessage) -> None:
    """Apply one authentic message."""
    if context.tank_row(message.tank) is None:
        return
    if message.auth == "unsigned" and context.is_keyed(message.tank):
        return
    device = context.device(message.device, message.tank)
    device.tank, device.auth = message.tank, message.auth
    message = device_clock.placed(context, device, message)
    live = _is_live(device, message)
    is_current = message.newest and (
        not clone.is_former(device, message) or clone.is_newer_than_newest_era(device, message)
    )
    if is_current:
        _renew(context, device, message, live)
    changed: dict[str, tuple[TankState, Tank]] = {}
    items = message.events + message.readings if message.events else message.readings
    for item in sorted(items, key=_by_time) if len(items) > 1 else items:
        if isinstance(item, DeviceEvent):
            handling.apply_event(context, device, item)
        elif fed := _apply_reading(context, device, item, is_current):
            changed[item.tank] = fed
    if message.events and device.auth != "unsigned":
        for tank_id in sorted({event.tank for event in message.events}):
            removal.review(context, context.tank(tank_id), device)
    for tank, row in changed.values():
        water.decide(context, tank, row, device, live)
        sensor.decide(context, tank, row, device)
    if is_current and device.auth != "unsigned":
        removal.record_message(context, device)


def _by_time(item: DeviceEvent | Reading) -> tuple[float, bool]:
    return item.at, isinstance(item, Reading)


def _renew(
    context: WatchContext, device: DeviceState, message: JournaledMessage, live: bool
) -> None:
    was_silent = presence.renew(context, device, message, live)
    power.update(context, device, message)
    clone.check_eras(context, device)
    if was_silent:
        context.outputs.append(TankEvent(context.now, context.now, device.tank, "back"))
    silence.end_silence(context, device, was_silent)


def _is_live(device: DeviceState, message: JournaledMessage) -> bool:
    """Whether a message was sent when it was made, not from a backlog.

    A clock with a constant error is not a backlog: the lag is compared with the device's recent
    lags, one from each five minutes, so that a burst cannot shift them.
    """
    if not message.newest:
        return False
    items = message.readings + message.events if message.events else message.readings
    if not items:
        return True
    newest_at = items[0].at if len(items) == 1 else max([item.at for item in items])
    lag = message.received - newest_at
    is_live = lag <= _FRESH_S  # the usual case
    if not is_live:
        usual_s = min(device.lags, default=0.0)
        is_live = lag <= max(usual_s, 0.0) + max(_FRESH_S, 1.5 * message.next_s)
    if message.received - device.lagged_at >= _LAG_EVERY_S:
        device.lags.append(lag)
        del device.lags[:-_LAGS_KEPT]
        device.lagged_at = message.received
    return is_live


def _apply_reading(
    context: WatchContext, device: DeviceState, reading: Reading, is_current: bool
) -> tuple[TankState, Tank] | None:
    """Emit the level of one reading; returns the tank's record and row when it feeds the tank."""
    row = context.tank_row(reading.tank)
    if row is None or (device.auth == "unsigned" and context.is_keyed(reading.tank)):
        return None
    tank = context.tank(reading.tank)
    is_source = _is_source(context, tank, reading)
    if is_source and is_current:
        feed.apply(context, tank, row, device, reading)
        state = _state(tank, reading)
    else:
        if not is_source or not feed.fill_gap(tank, reading):
            falls.check_late(context, tank, row, device, reading)
        state = _state_alone(row, reading)
    context.outputs.append(Level(reading.at, reading.tank, reading.volume_l, reading.sd_l, state))
    return (tank, row) if is_source and is_current else None


def _is_source(context: WatchContext, tank: TankState, reading: Reading) -> bool:
    """One device and channel feeds a tank's level; another takes over when that one is gone."""
    source = f"{reading.device}/{reading.channel}"
    if tank.source != source and _is_source_gone(context, tank):
        tank.source = source
    return tank.source == source


def _is_source_gone(context: WatchContext, tank: TankState) -> bool:
    """Whether the source is silent, revoked, or installed in another tank by now."""
    source = context.source(tank)
    if source is None or source.presence == "silent" or source.tank != tank.tank:
        return True
    row = context.registry.device(source.device)
    return row is None or row.revoked


def _state(tank: TankState, reading: Reading) -> LevelState:
    if reading.fault or tank.health.faulty:
        return "fault"
    return "unknown" if tank.tilted else tank.level.state


def _state_alone(row: Tank, reading: Reading) -> LevelState:
    """The state that a reading alone makes."""
    if reading.volume_l is None:
        return "fault"
    return level.state_of_volume(row, reading.volume_l, reading.sd_l or 0.0)
