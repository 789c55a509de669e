"""The evidence of an episode of handling, as named terms with their log-odds.

``towards["theft"]`` is the logarithm of how much more often the figure is seen in thefts than
in ordinary life; the other entries decide which kind (``tracks/cause.py``).
"""

from gateway.domain.geometry import Curve
from gateway.domain.registry import Tank
from gateway.domain.volume import RANGE_MM
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, TankState
from gateway.domain.watch.rules import silence
from gateway.domain.watch.tracks.cause import Term
from gateway.domain.watch.tracks.tamper import Episode, Fall

CONFIRMED_MS = 5000
"""The node confirms motion longer than this; one bump is shorter."""
CARRIED_MS, CARRIED_MG = 10_000, 350
"""Motion this long and strong is a tank being carried; wind and hands shake it less."""
TILT_DEG = 20
_RECOVERY_S = 60  # a node promises so short a time only in recovery mode
_KNOCK_S = 900.0
_NEAR_S = 1800.0
_NEIGHBOUR_PART, _NEIGHBOUR_OWN_PART = 0.05, 0.3
_PLAN_MARGIN_S = 900.0
_COARSE_S, _UNSEEN = 300.0, 1.6
_BLIND_MM, _BLIND_MARGIN_MM = 100, 60
_CUT_SLOWING, _VALVE_LPM = 0.7, 150.0
_SOON_S, _LONG_S = 3600.0, 3 * 3600.0


def terms(
    context: WatchContext, tank: TankState, row: Tank, device: DeviceState, episode: Episode
) -> list[Term]:
    """Every term of an episode, in the order for a reader."""
    found: list[Term] = []
    if episode.motion_ms:
        found.append(_motion(episode))
    if episode.tilt_deg:
        theft = 2.0 if is_carried(episode) else 4.5  # who carries a tank tilts it
        towards = {"theft": theft, "seized": 3.0, "lid_open": -2.0, "slashed": -1.0}
        found.append(Term("tilt", "measured", towards, {"tilt_deg": episode.tilt_deg}))
    if episode.lid_at is not None:
        found.append(_lid(context, episode))
    if episode.fall:
        found += _fall(context, tank, row, episode, episode.fall)
        found += _blind_zone(device, context, row, episode.fall)
    elif (episode.motion_ms or episode.tilt_deg) and _is_steady(tank, episode):
        found.append(Term("level_steady", "measured", {"drained": -3.0, "slashed": -3.0}))
    if episode.silent_since is not None:
        found += _silent(context, device, episode)
    elif episode.has_resumed:
        found.append(_resumed(context, tank, episode))
    return found + _planned(context, tank.tank, episode) + _operator_action(episode)


def is_carried(episode: Episode) -> bool:
    """Whether the tank was carried: moved for ten seconds and more, harder than wind moves it."""
    return episode.strong_ms >= CARRIED_MS


def _motion(episode: Episode) -> Term:
    values = {"duration_s": round(episode.motion_ms / 1000, 1), "peak_mg": episode.motion_mg}
    towards = {"theft": 2.5, "seized": 0.5, "moved_by_us": 1.5, "lid_open": -1.0}
    if is_carried(episode):
        towards = {"theft": 6.0, "seized": 2.5, "moved_by_us": 2.5, "lid_open": -2.0}
    elif episode.motion_mg < CARRIED_MG:
        towards["theft"] = 1.0
    return Term("motion", "measured", towards, values)


def _lid(context: WatchContext, episode: Episode) -> Term:
    assert episode.lid_at is not None
    towards = {"lid_open": 1.0}
    if episode.lid_stayed:
        towards = {"theft": 7.5, "lid_open": 5.0}
    return Term("lid", "measured", towards, {"open_s": max(context.now - episode.lid_at, 0.0)})


def _is_steady(tank: TankState, episode: Episode) -> bool:
    return tank.level.at is not None and tank.level.at > episode.at


def _fall(
    context: WatchContext, tank: TankState, row: Tank, episode: Episode, fall: Fall
) -> list[Term]:
    found = [_rate(row, fall), _size(row, fall), _beyond_use(fall)]
    if fall.emptied:
        towards = {"theft": 0.8, "drained": 2.5, "slashed": -1.5}
        found.append(Term("emptied", "measured", towards, {"left_l": fall.to_l}))
    elif fall.plateau and fall.single_step and not _is_noticed(tank, episode, fall):
        towards = {"theft": -4.0, "sensor_fault": 3.0}
        found.append(Term("sudden_plateau", "measured", towards, {"left_l": fall.to_l}))
    elif fall.plateau:
        towards = {"theft": 0.5 if fall.decays else -0.3, "slashed": 3.0, "drained": -1.0}
        found.append(Term("plateau", "measured", towards, {"left_l": fall.to_l}))
    if 0 <= fall.until - tank.knock_at <= _KNOCK_S + fall.until - fall.at:
        found.append(Term("knock", "measured", {"theft": 1.2}))
    found += _neighbours(fall)
    return found


