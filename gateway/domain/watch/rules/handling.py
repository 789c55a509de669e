"""Motion, tilt and lid events of a node. A knock is only an event; the rest is evidence."""

from gateway.domain.inputs import DeviceEvent
from gateway.domain.outputs import EventKind, TankEvent
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, TankState
from gateway.domain.watch.rules import device_clock, evidence, lid, removal
from gateway.domain.watch.tracks import tamper, tilt


def apply_event(context: WatchContext, device: DeviceState, event: DeviceEvent) -> None:
    """Record one event of a node; the caller runs ``removal.review`` after the last one.

    An event of an unsigned feed is emitted but is no evidence.
    """
    row = context.tank_row(event.tank)
    if event.kind == "time" and device.auth != "unsigned":
        device_clock.note_step(device, event)
    if row is None or event.kind not in ("motion", "tilt", "still", "lid"):
        return
    tank = context.tank(event.tank)
    is_evidence = device.auth != "unsigned" and context.now - event.at <= removal.TOO_OLD_S
    if event.kind == "still":
        if tank.episode is not None and device.auth != "unsigned":
            tank.episode.still_at = max(tank.episode.still_at or event.at, event.at)
    elif event.kind == "lid":
        _lid(context, tank, device, event, is_evidence)
    elif _is_knock(event):
        if event.kind == "tilt" and tank.tilted and event.at > tank.tilted.at:
            tank.tilted = None
        tamper.note_knock(tank.knocks, event.at)
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
        episode.tilt_at = event.at if episode.tilt_at is None else min(episode.tilt_at, event.at)
        episode.tilt_deg = max(episode.tilt_deg, _number(event, "deg"))
        tank.tilted = tank.tilted or tilt.begin_tilt(tank.level, event.at)
    else:
        began = event.at if episode.motion_at is None else min(episode.motion_at, event.at)
        episode.motion_at = began
        episode.motion_ms += _number(event, "ms")
        if _number(event, "mg") >= evidence.CARRIED_MG:
            episode.strong_ms += _number(event, "ms")
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
    is_open = bool(event.fields.get("open"))
    if is_open:
        _emit(context, event, "lid")
    if event.at < tank.lid_seen_at:
        return  # from backlog, and what came after it is known
    tank.lid_seen_at = event.at
    if is_open and is_evidence:
        episode = removal.episode_at(context, tank, device, event.at)
        episode.lid_at, episode.lid_stayed, episode.water_rose = event.at, False, False
        patience_s = lid.patience_s(context, tank, event.at)
        context.set_timer(tank, "lid", max(event.at + patience_s, context.now + 1.0))
    elif not is_open and device.auth != "unsigned":
        removal.close_lid(context, tank, "lid_closed")


def lid_stayed_open(context: WatchContext, tank: TankState) -> None:
    """A lid open for long, and no water came: nobody is filling the tank.

    It takes two settled readings after the opening, from a node that is not late to a gateway
    that receives; until then the question is asked again. Where water may come unseen it is
    asked once more after half a day.
    """
    row, device = context.tank_row(tank.tank), removal.episode_device(context, tank)
    episode = tank.episode
    if episode is None or episode.lid_at is None or row is None or device is None:
        return
    context.touch(tank)
    if lid.must_wait(context, tank, device, episode.lid_at):
        if context.now - episode.lid_at < lid.LONG_S:
            context.set_timer(tank, "lid", context.now + lid.AGAIN_S)
        return
    if lid.was_filled(tank, row, episode.lid_at):
        removal.close_lid(context, tank, "refilled")
        return
    episode.lid_stayed = True
    episode.lid_as = lid.stayed_as(context, tank, row, episode.lid_at)
    if episode.lid_as in ("stayed_cans", "stayed_dry"):
        context.set_timer(tank, "lid", episode.lid_at + lid.LONG_S)
    removal.review(context, tank, device)
