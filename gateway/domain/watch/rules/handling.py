"""Motion, tilt and lid events of a node. A knock is only an event; the rest is evidence."""

from gateway.domain.inputs import DeviceEvent
from gateway.domain.outputs import EventKind, TankEvent
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, TankState
from gateway.domain.watch.rules import evidence, removal
from gateway.domain.watch.tracks import level

_LID_S = 1800.0


def apply_event(context: WatchContext, device: DeviceState, event: DeviceEvent) -> None:
    """Record one event of a node; the caller runs ``removal.review`` after the last one.

    An event of an unsigned feed is emitted but is no evidence.
    """
    row = context.tank_row(event.tank)
    if row is None or event.kind not in ("motion", "tilt", "still", "lid"):
        return
    tank = context.tank(event.tank)
    is_evidence = device.auth != "unsigned" and context.now - event.at <= removal.TOO_OLD_S
    if event.kind == "still":
        if tank.episode is not None and device.auth != "unsigned":
            tank.episode.still_at = event.at
    elif event.kind == "lid":
        _lid(context, tank, device, event, is_evidence)
    elif _is_knock(event):
        if event.kind == "tilt" and tank.tilted and event.at > tank.tilted.at:
            tank.tilted = None
        tank.knock_at = max(tank.knock_at, event.at)
        _emit(context, event, "knock")
    elif is_evidence:
        _record_movement(context, tank, device, event)
    else:
        _emit(context, event, "moved")


def _number(event: DeviceEvent, name: str) -> int:
    value = event.fields.get(name)
    return value if isinstance(value, int) else 0


def _is_knock(event: DeviceEvent) -> bool:
    if event.kind == "tilt":
        return _number(event, "deg") <= evidence.TILT_DEG
    return _number(event, "ms") < evidence.CONFIRMED_MS


def _emit(context: WatchContext, event: DeviceEvent, kind: EventKind) -> None:
    until = event.at + _number(event, "ms") / 1000
    context.outputs.append(TankEvent(event.at, until, event.tank, kind))


def _record_movement(
    context: WatchContext, tank: TankState, device: DeviceState, event: DeviceEvent
) -> None:
    episode = removal.episode_at(context, tank, device, event.at)
    if event.kind == "tilt":
        episode.tilt_deg = max(episode.tilt_deg, _number(event, "deg"))
        tank.tilted = tank.tilted or level.begin_tilt(tank.level, event.at)
    else:
        episode.motion_ms += _number(event, "ms")
        episode.motion_mg = max(episode.motion_mg, _number(event, "mg"))
    episode.resumed_at = None
    if not episode.motion_reported:
        episode.motion_reported = True
        _emit(context, event, "moved")


def _lid(
    context: WatchContext,
    tank: TankState,
    device: DeviceState,
    event: DeviceEvent,
    is_evidence: bool,
) -> None:
    if event.fields.get("open"):
        _emit(context, event, "lid")
        if is_evidence:
            removal.episode_at(context, tank, device, event.at).lid_at = event.at
            due = max(event.at + _LID_S, context.now + 1.0)
            context.set_timer(tank, "lid", due)
        return
    if device.auth != "unsigned":
        removal.close_lid(context, tank, "lid_closed")


def lid_stayed_open(context: WatchContext, tank: TankState) -> None:
    """A lid open for half an hour without a refill is evidence: nobody is filling the tank."""
    row, device = context.tank_row(tank.tank), removal.episode_device(context, tank)
    if tank.episode is None or row is None or device is None:
        return
    context.touch(tank)
    tank.episode.lid_stayed = True
    removal.review(context, tank, device)
