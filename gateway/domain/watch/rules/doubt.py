"""A sensor in doubt: a level that fell suddenly, though nobody handled the tank.

Refills and draws are kept back until the sensor is trusted again, or dropped when it is sick.
"""

from typing import cast

from gateway.domain.entry import JSON
from gateway.domain.outputs import EventKind, TankEvent
from gateway.domain.registry import Tank
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import Doubt, TankState
from gateway.domain.watch.tracks import delivery
from gateway.domain.watch.tracks.profile import largest_hour_l

_SUDDEN_PART, _SUDDEN_S, _RECOVERY_S = 0.25, 1200.0, 300.0
_USE_RATIO = 1.5  # times the largest draw in an hour: a larger fall is beyond use
_SUDDEN_READINGS = 5  # of which some may have scattered too much to be believed
_DOUBT_S, _SICK_STEPS, _SICK_TANKS, _SICK_SHARE = 86_400.0, 3, 3.0, 0.5
_Saved = tuple[float, float, str, EventKind, float | None, float | None, float | None]


def note_step(context: WatchContext, tank: TankState, row: Tank) -> None:
    """Begin to doubt the sensor at a sudden fall that nobody can have caused by drawing.

    Three sudden changes within a day, or ups and downs of three whole tanks, are no water.
    """
    levels, times = tank.flow.recent_l, tank.flow.recent_at
    if len(levels) < 3 or row.kind == "station":
        return
    step_l = levels[-1] - levels[-2]
    doubt, least_l = tank.doubt, _SUDDEN_PART * row.capacity_l
    if doubt is not None:
        doubt.moved_l += abs(step_l)
        if step_l >= least_l or -step_l >= max(least_l, _USE_RATIO * doubt.most_l):
            doubt.steps, doubt.until = doubt.steps + 1, times[-1] + _DOUBT_S
        if doubt.steps >= _SICK_STEPS or doubt.moved_l >= _SICK_TANKS * row.capacity_l:
            tank.settling.noise.bad_share = _SICK_SHARE
        return
    if -step_l < least_l:
        return  # the usual case
    most_l = largest_hour_l(context.profile(tank.tank).profile) or 0.0
    if -step_l < _USE_RATIO * most_l:
        return  # people may have drawn it
    step_s = times[-1] - times[-2]
    if step_s > _SUDDEN_READINGS * _SUDDEN_S:
        return
    is_seldom = times[-2] - times[-3] > _SUDDEN_S  # too seldom to call a change sudden
    plans = context.registry.plans_during(tank.tank, times[-2], times[-1])
    is_handled = _is_handled(tank) or any(plan.kind != "eviction_risk" for plan in plans)
    if not is_seldom and step_s > _RECOVERY_S and not is_handled:
        context.outputs += delivery.release(tank.flow)
        begin(tank, times[-1], most_l)


def begin(tank: TankState, at: float, most_l: float) -> None:
    """Doubt the sensor from ``at`` (Unix s) on; the account can go back to what is booked now.

    ``most_l``: the largest draw in one hour so far.
    """
    account = tank.flow
    tank.doubt = Doubt(at + _DOUBT_S, account.booked_l, account.booked_at, account.drawn_l, most_l)


def keep(doubt: Doubt, events: list[TankEvent]) -> None:
    """Keep events back."""
    for event in events:
        kept: list[JSON] = [event.at, event.until, event.tank, event.kind]
        doubt.events.append([*kept, event.litres, event.least_l, event.most_l])


def end(tank: TankState) -> list[TankEvent]:
    """Trust the sensor again; returns the events that were kept back."""
    doubt, tank.doubt = tank.doubt, None
    return [TankEvent(*cast(_Saved, tuple(kept))) for kept in doubt.events] if doubt else []


def drop(tank: TankState) -> None:
    """The sensor is sick: nothing of what was kept back happened."""
    doubt, tank.doubt = tank.doubt, None
    if doubt is not None:
        tank.flow.booked_l, tank.flow.booked_at = doubt.booked_l, doubt.booked_at
        tank.flow.drawn_l = doubt.drawn_l
        tank.flow.held = []


def _is_handled(tank: TankState) -> bool:
    episode = tank.episode
    return episode is not None and (episode.motion_ms > 0 or episode.tilt_deg > 0)
