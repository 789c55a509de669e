"""The evidence of an episode of handling, as named terms with their levels.

How much a level weighs is data (``fitted``), towards theft and towards each kind; here is only
which level a figure has. The levels of one figure form a ladder: more of it never weighs less.
"""

from gateway.domain.geometry import Curve
from gateway.domain.outputs import Basis, Figures
from gateway.domain.registry import Tank
from gateway.domain.volume import RANGE_MM
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, TankState
from gateway.domain.watch.rules import device_clock, lid, silence
from gateway.domain.watch.tracks import tamper
from gateway.domain.watch.tracks.cause import Term
from gateway.domain.watch.tracks.tamper import Episode, Fall
from gateway.domain.watch.tracks.weights import Weights

CONFIRMED_MS = 5000
"""The node confirms motion longer than this; one bump is shorter."""
CARRIED_MS, CARRIED_MG = 10_000, 350
"""Motion this long and strong is a tank being carried; wind and hands shake it less."""
_AWAY_MS = 20_000
"""Motion this long is a tank on its way; a valve is opened and a wall cut in less."""
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
_STEADY_S = 90.0  # within this a tank that was just opened has not lost much
_RATES = ((1.5, "much_more"), (1.3, "more"), (0.9, "all_taps"), (0.6, "most_taps"),
          (0.35, "some_taps"))  # fmt: skip

_HOURS = ((35.0, "never"), (20.0, "hardly"), (10.0, "barely"), (5.0, "rarely"), (2.0, "seldom"))
"""How improbable a loss is as use in its hours: minus the natural logarithm of a probability."""


def terms(
    context: WatchContext, tank: TankState, row: Tank, device: DeviceState, episode: Episode
) -> list[Term]:
    """Every term of an episode, in the order for a reader."""
    found: list[Term] = []
    weights = context.weights
    if episode.motion_ms:
        found.append(_motion(weights, episode))
    if episode.tilt_deg:
        level = "tilt.carried" if is_carried(episode) else "tilt.alone"  # carried tanks tilt
        found.append(_term(weights, (level,), {"tilt_deg": episode.tilt_deg}))
    if episode.lid_at is not None:
        open_s = max(context.now - episode.lid_at, 0.0)
        level = lid.level_of(episode, episode.lid_at)
        found.append(_term(weights, (level,), {"open_s": open_s}))
    if episode.fall:
        blind = _blind_zone(device, context, row, episode.fall)
        found += _fall(context, tank, row, episode, episode.fall, bool(blind)) + blind
    elif (episode.motion_ms or episode.tilt_deg) and _is_steady(tank, episode):
        found.append(_term(weights, ("level_steady",)))
    if episode.silent_since is not None:
        found += _silent(context, device, episode)
    elif episode.has_resumed:
        found.append(_resumed(context, tank, episode))
    found += device_clock.terms(device, episode)
    return found + _planned(context, tank.tank, episode) + _operator_action(weights, episode)


def _term(
    weights: Weights, levels: tuple[str, ...], values: Figures | None = None,
    basis: Basis = "measured",
) -> Term:  # fmt: skip
    """The term of these levels; its name is the first level's up to the dot."""
    name = levels[0].partition(".")[0]
    return Term(name, basis, weights.towards(*levels), values or {}, levels)


def is_carried(episode: Episode) -> bool:
    """Whether the tank was carried: moved for ten seconds and more, harder than wind moves it."""
    return episode.strong_ms >= CARRIED_MS


def _motion(weights: Weights, episode: Episode) -> Term:
    values = {"duration_s": round(episode.motion_ms / 1000, 1), "peak_mg": episode.motion_mg}
    level = "motion.gust" if episode.motion_mg < CARRIED_MG else "motion.shake"
    if is_carried(episode):
        level = "motion.away" if episode.strong_ms >= _AWAY_MS else "motion.carried"
    return _term(weights, (level,), values)


def _is_steady(tank: TankState, episode: Episode) -> bool:
    """Whether the level is known from long enough after the handling, and there was no fall."""
    return tank.level.at is not None and tank.level.at >= episode.at + _STEADY_S


