"""What an episode of handling says: each piece of evidence as a named term.

Weights are natural log-odds. How far each pushes is a judgement; the stories in
tests/unit/test_watch_removal.py hold them together.
"""

from math import log

from gateway.domain.registry import Tank
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, TankState
from gateway.domain.watch.rules import silence
from gateway.domain.watch.tracks import forecast
from gateway.domain.watch.tracks.cause import Term
from gateway.domain.watch.tracks.tamper import Episode, Fall

CONFIRMED_MS = 5000
"""Motion longer than this is confirmed by the node (DESIGN.md, Presence and cause)."""
TILT_DEG = 20
_RECOVERY_S = 60  # a promise this short says that the node was in recovery mode
_KNOCK_S = 900.0


def terms(
    scene: WatchContext, tank: TankState, row: Tank, device: DeviceState, episode: Episode
) -> list[Term]:
    """Every term of an episode, in the order in which a person would be told them."""
    found: list[Term] = []
    if episode.motion_ms:
        found.append(_motion(episode))
    if episode.tilt_deg:
        found.append(_tilt(episode))
    if episode.lid_at is not None:
        found.append(_lid(scene, episode))
    if episode.fall:
        found += _falling(scene, tank, row, episode.fall)
    elif (episode.motion_ms or episode.tilt_deg) and _is_steady(tank, episode):
        found.append(Term("level_steady", "measured", {"drained": -1.5, "slashed": -2.0}))
    if episode.silent_since is not None:
        found += _silent(scene, device, episode)
    elif episode.calm:
        found.append(_spoke(episode))
    return found + _planned(scene, tank.tank, episode) + _witnessed(episode)


def _motion(episode: Episode) -> Term:
    """5 s of motion say little, 30 s a lot, minutes more."""
    strength = min(max(log(episode.motion_ms / 2500) / log(12), 0.2), 1.6)
    towards = {
        "seized": 1.8, "moved_by_us": 1.5, "slashed": 0.6, "drained": 0.5,
        "battery": -1.0, "network_out": -1.5, "sensor_fault": -0.7,
    }  # fmt: skip
    values = {"duration_s": round(episode.motion_ms / 1000, 1), "peak_mg": episode.motion_mg}
    return Term("motion", "measured", {v: w * strength for v, w in towards.items()}, values)


def _tilt(episode: Episode) -> Term:
    towards = {
        "seized": 1.6, "moved_by_us": 1.4, "slashed": -0.8, "drained": 0.2,
        "battery": -1.5, "network_out": -1.5, "sensor_fault": -0.7,
    }  # fmt: skip
    return Term("tilt", "measured", towards, {"tilt_deg": episode.tilt_deg})


def _lid(scene: WatchContext, episode: Episode) -> Term:
    assert episode.lid_at is not None
    towards = {"lid_open": 4.5 if episode.lid_stayed else 1.0}
    return Term("lid", "measured", towards, {"open_s": max(scene.now - episode.lid_at, 0.0)})


def _is_steady(tank: TankState, episode: Episode) -> bool:
    return tank.level.at is not None and tank.level.at > episode.at


def _falling(scene: WatchContext, tank: TankState, row: Tank, fall: Fall) -> list[Term]:
    found = [_rate(row, fall), _size(row, fall)]
    beyond = _beyond_use(scene, tank, row, fall)
    if beyond is not None:
        found.append(beyond)
    if fall.emptied:
        towards = {"drained": 1.5, "slashed": -1.5}
        found.append(Term("emptied", "measured", towards, {"left_l": fall.to_l}))
    elif fall.plateau:
        towards = {"slashed": 2.5, "drained": -1.5}
        found.append(Term("plateau", "measured", towards, {"left_l": fall.to_l}))
    if 0 <= fall.until - tank.knock_at <= _KNOCK_S:
        found.append(Term("knock", "measured", {"slashed": 0.8, "drained": 0.4}))
    return found


