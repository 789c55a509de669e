"""An open lid: people fill the tank, wait for water or look inside; or it was taken off.

How long it may be open before that means something, what must be known before it is judged, and
what the judgement counts as.
"""

from itertools import pairwise

from gateway.domain.local_time import hour_of_week
from gateway.domain.registry import Tank
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, TankState
from gateway.domain.watch.rules import presence
from gateway.domain.watch.tracks import health
from gateway.domain.watch.tracks import noise as scatter
from gateway.domain.watch.tracks.tamper import Episode

OPEN_S = 3600.0
_OPEN_BY_DAY_S = 2 * 3600.0
"""How long a lid may be open while people wait for water or look inside: by night, by day."""
_DAY = 7, 20
"""Local hours in which volunteers bring water (rounds are daily)."""
AGAIN_S, LONG_S = 600.0, 12 * 3600.0
"""The question is asked again after the first, and for the last time after the second."""
_DRY_S = 6 * 3600.0
"""A nearly empty tank is judged after this: what is poured in may be drawn between two readings,
but not for so long."""
_SETTLE_S, _LEAST_AFTER = 300.0, 2
_RISE_SIGMAS, _RISE_PART = 2.5, 0.006  # of two means of two readings
_CANS_PART = 0.2  # of the capacity: less is brought in cans
_MOVED_S = 600.0  # a lid opened within this of the first motion belongs to it


def patience_s(context: WatchContext, tank: TankState, opened: float) -> float:
    """How long a lid may be open before that means something: by day people wait for water."""
    return _OPEN_BY_DAY_S if _is_by_day(context, tank, opened) else OPEN_S


def _is_by_day(context: WatchContext, tank: TankState, at: float) -> bool:
    row = context.tank_row(tank.tank)
    site = context.registry.site(row.site) if row is not None else None
    zone = site.timezone if site is not None else "UTC"
    return _DAY[0] <= hour_of_week(zone, int(at // 3600)) % 24 < _DAY[1]


def must_wait(context: WatchContext, tank: TankState, device: DeviceState, opened: float) -> bool:
    """Whether nothing can be concluded: water rises, readings are missing, a plan explains it."""
    if tank.flow.rise is not None or tank.health.faulty or tank.settling.waiting:
        return True
    if device.presence != "speaking" or _may_have_missed(context, device):
        return True
    if health.is_doubtful(tank.health) or tank.settling.smooth_l is None:
        return True
    if _is_nearly_empty(context, tank) and context.now - opened < _DRY_S:
        return True
    after = [at for at, _ in tank.flow.recent if at > opened + _SETTLE_S]
    if len(after) < _LEAST_AFTER or after[-1] < opened + OPEN_S / 2:
        return True
    plans = context.registry.plans_during(tank.tank, opened - OPEN_S, context.now)
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
    is_old = context.now - since > AGAIN_S
    return is_old and presence.uplink_is_suspect(context, device, since)


def _is_nearly_empty(context: WatchContext, tank: TankState) -> bool:
    """Whether what is poured in would be drawn before a reading shows it."""
    row, level_l = context.tank_row(tank.tank), tank.settling.smooth_l
    return row is None or level_l is None or level_l < row.capacity_l * row.critical_pct / 100


def was_filled(tank: TankState, row: Tank, opened: float) -> bool:
    """Whether water came about the time of the opening, or since, be it a can or two."""
    refill_at = tank.flow.refill_at
    if refill_at is not None and refill_at >= opened - OPEN_S:
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


def stayed_as(context: WatchContext, tank: TankState, row: Tank, opened: float) -> str:
    """The level of evidence of a lid that stayed open: where water may come in cans, people draw
    one as another is poured, by day; a nearly empty tank hides it too. Neither does for half a day.
    """
    if context.now - opened >= LONG_S:
        return "stayed_long"
    last_l = tank.flow.refill_l
    is_small = last_l is None or last_l < _CANS_PART * row.capacity_l
    if is_small and _is_by_day(context, tank, opened):
        return "stayed_cans"
    return "stayed_dry" if _is_nearly_empty(context, tank) else "stayed"


def level_of(episode: Episode, opened: float) -> str:
    """The level of evidence of a lid that has been open since ``opened``."""
    if episode.lid_stayed:
        return f"lid.{episode.lid_as}"
    began = episode.motion_at
    is_moved = began is not None and abs(opened - began) <= _MOVED_S
    return "lid.moved" if is_moved else "lid.open"