def _fall(
    context: WatchContext, tank: TankState, row: Tank, episode: Episode, fall: Fall,
    is_blind: bool,
) -> list[Term]:  # fmt: skip
    """``is_blind``: the sensor may not see a full tank, and filling a tank knocks as well."""
    weights = context.weights
    found = [_rate(weights, row, fall), _size(weights, row, fall), _beyond_use(weights, fall)]
    if fall.usual_l is not None:
        found.append(_for_the_hour(weights, fall, fall.usual_l))
    left = {"left_l": fall.to_l}
    if fall.emptied:
        found.append(_term(weights, ("emptied",), left))
    elif fall.plateau and fall.single_step and not _is_noticed(tank, episode, fall):
        found.append(_term(weights, ("sudden_plateau",), left))
    elif fall.plateau:
        level = "plateau.decays" if fall.decays else "plateau.steady"
        found.append(_term(weights, (level,), left))
    if fall.is_rough:
        found.append(_term(weights, ("echoes_disagree",)))
    if fall.undoes_rise:
        found.append(_term(weights, ("rise_undone",), left))
    if fall.was_frozen:
        found.append(_term(weights, ("was_frozen",)))
    if not is_blind and tamper.was_knocked(tank.knocks, fall.at - _KNOCK_S, fall.until):
        found.append(_term(weights, ("knock",)))
    return found + _neighbours(weights, fall)


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
        return [_term(context.weights, ("blind_zone.full",), basis="inferred")]
    if fall.single_step and fall.step_s > _COARSE_S:  # it may have been filled between the two
        return [_term(context.weights, ("blind_zone.unseen",), basis="inferred")]
    return []


def _is_noticed(tank: TankState, episode: Episode, fall: Fall) -> bool:
    """Whether the node was handled about the time of a fall: a sensor that jumps is not."""
    knocked = tamper.was_knocked(tank.knocks, fall.at - _KNOCK_S, fall.until + _KNOCK_S)
    return knocked or episode.motion_ms > 0 or episode.tilt_deg > 0


def _rate(weights: Weights, row: Tank, fall: Fall) -> Term:
    """The rate relative to all taps open: people can draw no faster than that.

    Only readings that are near one another show that it was much faster than that.
    """
    ratio = fall.taps_ratio
    is_coarse = fall.step_s > _COARSE_S
    if is_coarse:
        ratio *= _UNSEEN  # the mean between two readings, which it was not all the time
    level = next((name for least, name in _RATES if ratio >= least), "few_taps")
    if level == "much_more" and is_coarse:
        level = "more"
    values = {
        "rate_lpm": round(fall.lpm, 1), "times_all_taps": round(fall.taps_ratio, 2),
        "taps": row.taps, "fall_l": round(fall.from_l - fall.to_l, 1),
    }  # fmt: skip
    return _term(weights, (f"fall_rate.{level}", f"fall_shape.{_shape(fall)}"), values)


def _shape(fall: Fall) -> str:
    """A valve at the bottom or a cut: a cut slows more, and seldom lets as much through."""
    if fall.slowing is not None:
        return "slows" if fall.slowing < _CUT_SLOWING else "goes_on"
    return "fast" if fall.lpm > _VALVE_LPM else "unknown"


def _size(weights: Weights, row: Tank, fall: Fall) -> Term:
    """A drained or slashed tank loses more than a few cans."""
    part = (fall.from_l - fall.to_l) / row.capacity_l
    bands = ((0.5, "half"), (0.35, "third"), (0.2, "fifth"))
    level = next((name for least, name in bands if part >= least), "cans")
    return _term(weights, (f"fall_size.{level}",), {"pct": round(100 * part, 1)})


