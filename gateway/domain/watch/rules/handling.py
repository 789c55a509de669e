"""Motion, tilt and lid events of a node. A knock is only an event; the rest is evidence."""

from itertools import pairwise

from gateway.domain.inputs import DeviceEvent
from gateway.domain.local_time import hour_of_week
from gateway.domain.outputs import EventKind, TankEvent
from gateway.domain.registry import Tank
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, TankState
from gateway.domain.watch.rules import evidence, presence, removal
from gateway.domain.watch.tracks import health, tamper, tilt
from gateway.domain.watch.tracks import noise as scatter

_LID_S, _LID_DAY_S = 3600.0, 2 * 3600.0
"""How long a lid may be open while people wait for water or look inside: by night, by day."""
_DAY = 7, 20
"""Local hours in which volunteers bring water (rounds are daily)."""
_AGAIN_S, _GIVE_UP_S = 600.0, 12 * 3600.0
_SETTLE_S, _LEAST_AFTER = 300.0, 2
_RISE_SIGMAS, _RISE_PART = 2.0, 0.006  # of two means of two readings


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
        patience_s = _patience_s(context, tank, event.at)
        context.set_timer(tank, "lid", max(event.at + patience_s, context.now + 1.0))
    elif not is_open and device.auth != "unsigned":
        removal.close_lid(context, tank, "lid_closed")


def lid_stayed_open(context: WatchContext, tank: TankState) -> None:
    """A lid open for long, and no water came: nobody is filling the tank.

    It takes two settled readings after the opening, from a node that is not late to a gateway
    that receives; until then the question is asked again.
    """
    row, device = context.tank_row(tank.tank), removal.episode_device(context, tank)
    episode = tank.episode
    if episode is None or episode.lid_at is None or row is None or device is None:
        return
    context.touch(tank)
    if _must_wait(context, tank, device, episode.lid_at):
        if context.now - episode.lid_at < _GIVE_UP_S:
            context.set_timer(tank, "lid", context.now + _AGAIN_S)
        return
    if _was_filled(tank, row, episode.lid_at):
        removal.close_lid(context, tank, "refilled")
        return
    episode.lid_stayed = True
    removal.review(context, tank, device)


def _patience_s(context: WatchContext, tank: TankState, opened: float) -> float:
    """How long a lid may be open before that means something: by day people wait for water."""
    row = context.tank_row(tank.tank)
    site = context.registry.site(row.site) if row is not None else None
    zone = site.timezone if site is not None else "UTC"
    hour = hour_of_week(zone, int(opened // 3600)) % 24
    return _LID_DAY_S if _DAY[0] <= hour < _DAY[1] else _LID_S


def _must_wait(context: WatchContext, tank: TankState, device: DeviceState, opened: float) -> bool:
    """Whether nothing can be concluded: water rises, readings are missing, a plan explains it."""
    if tank.flow.rise is not None or tank.health.faulty or tank.settling.waiting:
        return True
    if device.presence != "speaking" or _may_have_missed(context, device):
        return True
    if health.is_doubtful(tank.health) or _is_nearly_empty(context, tank):
        return True
    after = [at for at, _ in tank.flow.recent if at > opened + _SETTLE_S]
    if len(after) < _LEAST_AFTER or after[-1] < opened + _LID_S / 2:
        return True
    plans = context.registry.plans_during(tank.tank, opened - _LID_S, context.now)
    return any(plan.kind in ("cleaning", "move") for plan in plans)


def _may_have_missed(context: WatchContext, device: DeviceState) -> bool:
    """Whether messages of the node may be missing: its gateway or its network was away
    since its last message.
    """
    if not device.promises:
        return True
    since = presence.last_received_at(device)
    if presence.is_deaf(context) or not presence.was_listening(context, since, context.now):
        return True
    is_old = context.now - since > _AGAIN_S
    return is_old and presence.uplink_is_suspect(context, device, since)


def _is_nearly_empty(context: WatchContext, tank: TankState) -> bool:
    """Whether what is poured in would be drawn before a reading shows it."""
    row = context.tank_row(tank.tank)
    level_l = tank.settling.smooth_l
    return row is None or level_l is None or level_l < row.capacity_l * row.critical_pct / 100


def _was_filled(tank: TankState, row: Tank, opened: float) -> bool:
    """Whether water came about the time of the opening, or since, be it a can or two."""
    refill_at = tank.flow.refill_at
    if refill_at is not None and refill_at >= opened - _LID_S:
        return True
    if tank.episode is not None and tank.episode.water_rose:
        return True
    before = [litres for at, litres in tank.flow.recent if at <= opened + _SETTLE_S][-2:]
    after = [litres for at, litres in tank.flow.recent if at > opened + _SETTLE_S]
    if not before or len(after) < _LEAST_AFTER:
        return False
    sigma = scatter.sigma_l(tank.settling.noise, tank.level.sd_l or 0.0, row.capacity_l)
    highest = max((a + b) / 2 for a, b in pairwise(after))
    least = max(_RISE_SIGMAS * sigma, _RISE_PART * row.capacity_l)
    return highest - sum(before) / len(before) > least
