"""Low, critical, empty: one incident from the first to the refill."""

from math import erf, sqrt

from gateway.domain.outputs import WATER_KINDS, Because, IncidentKind
from gateway.domain.registry import Tank
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, Incident, TankState
from gateway.domain.watch.rules import presence, removal
from gateway.domain.watch.tracks import flow
from gateway.domain.watch.tracks.cause import certain
from gateway.domain.watch.tracks.level import LevelTrack, limits_l

FAMILY = "water"
QUIET = ("move", "cleaning")


def decide(
    scene: WatchContext, tank: TankState, row: Tank, device: DeviceState, live: bool
) -> None:
    """Open, update or close the water incident after a tank's readings of one message.

    ``live`` is false for backlog: it fills the level but never raises an alert.
    """
    incident = incidents.find(scene, FAMILY, tank.tank)
    kind = worst(tank.level)
    if kind is None:
        tank.held, tank.muted = False, ""
        if incident is not None and tank.flow.rise is None:
            _close(scene, incident, tank)
        return
    if _is_milder(kind, incident):
        if tank.flow.rise is None:
            _report(scene, tank, row, kind, device, alert=False)
    elif not live or _must_wait(scene, tank.tank):
        tank.held = True
    elif not tank.muted or WATER_KINDS.index(kind) > WATER_KINDS.index(tank.muted):
        tank.held, tank.muted = False, ""
        _report(scene, tank, row, kind, device, alert=True)


def release(scene: WatchContext, tank: TankState) -> None:
    """Decide again what had to wait: the queue has drained, or a quiet window has ended."""
    row, device = scene.tank_row(tank.tank), scene.source(tank)
    if tank.held and row is not None and device is not None and device.presence != "silent":
        decide(scene, scene.tank(tank.tank), row, device, live=True)


def worst(track: LevelTrack) -> IncidentKind | None:
    """The worst threshold that the level has passed for certain."""
    for kind in reversed(WATER_KINDS):
        if kind in track.latched:
            return kind
    return None


def _is_milder(kind: str, incident: Incident | None) -> bool:
    return incident is not None and WATER_KINDS.index(kind) < WATER_KINDS.index(incident.kind)


def _must_wait(scene: WatchContext, tank: str) -> bool:
    """The queue has not drained, a quiet window is on, or the tank is moved, aslant or emptied."""
    if not presence.is_judging(scene.ears) or removal.is_handled(scene, tank):
        return True
    if scene.tank(tank).aslant is not None:
        return True
    return _is_quiet(scene, tank)


def _is_quiet(scene: WatchContext, tank: str) -> bool:
    if not scene.planned(tank, scene.now, *QUIET):
        return False
    ends = [p.end for p in scene.registry.plans_at(tank, scene.now) if p.kind in QUIET]
    scene.set_timer(f"tank:{tank}", "plan", max(ends) + 1.0)
    return True


def _report(
    scene: WatchContext,
    tank: TankState,
    row: Tank,
    kind: IncidentKind,
    device: DeviceState,
    alert: bool,
) -> None:
    track = tank.level
    at = track.since if track.since is not None else scene.now
    incidents.report(
        scene, FAMILY, tank.tank, at=at, kind=kind, probability=_certainty(track, row, kind),
        causes=certain(), because=(_because(track, row, kind),), auth=device.auth,
        tank=tank.tank, alert=alert, figures=_figures(tank, row, kind, at),
    )  # fmt: skip


def _limit_l(track: LevelTrack, row: Tank, kind: str) -> float:
    return dict(limits_l(row, track.sd_l or 0.0))[kind]


def _certainty(track: LevelTrack, row: Tank, kind: str) -> float:
    """Probability that the level is below the threshold: normal error around two readings."""
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
        "volume_l": litres,
        "sd_l": tank.level.sd_l,
        "pct": round(100 * litres / row.capacity_l, 1),
        "trend_lph": flow.trend_lph(tank.flow),
    }
    for name, span in (("low", tank.low_at), ("empty", tank.empty_at)):
        if span:
            figures |= {f"{name}_at": span[0], f"{name}_lo": span[1], f"{name}_hi": span[2]}
    return {**figures, "empty_since": at} if kind == "empty" else figures


def _close(scene: WatchContext, incident: Incident, tank: TankState) -> None:
    """There is water again: the one close that people are told of."""
    figures: dict[str, float | None] = {
        "volume_l": tank.level.volume_l,
        "refill_l": tank.flow.refill_l,
        "refill_at": tank.flow.refill_at,
    }
    since = incident.figures.get("empty_since")
    if isinstance(since, float) and tank.level.at is not None:
        figures["dry_s"] = max((tank.flow.refill_at or tank.level.at) - since, 0.0)
    incidents.close(scene, incident, why="refilled", alert=bool(incident.told), figures=figures)