def _blind_zone(device: DeviceState, context: WatchContext, row: Tank, fall: Fall) -> list[Term]:
    """A sensor that is too close to the water reports far: a tank that is filled reads as empty."""
    sensor = context.registry.device(device.device)
    height_mm = row.sensor_height_mm
    if sensor is None or height_mm is None or sensor.sensor not in RANGE_MM:
        return []
    nearest_mm, curve = RANGE_MM[sensor.sensor][0], Curve(row)
    margin_mm = nearest_mm + _BLIND_MARGIN_MM
    if nearest_mm < _BLIND_MM or height_mm - curve.top_mm > margin_mm:
        return []
    if height_mm - curve.level_mm(fall.from_l) <= margin_mm:
        return [Term("blind_zone", "inferred", {"theft": -5.0, "sensor_fault": 3.0})]
    if fall.single_step and fall.step_s > _COARSE_S:  # it may have been filled between the two
        return [Term("blind_zone", "inferred", {"theft": -3.5, "sensor_fault": 2.0})]
    return []


def _is_noticed(tank: TankState, episode: Episode, fall: Fall) -> bool:
    """Whether the node was handled about the time of a fall: a sensor that jumps is not."""
    knocked = tank.knock_at and fall.at - _KNOCK_S <= tank.knock_at <= fall.until + _KNOCK_S
    return bool(knocked) or episode.motion_ms > 0 or episode.tilt_deg > 0


def _rate(row: Tank, fall: Fall) -> Term:
    """The rate relative to all taps open: people can draw no faster than that."""
    ratio = fall.taps_ratio
    if fall.step_s > _COARSE_S:
        ratio *= _UNSEEN  # the mean between two readings, which it was not all the time
    sure = 6.5 if fall.step_s <= _COARSE_S else 4.5  # seen to be faster than taps can
    bands = ((1.5, sure), (1.3, 4.5), (0.9, 4.0), (0.6, 1.2), (0.35, 0.3))
    weight = next((w for least, w in bands if ratio >= least), -1.0)
    values = {
        "rate_lpm": round(fall.lpm, 1), "times_all_taps": round(fall.taps_ratio, 2),
        "taps": row.taps, "fall_l": round(fall.from_l - fall.to_l, 1),
    }  # fmt: skip
    towards = {"theft": weight, "drained": 2.0, "slashed": 2.0} | _which(fall)
    return Term("fall_rate", "measured", towards, values)


def _which(fall: Fall) -> dict[str, float]:
    """A valve at the bottom or a cut: a cut slows more, and seldom lets as much through."""
    if fall.slowing is not None and fall.slowing < _CUT_SLOWING:
        return {"drained": 1.0, "slashed": 3.0}
    if fall.slowing is not None or fall.lpm > _VALVE_LPM:
        return {"drained": 3.0, "slashed": 2.0}
    return {}


def _size(row: Tank, fall: Fall) -> Term:
    """A drained or slashed tank loses more than a few cans."""
    part = (fall.from_l - fall.to_l) / row.capacity_l
    weight = 2.0 if part >= 0.5 else 1.3 if part >= 0.35 else 0.0 if part >= 0.2 else -2.5
    return Term("fall_size", "measured", {"theft": weight}, {"pct": round(100 * part, 1)})


def _beyond_use(fall: Fall) -> Term:
    """The loss relative to the largest draw in one hour of this tank's profile."""
    if fall.use_ratio is None:
        return Term("use_unknown", "inferred", {"theft": -1.0})
    bands = ((2.5, 2.4), (1.5, 1.0))
    weight = next((w for least, w in bands if fall.use_ratio >= least), -0.3)
    values = {
        "fall_l": round(fall.from_l - fall.to_l, 1),
        "times_most_in_an_hour": round(fall.use_ratio, 2),
    }
    return Term("beyond_use", "inferred", {"theft": weight}, values)


