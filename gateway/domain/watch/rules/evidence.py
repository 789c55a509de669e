"""The evidence of an episode of handling, as named terms.

Weights are natural log-odds. They are judgements, calibrated by the stories in
tests/unit/test_watch_removal.py.
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
"""The node confirms motion longer than this; one bump is shorter."""
TILT_DEG = 20
_RECOVERY_S = 60  # a node promises so short a time only in recovery mode
_KNOCK_S = 900.0


def terms(
    context: WatchContext, tank: TankState, row: Tank, device: DeviceState, episode: Episode
) -> list[Term]:
    """Every term of an episode, in the order for a reader."""
    found: list[Term] = []
    if episode.motion_ms:
        found.append(_motion(episode))
    if episode.tilt_deg:
        found.append(_tilt(episode))
    if episode.lid_at is not None:
        found.append(_lid(context, episode))
    if episode.fall:
        found += _fall(context, tank, row, episode.fall)
    elif (episode.motion_ms or episode.tilt_deg) and _is_steady(tank, episode):
        found.append(Term("level_steady", "measured", {"drained": -1.5, "slashed": -2.0}))
    if episode.silent_since is not None:
        found += _silent(context, device, episode)
    elif episode.has_resumed:
        found.append(_resumed(episode))
    return found + _planned(context, tank.tank, episode) + _operator_action(episode)


def _motion(episode: Episode) -> Term:
    """The weight grows with the logarithm of the duration: little at 5 s, much at 30 s."""
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


def _lid(context: WatchContext, episode: Episode) -> Term:
    assert episode.lid_at is not None
    towards = {"lid_open": 4.5 if episode.lid_stayed else 1.0}
    return Term("lid", "measured", towards, {"open_s": max(context.now - episode.lid_at, 0.0)})


def _is_steady(tank: TankState, episode: Episode) -> bool:
    return tank.level.at is not None and tank.level.at > episode.at


def _fall(context: WatchContext, tank: TankState, row: Tank, fall: Fall) -> list[Term]:
    found = [_rate(row, fall), _size(row, fall)]
    beyond = _beyond_use(context, tank, row, fall)
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
    """The rate relative to all taps open: people can draw no faster than that."""
    ratio = fall.taps_ratio
    least = -1.5 if fall.single_step else -4.0
    weight = min(max(4.0 * log(max(ratio, 0.01)) / log(2) + 0.7, least), 4.5)
    values = {
        "rate_lpm": round(fall.lpm, 1), "times_all_taps": round(ratio, 2), "taps": row.taps,
        "fall_l": round(fall.from_l - fall.to_l, 1),
    }  # fmt: skip
    towards = {"drained": weight, "slashed": weight, "sensor_fault": min(weight, 0.5)}
    return Term("fall_rate", "measured", towards, values)


def _size(row: Tank, fall: Fall) -> Term:
    """A drained or slashed tank loses more than a few cans."""
    part = (fall.from_l - fall.to_l) / row.capacity_l
    weight = min(max(6.0 * (part - 0.35), -1.5), 1.0)
    towards = {"drained": weight, "slashed": weight}
    return Term("fall_size", "measured", towards, {"pct": round(100 * part, 1)})


def _beyond_use(context: WatchContext, tank: TankState, row: Tank, fall: Fall) -> Term | None:
    """The loss relative to the largest draw in one hour of this tank's profile."""
    most = forecast.largest_hour_l(context.profile(tank.tank).profile)
    if most is None:
        return None
    ratio = (fall.from_l - fall.to_l) / max(most, 0.05 * row.capacity_l)
    weight = min(max(3.0 * log(max(ratio, 0.1)), -4.0), 3.5)
    values = {"fall_l": round(fall.from_l - fall.to_l, 1), "most_in_an_hour_l": round(most, 1)}
    return Term("beyond_use", "inferred", {"drained": weight, "slashed": weight}, values)


def _silent(context: WatchContext, device: DeviceState, episode: Episode) -> list[Term]:
    """A promise broken right after handling, and the other terms of a silence."""
    strong = 0 < episode.promised_s <= _RECOVERY_S
    seized = 0.6 if episode.has_resumed else 2.0 if strong else 1.3
    towards = {
        "seized": seized, "moved_by_us": 0.3, "drained": -0.5, "slashed": -1.0,
        "battery": 0.5, "network_out": 0.5,
    }  # fmt: skip
    values = {"last_word_at": episode.silent_since, "promised_s": episode.promised_s}
    found = [Term("silence_after_handling", "measured", towards, values)]
    return found + [t for t in silence.terms(context, device) if t.name != "silence"]


def _resumed(episode: Episode) -> Term:
    towards = {"seized": -1.8, "moved_by_us": -0.8, "battery": -3.0, "network_out": -3.0}
    still = episode.still_at is not None and episode.still_at >= episode.last_at
    values = {"still": still, "at": episode.resumed_at}
    return Term("speaks_again", "measured", towards, values)


def _planned(context: WatchContext, tank: str, episode: Episode) -> list[Term]:
    kinds = {plan.kind for plan in context.registry.plans_at(tank, episode.at)}
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


def _operator_action(episode: Episode) -> list[Term]:
    if episode.operator_action == "moved_by_us":
        return [Term("said_moved_by_us", "witnessed", {"moved_by_us": 10.0})]
    if episode.operator_action == "seen_there":
        return [Term("seen_there", "witnessed", {"seized": -8.0, "moved_by_us": -3.0})]
    return []
