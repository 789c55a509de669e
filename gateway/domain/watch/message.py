"""One message: its promise, its battery, then its events and readings in order of time."""

from gateway.domain.inputs import DeviceEvent, JournaledMessage, Reading
from gateway.domain.outputs import Level, LevelState
from gateway.domain.registry import Tank
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, TankState
from gateway.domain.watch.rules import (
    clone,
    falls,
    handling,
    hours,
    power,
    presence,
    removal,
    sensor,
    silence,
    water,
)
from gateway.domain.watch.tracks import flow, health, level, tilted
from gateway.domain.watch.tracks.level import Sample

FRESH_S = 1800.0
"""A reading older than this on arrival is backlog (or its promise and a half, if longer)."""
_LAGS_KEPT = 4
_LAG_EVERY_S = 300.0


def take_message(scene: WatchContext, heard: JournaledMessage) -> None:
    """Take one authentic message in."""
    if scene.tank_row(heard.tank) is None:
        return
    if heard.auth == "unsigned" and scene.is_keyed(heard.tank):
        return
    device = scene.device(heard.device, heard.tank)
    device.tank, device.auth = heard.tank, heard.auth
    live = _is_live(device, heard)
    current = heard.newest and (
        not clone.is_former(device, heard) or clone.spoke_after_newest_era(device, heard)
    )
    if current:
        _renew(scene, device, heard, live)
    touched: dict[str, TankState] = {}
    handled: set[str] = set()
    items = heard.events + heard.readings
    for item in sorted(items, key=_in_time) if len(items) > 1 else items:
        if isinstance(item, DeviceEvent):
            handling.take_event(scene, device, item)
            handled.add(item.tank)
        elif tank := _read(scene, device, item, current):
            touched[item.tank] = tank
    for tank_id in sorted(handled if device.auth != "unsigned" else ()):
        removal.review_tank(scene, tank_id, device)
    for tank_id, tank in touched.items():
        if (row := scene.tank_row(tank_id)) is not None:
            water.decide(scene, tank, row, device, live)
            sensor.decide(scene, tank, row, device)
    if current and device.auth != "unsigned":
        removal.spoke(scene, device)


def _in_time(item: DeviceEvent | Reading) -> tuple[float, bool]:
    return item.at, isinstance(item, Reading)


def _renew(scene: WatchContext, device: DeviceState, heard: JournaledMessage, live: bool) -> None:
    was_silent = presence.renew(scene, device, heard, live)
    power.take_message(scene, device, heard)
    clone.watch(scene, device)
    if was_silent:
        presence.report_back(scene, device)
    silence.spoke(scene, device)


def _is_live(device: DeviceState, heard: JournaledMessage) -> bool:
    """Whether a message came as it was spoken, rather than out of a backlog.

    A clock that is always wrong by the same amount is not a backlog: the lag is compared with the
    device's own lags, one kept for each five minutes so that a burst cannot move them.
    """
    if not heard.newest:
        return False
    times = [r.at for r in heard.readings] + [e.at for e in heard.events]
    if not times:
        return True
    lag = heard.received - max(times)
    usual = min(device.lags, default=0.0)
    if heard.received - device.lagged_at >= _LAG_EVERY_S:
        device.lags.append(lag)
        del device.lags[:-_LAGS_KEPT]
        device.lagged_at = heard.received
    return lag <= max(usual, 0.0) + max(FRESH_S, 1.5 * heard.next_s)


def _read(
    scene: WatchContext, device: DeviceState, reading: Reading, current: bool
) -> TankState | None:
    """One reading to its level line; the tank's record when the reading moved it."""
    row = scene.tank_row(reading.tank)
    if row is None or (device.auth == "unsigned" and scene.is_keyed(reading.tank)):
        return None
    tank = scene.tank(reading.tank)
    fed = current and _feeds(scene, tank, reading)
    if fed:
        _feed(scene, tank, row, device, reading)
        state = _shown(tank, reading)
    else:
        state = _alone(row, reading)
        falls.late(scene, tank, row, device, reading)
    scene.told.append(Level(reading.at, reading.tank, reading.volume_l, reading.sd_l, state))
    return tank if fed else None


def _feeds(scene: WatchContext, tank: TankState, reading: Reading) -> bool:
    """One device and channel feeds a tank's level; another takes over when that one is gone."""
    source = f"{reading.device}/{reading.channel}"
    if tank.source != source and _is_gone(scene, tank):
        tank.source = source
    return tank.source == source


def _is_gone(scene: WatchContext, tank: TankState) -> bool:
    """Whether the feeder is silent, revoked, or hangs in another tank by now."""
    feeder = scene.source(tank)
    if feeder is None or feeder.presence == "silent" or feeder.tank != tank.tank:
        return True
    row = scene.registry.device(feeder.device)
    return row is None or row.revoked


def _feed(
    scene: WatchContext, tank: TankState, row: Tank, device: DeviceState, reading: Reading
) -> None:
    if tank.aslant is None:  # a beam that leaves the water is no fault of the sensor
        scene.told += health.check(tank.health, row, reading)
    else:
        tank.aslant = tilted.read(tank.aslant, row, reading)
    if reading.volume_l is None:
        return
    for sample in level.take(tank.level, row, reading):
        _follow(scene, tank, row, device, sample)
    hours.start(scene, tank)


def _follow(
    scene: WatchContext, tank: TankState, row: Tank, device: DeviceState, sample: Sample
) -> None:
    told = flow.follow(tank.flow, row, sample)
    scene.told += told
    falls.check(scene, tank, row, device, sample)
    if any(event.kind == "refill" for event in told):
        if device.auth != "unsigned":  # nobody vouches for it: no theft ends by it
            removal.refilled(scene, tank)
        hours.forecast(scene, tank, row)


def _shown(tank: TankState, reading: Reading) -> LevelState:
    if reading.fault or tank.health.faulty:
        return "fault"
    return "unknown" if tank.aslant else tank.level.state


def _alone(row: Tank, reading: Reading) -> LevelState:
    """The state of a late reading, taken by itself: history, not news."""
    if reading.volume_l is None:
        return "fault"
    return level.plain(row, reading.volume_l, reading.sd_l or 0.0)