def count_neighbours(context: WatchContext, tank: TankState, row: Tank, fall: Fall) -> None:
    """Count the tanks of the site that fall too, while their samples of that time are known."""
    falling = steady = 0
    own = (fall.from_l - fall.to_l) / row.capacity_l
    for other, other_row in context.site_tanks(row):
        fallen = _fallen(other, fall.at - _NEAR_S, fall.until + _NEAR_S)
        if other.tank == tank.tank or fallen is None or other.health.faulty:
            continue
        least = max(_NEIGHBOUR_PART, _NEIGHBOUR_OWN_PART * own) * other_row.capacity_l
        falling += fallen >= least
        steady += fallen < least
    fall.neighbours_fell = max(fall.neighbours_fell, falling)
    fall.neighbours_steady = steady


def _neighbours(fall: Fall) -> list[Term]:
    """Tanks of the same site that fall together are being used; through taps, not holes."""
    if fall.neighbours_fell:
        towards = {"theft": -4.0 if fall.taps_ratio < 1.5 else -0.5}
        values = {"tanks": fall.neighbours_fell}
        return [Term("neighbours_fall", "measured", towards, values)]
    if fall.neighbours_steady:
        values = {"tanks": fall.neighbours_steady}
        return [Term("neighbours_steady", "measured", {"theft": 0.0}, values)]
    return []


def _fallen(tank: TankState, start: float, end: float) -> float | None:
    """By how much a tank fell between two times, in litres; None when it sent nothing."""
    within = [litres for at, litres in tank.flow.recent if start <= at <= end]
    return max(within) - min(within) if len(within) > 1 and within[-1] < within[0] else (
        0.0 if len(within) > 1 else None
    )  # fmt: skip


def _silent(context: WatchContext, device: DeviceState, episode: Episode) -> list[Term]:
    """A promise broken right after handling, and the other terms of a silence."""
    strong = 0 < episode.promised_s <= _RECOVERY_S
    towards = {
        "theft": 0.5 if episode.has_resumed else 2.5 if strong else 1.5, "seized": 3.0,
        "battery": 0.5, "network_out": 0.5,
    }  # fmt: skip
    values = {"last_word_at": episode.silent_since, "promised_s": episode.promised_s}
    found = [Term("silence_after_handling", "measured", towards, values)]
    others = [t for t in silence.terms(context, device) if t.name != "silence"]
    return found + [_against_theft(t) for t in others]


def _against_theft(term: Term) -> Term:
    """A harmless reason for a silence also speaks against theft, by half its weight."""
    harmless = max(
        (w for v, w in term.towards.items() if v in ("battery", "network_out")), default=0
    )
    towards = {**term.towards, "theft": term.towards.get("theft", 0.0) - 0.5 * harmless}
    return Term(term.name, term.basis, towards, term.values)


def _resumed(context: WatchContext, tank: TankState, episode: Episode) -> Term:
    """A tank that was carried off does not report its level from where it stood."""
    assert episode.resumed_at is not None
    since_s = context.now - episode.last_at
    is_here = tank.tilted is None and _is_steady(tank, episode)
    theft = -1.0
    if episode.fall is not None or episode.lid_stayed:
        theft = 0.0  # a node on a slashed tank goes on
    elif is_here and since_s >= _LONG_S:
        theft = -7.0
    elif since_s >= _SOON_S:
        theft = -2.5
    towards = {"theft": theft, "seized": -2.0, "battery": -3.0, "network_out": -3.0}
    still = episode.still_at is not None and episode.still_at >= episode.last_at
    return Term("speaks_again", "measured", towards, {"still": still, "at": episode.resumed_at})


def _planned(context: WatchContext, tank: str, episode: Episode) -> list[Term]:
    start, end = episode.at - _PLAN_MARGIN_S, episode.last_at + _PLAN_MARGIN_S
    kinds = {plan.kind for plan in context.registry.plans_during(tank, start, end)}
    found: list[Term] = []
    if "move" in kinds:
        towards = {"theft": -20.0, "moved_by_us": 7.0}
        found.append(Term("planned_move", "inferred", towards))
    elif episode.motion_ms or episode.tilt_deg:
        found.append(Term("no_move_planned", "inferred", {"moved_by_us": -0.8}))
    if "cleaning" in kinds:
        towards = {"theft": -20.0, "moved_by_us": 3.0}
        found.append(Term("planned_cleaning", "inferred", towards))
    if "eviction_risk" in kinds:
        found.append(Term("eviction_risk", "inferred", {"theft": 1.0, "seized": 0.3}))
    return found


def _operator_action(episode: Episode) -> list[Term]:
    if episode.operator_action == "moved_by_us":
        return [Term("said_moved_by_us", "witnessed", {"theft": -12.0, "moved_by_us": 10.0})]
    if episode.operator_action == "seen_there":
        return [Term("seen_there", "witnessed", {"theft": -14.0, "seized": -8.0})]
    return []
