"""The evidence of handling: the bands of each term, and the judgement that follows."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.registry import Plan, PlanKind
from gateway.domain.watch.tracks.cause import Term, judge
from gateway.domain.watch.tracks.tilt import TiltedSpell
from tests.unit.handled_tank import HandledTank, episode_of, fall_of, handled_tank
from tests.unit.tank_story import HOUR, T0

MOVED: dict[str, Any] = {"motion_ms": 8000, "motion_mg": 900}


def weight(name: str, handled: HandledTank | None = None, **fields: Any) -> float | None:
    """What a term of an episode weighs towards theft; None without that term."""
    term = (handled or handled_tank()).terms(episode_of(**fields)).get(name)
    return term.towards.get("theft", 0.0) if term else None


def of_fall(name: str, handled: HandledTank | None = None, **fields: Any) -> float | None:
    return weight(name, handled, fall=fall_of(**fields))


@pytest.mark.parametrize(
    ("ms", "mg", "theft"),
    [(10_000, 350, 6.0), (9_999, 350, 2.5), (10_000, 349, 1.0), (5_000, 349, 1.0)],
    ids=["carried", "shaken for a short time", "gust", "short gust"],
)
def test_motion_is_a_gust_a_shake_or_a_tank_carried(ms: int, mg: int, theft: float) -> None:
    assert weight("motion", motion_ms=ms, motion_mg=mg) == theft


def test_tilt_says_less_of_a_tank_that_was_carried() -> None:
    assert weight("tilt", tilt_deg=40) == 4.5
    assert weight("tilt", tilt_deg=40, motion_ms=10_000, motion_mg=349) == 4.5
    assert weight("tilt", tilt_deg=40, motion_ms=10_000, motion_mg=350) == 2.0
    assert weight("tilt", **MOVED) is None


def test_a_level_known_since_the_handling_speaks_against_a_loss() -> None:
    handled = handled_tank()
    for at, is_steady in ((T0, False), (T0 + 1, True)):
        handled.tank.level.at = at
        found = handled.terms(episode_of(**MOVED)).get("level_steady")
        assert bool(found) == is_steady
        assert found is None or found.towards == {"drained": -3.0, "slashed": -3.0}
    assert "level_steady" not in handled.terms(episode_of(fall=fall_of(), **MOVED))


@pytest.mark.parametrize(
    ("ratio", "fine", "coarse"),
    [
        (1.5, 6.5, 4.5), (1.49, 4.5, 4.5), (1.3, 4.5, 4.5), (1.29, 4.0, 4.5), (0.9, 4.0, 4.5),
        (0.89, 1.2, 4.5), (0.82, 1.2, 4.5), (0.81, 1.2, 4.0), (0.6, 1.2, 4.0), (0.59, 0.3, 4.0),
        (0.57, 0.3, 4.0), (0.56, 0.3, 1.2), (0.38, 0.3, 1.2), (0.37, 0.3, 0.3), (0.35, 0.3, 0.3),
        (0.34, -1.0, 0.3), (0.22, -1.0, 0.3), (0.21, -1.0, -1.0),
    ],
)  # fmt: skip
def test_the_rate_weighs_by_its_ratio_to_all_taps(ratio: float, fine: float, coarse: float) -> None:
    assert of_fall("fall_rate", taps_ratio=ratio, step_s=300) == fine
    assert of_fall("fall_rate", taps_ratio=ratio, step_s=301) == coarse  # 1.6 times the mean


@pytest.mark.parametrize(
    ("slowing", "lpm", "drained", "slashed"),
    [(0.69, 900, 1.0, 3.0), (0.7, 100, 3.0, 2.0), (None, 151, 3.0, 2.0), (None, 150, 2.0, 2.0)],
)
def test_slowing_and_rate_tell_a_cut_from_a_valve(
    slowing: float | None, lpm: float, drained: float, slashed: float
) -> None:
    term = handled_tank().terms(episode_of(fall=fall_of(slowing=slowing, lpm=lpm)))["fall_rate"]
    assert (term.towards["drained"], term.towards["slashed"]) == (drained, slashed)


@pytest.mark.parametrize(
    ("lost_l", "theft"),
    [(500, 2.0), (499, 1.3), (350, 1.3), (349, 0.0), (200, 0.0), (199, -2.5)],
)
def test_a_few_cans_are_no_theft_and_half_a_tank_may_be(lost_l: float, theft: float) -> None:
    assert of_fall("fall_size", from_l=700, to_l=700 - lost_l) == theft


@pytest.mark.parametrize(("ratio", "theft"), [(2.5, 2.4), (2.49, 1.0), (1.5, 1.0), (1.49, -0.3)])
def test_a_loss_weighs_by_its_ratio_to_the_largest_hour(ratio: float, theft: float) -> None:
    assert of_fall("beyond_use", use_ratio=ratio) == theft
    assert of_fall("use_unknown", use_ratio=ratio) is None


def test_unknown_use_makes_a_theft_less_probable() -> None:
    assert of_fall("use_unknown") == -1.0
    assert of_fall("beyond_use") is None


def test_an_empty_tank_was_drained_and_a_flat_one_slashed() -> None:
    emptied = handled_tank().terms(episode_of(fall=fall_of(emptied=True)))["emptied"]
    assert emptied.towards == {"theft": 0.8, "drained": 2.5, "slashed": -1.5}
    for decays, theft in ((True, 0.5), (False, -0.3)):
        found = handled_tank().terms(episode_of(fall=fall_of(plateau=True, decays=decays)))
        assert found["plateau"].towards == {"theft": theft, "slashed": 3.0, "drained": -1.0}


@pytest.mark.parametrize(
    ("knock_s", "is_noticed"),
    [(None, False), (-901, False), (-900, True), (1500, True), (1501, False)],
)
def test_a_level_that_jumps_unnoticed_to_a_plateau_is_a_sensor_fault(
    knock_s: float | None, is_noticed: bool
) -> None:
    handled = handled_tank()
    handled.tank.knock_at = 0.0 if knock_s is None else T0 + knock_s
    found = handled.terms(episode_of(fall=fall_of(plateau=True, single_step=True)))
    assert ("plateau" in found, "sudden_plateau" in found) == (is_noticed, not is_noticed)
    if not is_noticed:
        assert found["sudden_plateau"].towards == {"theft": -4.0, "sensor_fault": 3.0}


@pytest.mark.parametrize("handling", [{"motion_ms": 1}, {"tilt_deg": 1}])
def test_a_plateau_after_handling_is_no_jump_of_the_sensor(handling: dict[str, int]) -> None:
    episode = episode_of(fall=fall_of(plateau=True, single_step=True), **handling)
    assert "plateau" in handled_tank().terms(episode)


@pytest.mark.parametrize(("knock_s", "counts"), [(-901, 0), (-900, 1), (600, 1), (601, 0)])
def test_a_knock_near_the_fall_speaks_for_theft(knock_s: float, counts: int) -> None:
    handled = handled_tank()
    handled.tank.knock_at = T0 + knock_s
    assert of_fall("knock", handled) == (1.2 if counts else None)


def beside(*levels: tuple[float, float], own_l: float = 300, **fields: Any) -> dict[str, Term]:
    """The evidence of a fall beside a tank with these samples, [s, litres]."""
    handled = handled_tank(neighbours=1)
    other = handled.context.tank("north-2")
    other.flow.recent = [[T0 + at, litres] for at, litres in levels]
    other.health.faulty = fields.pop("faulty", False)
    return handled.terms(episode_of(fall=fall_of(to_l=700 - own_l, **fields)))


@pytest.mark.parametrize(
    ("own_l", "fallen", "together"),
    [(300, 90, True), (300, 89, False), (100, 50, True), (100, 49, False)],
)
def test_a_neighbour_falls_too_by_three_tenths_as_much_and_a_twentieth(
    own_l: float, fallen: float, together: bool
) -> None:
    found = beside((0, 800), (900, 800 - fallen), own_l=own_l)
    assert ("neighbours_fall" in found, "neighbours_steady" in found) == (together, not together)
    term = found["neighbours_fall" if together else "neighbours_steady"]
    assert term.values == {"tanks": 1}
    assert term.towards["theft"] == (-4.0 if together else 0.0)


def test_neighbours_that_fall_say_little_where_taps_cannot_have_done_it() -> None:
    falling = (0, 800), (900, 400)
    assert beside(*falling, taps_ratio=1.49)["neighbours_fall"].towards["theft"] == -4.0
    assert beside(*falling, taps_ratio=1.5)["neighbours_fall"].towards["theft"] == -0.5


@pytest.mark.parametrize(
    ("start", "end", "counts"),
    [(-1800, 2400, True), (-1801, 2400, False), (-1800, 2401, False)],
)
def test_a_neighbour_counts_within_half_an_hour(start: float, end: float, counts: bool) -> None:
    assert ("neighbours_fall" in beside((start, 800), (end, 400))) == counts


def test_a_neighbour_that_rises_is_steady_and_a_faulty_one_says_nothing() -> None:
    assert "neighbours_steady" in beside((0, 400), (900, 800))
    found = beside((0, 800), (900, 400), faulty=True)
    assert "neighbours_fall" not in found and "neighbours_steady" not in found


@pytest.mark.parametrize(
    ("height_mm", "from_l", "step_s", "theft"),
    [
        (1100, 901, 60, -5.0), (1100, 899, 60, None), (1100, 899, 300, None),
        (1100, 899, 301, -3.5), (1193, 999, 301, -3.5), (1194, 1000, 301, None),
    ],
)  # fmt: skip
def test_a_tank_filled_into_the_blind_zone_reads_as_empty(
    height_mm: int, from_l: float, step_s: float, theft: float | None
) -> None:
    # nearest 200 mm and 60 mm more: above 840 mm of water at 1100 mm
    tank = handled_tank("jsn-sr04t", sensor_height_mm=height_mm)
    fields = {"from_l": from_l, "to_l": 300, "single_step": True, "step_s": step_s}
    assert of_fall("blind_zone", tank, **fields) == theft
    assert of_fall("blind_zone", handled_tank(sensor_height_mm=height_mm), **fields) is None


def test_a_fall_in_several_steps_did_not_begin_in_the_blind_zone() -> None:
    tank = handled_tank("jsn-sr04t")
    assert of_fall("blind_zone", tank, from_l=899, step_s=900) is None
    assert of_fall("blind_zone", tank, from_l=901, step_s=900) == -5.0


@pytest.mark.parametrize(
    ("fields", "theft"),
    [
        ({"promised_s": 1}, 2.5), ({"promised_s": 60}, 2.5), ({"promised_s": 61}, 1.5),
        ({"promised_s": 0}, 1.5), ({"promised_s": 30, "resumed_at": T0}, 0.5),
    ],
)  # fmt: skip
def test_a_broken_promise_of_recovery_mode_weighs_more(fields: Any, theft: float) -> None:
    found = handled_tank().terms(episode_of(silent_since=T0, **MOVED, **fields))
    term = found["silence_after_handling"]
    assert (term.towards["theft"], term.towards["seized"]) == (theft, 3.0)
    assert "silence" not in found


def test_a_harmless_reason_for_the_silence_speaks_against_theft_by_half() -> None:
    handled = handled_tank()
    episode = episode_of(silent_since=T0, promised_s=30, **MOVED)
    handled.device.battery_mv = 3000
    assert handled.terms(episode)["battery_low"].towards["theft"] == -2.25
    handled.device.battery_mv = 4000
    assert handled.terms(episode)["battery_good"].towards["theft"] == 1.25


@pytest.mark.parametrize(
    ("since_s", "theft"),
    [(0, -1.0), (HOUR - 1, -1.0), (HOUR, -2.5), (3 * HOUR - 1, -2.5), (3 * HOUR, -7.0)],
)
def test_a_tank_that_reports_its_level_for_hours_was_not_carried_off(
    since_s: float, theft: float
) -> None:
    handled = handled_tank()
    handled.context.now = T0 + since_s
    handled.tank.level.at = T0 + 1
    fields = {"resumed_at": T0, **MOVED}
    assert weight("speaks_again", handled, **fields) == theft
    assert weight("speaks_again", handled, lid_stayed=True, **fields) == 0.0
    assert weight("speaks_again", handled, fall=fall_of(), **fields) == 0.0
    least = max(theft, -2.5)
    handled.tank.level.at = T0
    assert weight("speaks_again", handled, **fields) == least  # no level since
    handled.tank.level.at = T0 + 1
    handled.tank.tilted = TiltedSpell(T0, [])
    assert weight("speaks_again", handled, **fields) == least


def test_a_tank_that_is_still_again_says_so() -> None:
    for still_at, is_still in ((None, False), (T0 - 1, False), (T0, True)):
        found = handled_tank().terms(episode_of(resumed_at=T0, still_at=still_at, **MOVED))
        assert found["speaks_again"].values == {"still": is_still, "at": T0}


def test_a_lid_that_stayed_open_is_evidence_of_theft() -> None:
    handled = handled_tank()
    handled.context.now = T0 + 60
    opened = handled.terms(episode_of(lid_at=T0))["lid"]
    assert (opened.towards, opened.values) == ({"lid_open": 1.0}, {"open_s": 60})
    stayed = handled.terms(episode_of(lid_at=T0 + 90, lid_stayed=True))["lid"]
    assert (stayed.towards, stayed.values) == ({"theft": 7.5, "lid_open": 5.0}, {"open_s": 0})


@pytest.mark.parametrize(
    ("start", "end", "overlaps"),
    [(-5000, -900, True), (-5000, -901, False), (1500, 9000, True), (1501, 9000, False)],
)
def test_a_plan_counts_when_it_overlaps_the_episode_within_15_minutes(
    start: float, end: float, overlaps: bool
) -> None:
    kinds: dict[PlanKind, tuple[str, float]] = {
        "move": ("planned_move", -20.0),
        "cleaning": ("planned_cleaning", -20.0),
        "eviction_risk": ("eviction_risk", 1.0),
    }
    for kind, (name, theft) in kinds.items():
        plan = Plan("north-1", T0 + start, T0 + end, kind)
        tank = handled_tank(plans=[plan])
        found = weight(name, tank, last_at=T0 + 600, **MOVED)
        assert found == (theft if overlaps else None)
        cancelled = handled_tank(plans=[replace(plan, cancelled=True)])
        assert weight(name, cancelled, last_at=T0 + 600, **MOVED) is None


def test_handling_without_a_planned_move_is_less_probably_ours() -> None:
    assert handled_tank().terms(episode_of(**MOVED))["no_move_planned"].towards == {
        "moved_by_us": -0.8
    }
    tank = handled_tank(plans=[Plan("north-1", T0, T0 + HOUR, "move")])
    assert "no_move_planned" not in tank.terms(episode_of(**MOVED))
    assert "no_move_planned" not in handled_tank().terms(episode_of(fall=fall_of()))


def test_what_an_operator_says_outweighs_every_sensor() -> None:
    handled = handled_tank()
    sensors = handled.terms(episode_of(motion_ms=10_000, motion_mg=900, tilt_deg=60))
    assert judge(sensors.values()).theft > 0.95
    for said, name in (("moved_by_us", "said_moved_by_us"), ("seen_there", "seen_there")):
        found = handled.terms(
            episode_of(motion_ms=10_000, motion_mg=900, tilt_deg=60, operator_action=said)
        )
        assert found[name].basis == "witnessed"
        assert judge(found.values()).theft < 0.01
    assert "seen_there" not in handled.terms(episode_of(operator_action="close"))