def _rate(row: Tank, fall: Fall) -> Term:
    """Against *all taps open*: below it people may be drawing, above it they cannot."""
    ratio = fall.taps_ratio
    least = -1.5 if fall.single_step else -4.0
    weight = min(max(4.0 * log(max(ratio, 0.01)) / log(2) + 0.7, least), 4.5)
    values = {
        "rate_lpm": round(fall.lpm, 1),
        "times_all_taps": round(ratio, 2),
        "taps": row.taps,
        "fall_l": round(fall.from_l - fall.to_l, 1),
    }
    towards = {"drained": weight, "slashed": weight, "sensor_fault": min(weight, 0.5)}
    return Term("fall_rate", "measured", towards, values)


def _size(row: Tank, fall: Fall) -> Term:
    """Who drains or slashes a tank does not stop at a few cans."""
    part = (fall.from_l - fall.to_l) / row.capacity_l
    weight = min(max(6.0 * (part - 0.35), -1.5), 1.0)
    towards = {"drained": weight, "slashed": weight}
    return Term("fall_size", "measured", towards, {"pct": round(100 * part, 1)})


def _beyond_use(scene: WatchContext, tank: TankState, row: Tank, fall: Fall) -> Term | None:
    """Against the most that this tank lost in any hour of the days known."""
    most = forecast.largest_hour_l(scene.profile(tank.tank).profile)
    if most is None:
        return None
    ratio = (fall.from_l - fall.to_l) / max(most, 0.05 * row.capacity_l)
    weight = min(max(3.0 * log(max(ratio, 0.1)), -4.0), 3.5)
    values = {"fall_l": round(fall.from_l - fall.to_l, 1), "most_in_an_hour_l": round(most, 1)}
    return Term("beyond_use", "inferred", {"drained": weight, "slashed": weight}, values)


def _silent(scene: WatchContext, device: DeviceState, episode: Episode) -> list[Term]:
    """A promise broken right after handling, and what else explains a silence."""
    strong = 0 < episode.promised_s <= _RECOVERY_S
    seized = 0.6 if episode.calm else 2.0 if strong else 1.3
    towards = {
        "seized": seized, "moved_by_us": 0.3, "drained": -0.5, "slashed": -1.0,
        "battery": 0.5, "network_out": 0.5,
    }  # fmt: skip
    values = {"last_word_at": episode.silent_since, "promised_s": episode.promised_s}
    found = [Term("silence_after_handling", "measured", towards, values)]
    return found + [t for t in silence.terms(scene, device) if t.name != "silence"]


def _spoke(episode: Episode) -> Term:
    towards = {"seized": -1.8, "moved_by_us": -0.8, "battery": -3.0, "network_out": -3.0}
    still = episode.still_at is not None and episode.still_at >= episode.last_at
    values = {"still": still, "at": episode.spoke_at}
    return Term("speaks_again", "measured", towards, values)


def _planned(scene: WatchContext, tank: str, episode: Episode) -> list[Term]:
    kinds = {plan.kind for plan in scene.registry.plans_at(tank, episode.at)}
    found: list[Term] = []
    if "move" in kinds:
        towards = {"moved_by_us": 7.0, "drained": -2.0, "slashed": -2.0}
        found.append(Term("planned_move", "inferred", towards))
    elif episode.motion_ms or episode.tilt_deg:
        towards = {"moved_by_us": -0.8, "seized": 0.2}
        found.append(Term("no_move_planned", "inferred", towards))
    if "cleaning" in kinds:
        towards = {"drained": -6.0, "slashed": -4.0, "lid_open": -6.0, "seized": -3.0}
        found.append(Term("planned_cleaning", "inferred", towards))
    if "eviction_risk" in kinds:
        found.append(Term("eviction_risk", "inferred", {"seized": 1.0, "slashed": 0.5}))
    return found


def _witnessed(episode: Episode) -> list[Term]:
    if episode.witnessed == "moved_by_us":
        return [Term("said_moved_by_us", "witnessed", {"moved_by_us": 10.0})]
    if episode.witnessed == "seen_there":
        return [Term("seen_there", "witnessed", {"seized": -8.0, "moved_by_us": -3.0})]
    return []
