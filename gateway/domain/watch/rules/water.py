"""Low, critical, empty: one incident from the first of them to the refill."""

from math import erf, sqrt

from gateway.domain.outputs import WATER_KINDS, Because, IncidentKind
from gateway.domain.registry import Tank
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, Incident, TankState
from gateway.domain.watch.rules import removal
from gateway.domain.watch.tracks import flow
from gateway.domain.watch.tracks.cause import certain
from gateway.domain.watch.tracks.level import LevelTrack, limits_l

FAMILY = "water"
_QUIET_PLANS = ("move", "cleaning")


def decide(
    context: WatchContext, tank: TankState, row: Tank, device: DeviceState, live: bool
) -> None:
    """Open, update or close the water incident after a tank's readings of one message.

    ``live`` is false for backlog, which updates the level but raises no alert.
    """
    incident = context.open_incident(FAMILY, tank.tank)
    kind = worst_kind(tank.level)
    if kind is None:
        tank.alert_waits, tank.muted = False, ""
        if incident is not None and tank.flow.rise is None and tank.gap is None:
            _close(context, incident, tank)
        return
    if _is_milder(kind, incident):
        if tank.flow.rise is None:
            _report(context, tank, row, kind, device, alert=False)
    elif not live or _must_wait(context, tank):
        tank.alert_waits = True
    elif not tank.muted or WATER_KINDS.index(kind) > WATER_KINDS.index(tank.muted):
        tank.alert_waits, tank.muted = False, ""
        _report(context, tank, row, kind, device, alert=True)


def decide_waiting(context: WatchContext, tank: TankState) -> None:
    """Decide an alert that waited, after the queue has drained or a quiet window has ended."""
    row, device = context.tank_row(tank.tank), context.source(tank)
    if tank.alert_waits and row is not None and device is not None and device.presence != "silent":
        context.touch(tank)
        decide(context, tank, row, device, live=True)


def worst_kind(track: LevelTrack) -> IncidentKind | None:
    """The worst threshold that the level is below."""
    if not track.latched:  # the usual case, on the path of every reading
        return None
    return next(kind for kind in reversed(WATER_KINDS) if kind in track.latched)


def _is_milder(kind: str, incident: Incident | None) -> bool:
    return incident is not None and WATER_KINDS.index(kind) < WATER_KINDS.index(incident.kind)


def _must_wait(context: WatchContext, tank: TankState) -> bool:
    """Whether the broker's queue, a quiet window, handling, tilt or a loss delays the alert."""
    if not context.listening.is_judging or removal.is_disturbed(context, tank):
        return True
    return tank.tilted is not None or _in_quiet_window(context, tank)


def _in_quiet_window(context: WatchContext, tank: TankState) -> bool:
    plans = context.registry.plans_at(tank.tank, context.now)
    ends = [plan.end for plan in plans if plan.kind in _QUIET_PLANS]
    if ends:
        context.set_timer(tank, "plan", max(ends) + 1.0)
    return bool(ends)


def _report(
    context: WatchContext, tank: TankState, row: Tank, kind: IncidentKind, device: DeviceState,
    alert: bool,
) -> None:  # fmt: skip
    track, open_one = tank.level, context.open_incident(FAMILY, tank.tank)
    if open_one is not None and open_one.kind == kind:
        return  # pages show the level itself
    at = track.since if track.since is not None else context.now
    incidents.report(
        context, FAMILY, tank.tank, at=at, kind=kind, probability=_certainty(track, row, kind),
        causes=certain(), because=(_because(track, row, kind),), auth=device.auth,
        tank=tank.tank, alert=alert, figures=_figures(tank, row, kind, at),
    )  # fmt: skip


def _limit_l(track: LevelTrack, row: Tank, kind: str) -> float:
    return dict(limits_l(row, track.sd_l or 0.0))[kind]


def _certainty(track: LevelTrack, row: Tank, kind: str) -> float:
    """Probability that the level is below the threshold: normal error of two readings' mean."""
    sd = max(track.sd_l or 0.0, 0.1) / sqrt(2)
    z = (_limit_l(track, row, kind) - (track.volume_l or 0.0)) / sd
    return round(min(max(0.5 * (1 + erf(z / sqrt(2))), 0.5), 0.999), 3)


def _because(track: LevelTrack, row: Tank, kind: str) -> Because:
    litres, sd = track.volume_l or 0.0, max(track.sd_l or 0.0, 0.1)
    below = _limit_l(track, row, kind) - litres
    values = {"volume_l": litres, "sd_l": sd, "threshold_l": round(litres + below, 1)}
    return Because("level", round(min(max(below / sd, 0.0), 9.0), 3), "measured", values)


def _figures(tank: TankState, row: Tank, kind: str, at: float) -> dict[str, float | None]:
    litres = tank.level.volume_l or 0.0
    figures = {
        "volume_l": litres, "sd_l": tank.level.sd_l,
        "pct": round(100 * litres / row.capacity_l, 1), "trend_lph": flow.trend_lph(tank.flow),
    }  # fmt: skip
    for name, span in (("low", tank.low_at), ("empty", tank.empty_at)):
        if span:
            figures |= {f"{name}_at": span[0], f"{name}_lo": span[1], f"{name}_hi": span[2]}
    return {**figures, "empty_since": at} if kind == "empty" else figures


def _close(context: WatchContext, incident: Incident, tank: TankState) -> None:
    """Close after a refill: the only close that sends an alert."""
    figures: dict[str, float | None] = {
        "volume_l": tank.level.volume_l,
        "refill_l": tank.flow.refill_l,
        "refill_at": tank.flow.refill_at,
    }
    since = incident.figures.get("empty_since")
    if isinstance(since, float) and tank.level.at is not None:
        figures["dry_s"] = max((tank.flow.refill_at or tank.level.at) - since, 0.0)
    incidents.close(
        context, incident, why="refilled", alert=bool(incident.alerted_kinds), figures=figures
    )