def _beyond_use(weights: Weights, fall: Fall) -> Term:
    """The loss relative to the largest draw in one hour of this tank's profile."""
    if fall.use_ratio is None:
        return _term(weights, ("use_unknown",), basis="inferred")
    bands = ((2.5, "far"), (1.5, "more"))
    level = next((name for least, name in bands if fall.use_ratio >= least), "within")
    values = {
        "fall_l": round(fall.from_l - fall.to_l, 1),
        "times_most_in_an_hour": round(fall.use_ratio, 2),
    }
    return _term(weights, (f"beyond_use.{level}",), values, "inferred")


def _for_the_hour(weights: Weights, fall: Fall, usual_l: float) -> Term:
    """The loss beside what people usually draw in these hours: hardly anything by night."""
    level = next((name for least, name in _HOURS if fall.improbable >= least), "usual")
    values = {"fall_l": round(fall.from_l - fall.to_l, 1), "usual_l": usual_l}
    return _term(weights, (f"for_the_hour.{level}",), values, "inferred")


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


def _neighbours(weights: Weights, fall: Fall) -> list[Term]:
    """Tanks of the same site that fall together are being used; through taps, not holes."""
    if fall.neighbours_fell:
        level = "neighbours_fall.taps" if fall.taps_ratio < 1.5 else "neighbours_fall.faster"
        return [_term(weights, (level,), {"tanks": fall.neighbours_fell})]
    if fall.neighbours_steady:
        return [_term(weights, ("neighbours_steady",), {"tanks": fall.neighbours_steady})]
    return []


def _fallen(tank: TankState, start: float, end: float) -> float | None:
    """By how much a tank fell between two times, in litres; None when it sent nothing."""
    within = [litres for at, litres in tank.flow.recent if start <= at <= end]
    return max(within) - min(within) if len(within) > 1 and within[-1] < within[0] else (
        0.0 if len(within) > 1 else None
    )  # fmt: skip


def _silent(context: WatchContext, device: DeviceState, episode: Episode) -> list[Term]:
    """A promise broken right after handling, and the other terms of a silence."""
    level = "recovery" if 0 < episode.promised_s <= _RECOVERY_S else "usual"
    if episode.has_resumed:
        level = "resumed"
    values = {"last_word_at": episode.silent_since, "promised_s": episode.promised_s}
    found = [_term(context.weights, (f"silence_after_handling.{level}",), values)]
    others = [t for t in silence.terms(context, device) if t.name != "silence"]
    return found + [_against_theft(t) for t in others]


def _against_theft(term: Term) -> Term:
    """A harmless reason for a silence also counts against theft, by half its weight."""
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
    level = "soon"
    if episode.fall is not None or episode.lid_stayed:
        level = "loss"  # a node on a slashed tank goes on
    elif is_here and since_s >= _LONG_S:
        level = "for_hours"
    elif since_s >= _SOON_S:
        level = "for_an_hour"
    still = episode.still_at is not None and episode.still_at >= episode.last_at
    values = {"still": still, "at": episode.resumed_at}
    return _term(context.weights, (f"speaks_again.{level}",), values)


def _planned(context: WatchContext, tank: str, episode: Episode) -> list[Term]:
    start, end = episode.at - _PLAN_MARGIN_S, episode.last_at + _PLAN_MARGIN_S
    kinds = {plan.kind for plan in context.registry.plans_during(tank, start, end)}
    found: list[Term] = []
    weights = context.weights
    if "move" in kinds:
        found.append(_term(weights, ("planned_move",), basis="inferred"))
    elif episode.motion_ms or episode.tilt_deg:
        found.append(_term(weights, ("no_move_planned",), basis="inferred"))
    if "cleaning" in kinds:
        found.append(_term(weights, ("planned_cleaning",), basis="inferred"))
    if "eviction_risk" in kinds:
        found.append(_term(weights, ("eviction_risk",), basis="inferred"))
    return found


def _operator_action(weights: Weights, episode: Episode) -> list[Term]:
    if episode.operator_action == "moved_by_us":
        return [_term(weights, ("said_moved_by_us",), basis="witnessed")]
    if episode.operator_action == "seen_there":
        return [_term(weights, ("seen_there",), basis="witnessed")]
    return []
