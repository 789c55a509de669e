"""What a node felt: motion, tilt, lid. A knock is only an event; the rest is evidence."""

from gateway.domain.inputs import DeviceEvent
from gateway.domain.outputs import EventKind, TankEvent
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, TankState
from gateway.domain.watch.rules import evidence, removal
from gateway.domain.watch.tracks import tilted

_LID_S = 1800.0


def take_event(scene: WatchContext, device: DeviceState, event: DeviceEvent) -> None:
    """Take one event of a node in, for the ``removal.review`` that follows.

    Unsigned feeds leave a trace but never evidence.
    """
    row = scene.tank_row(event.tank)
    if row is None or event.kind not in ("motion", "tilt", "still", "lid"):
        return
    tank = scene.tank(event.tank)
    is_evidence = device.auth != "unsigned" and scene.now - event.at <= removal.TOO_OLD_S
    if event.kind == "still":
        if tank.episode is not None and device.auth != "unsigned":
            tank.episode.still_at = event.at
    elif event.kind == "lid":
        _lid(scene, tank, device, event, is_evidence)
    elif _is_knock(event):
        if event.kind == "tilt" and tank.aslant and event.at > tank.aslant.at:
            tank.aslant = None
        tank.knock_at = max(tank.knock_at, event.at)
        _tell(scene, event, "knock")
    elif is_evidence:
        _moved(scene, tank, device, event)
    else:
        _tell(scene, event, "moved")


def _number(event: DeviceEvent, name: str) -> int:
    value = event.fields.get(name)
    return value if isinstance(value, int) else 0


def _is_knock(event: DeviceEvent) -> bool:
    if event.kind == "tilt":
        return _number(event, "deg") <= evidence.TILT_DEG
    return _number(event, "ms") < evidence.CONFIRMED_MS


def _tell(scene: WatchContext, event: DeviceEvent, kind: EventKind) -> None:
    until = event.at + _number(event, "ms") / 1000
    scene.told.append(TankEvent(event.at, until, event.tank, kind))


def _moved(scene: WatchContext, tank: TankState, device: DeviceState, event: DeviceEvent) -> None:
    episode = removal.episode_of(scene, tank, device, event.at)
    if event.kind == "tilt":
        episode.tilt_deg = max(episode.tilt_deg, _number(event, "deg"))
        tank.aslant = tank.aslant or tilted.begin(tank.level, event.at)
    else:
        episode.motion_ms += _number(event, "ms")
        episode.motion_mg = max(episode.motion_mg, _number(event, "mg"))
    episode.spoke_at = None
    if not episode.moved_told:
        episode.moved_told = True
        _tell(scene, event, "moved")


def _lid(
    scene: WatchContext, tank: TankState, device: DeviceState, event: DeviceEvent, is_evidence: bool
) -> None:
    if event.fields.get("open"):
        _tell(scene, event, "lid")
        if is_evidence:
            removal.episode_of(scene, tank, device, event.at).lid_at = event.at
            due = max(event.at + _LID_S, scene.now + 1.0)
            scene.set_timer(f"tank:{tank.tank}", "lid", due)
        return
    if device.auth != "unsigned":
        removal.lid_closed(scene, tank, "lid_closed")


def lid_stayed_open(scene: WatchContext, tank: TankState) -> None:
    """A lid that is open for half an hour without a refill is not somebody filling the tank."""
    row, device = scene.tank_row(tank.tank), removal.handled_device(scene, tank)
    if tank.episode is None or row is None or device is None:
        return
    scene.touch(f"tank:{tank.tank}")
    tank.episode.lid_stayed = True
    removal.review(scene, tank, row, device)
