"""The evidence of handling: which level each figure has, and the judgement that follows.

What a level weighs is fitted data: see test_watch_weights.
"""

from typing import Any

import pytest

from gateway.domain.watch.tracks.cause import Term
from gateway.domain.watch.tracks.tilt import TiltedSpell
from tests.unit.handled_tank import HandledTank, episode_of, fall_of, handled_tank
from tests.unit.tank_story import HOUR, T0

MOVED: dict[str, Any] = {"motion_ms": 8000, "motion_mg": 900}


def level(name: str, handled: HandledTank | None = None, **fields: Any) -> str | None:
    """The level of a term of an episode, or its name where it has only one; None without it."""
    term = (handled or handled_tank()).terms(episode_of(**fields)).get(name)
    return term.levels[0].rpartition(".")[2] if term else None


def of_fall(name: str, handled: HandledTank | None = None, **fields: Any) -> str | None:
    return level(name, handled, fall=fall_of(**fields))


@pytest.mark.parametrize(
    ("ms", "mg", "found"),
    [
        (20_000, 350, "away"), (19_999, 350, "carried"), (10_000, 350, "carried"),
        (9_999, 350, "shake"), (10_000, 349, "gust"), (5_000, 349, "gust"),
    ],
)  # fmt: skip
def test_motion_is_a_gust_a_shake_or_a_tank_carried(ms: int, mg: int, found: str) -> None:
    assert level("motion", motion_ms=ms, motion_mg=mg) == found


def test_tilt_says_less_of_a_tank_that_was_carried() -> None:
    assert level("tilt", tilt_deg=40) == "alone"
    assert level("tilt", tilt_deg=40, motion_ms=10_000, motion_mg=349) == "alone"
    assert level("tilt", tilt_deg=40, motion_ms=10_000, motion_mg=350) == "carried"
    assert level("tilt", **MOVED) is None


def test_a_level_known_since_the_handling_speaks_against_a_loss() -> None:
    handled = handled_tank()
    for at, is_steady in ((None, False), (T0 + 89, False), (T0 + 90, True)):
        handled.tank.level.at = at
        found = handled.terms(episode_of(**MOVED)).get("level_steady")
        assert bool(found) == is_steady
        assert found is None or max(found.towards["drained"], found.towards["slashed"]) < 0
    assert "level_steady" not in handled.terms(episode_of(fall=fall_of(), **MOVED))


@pytest.mark.parametrize(
    ("ratio", "fine", "coarse"),
    [
        (1.5, "much_more", "more"), (1.49, "more", "more"),
        (1.3, "more", "more"), (1.29, "all_taps", "more"),
        (0.9, "all_taps", "more"), (0.89, "most_taps", "more"),
        (0.82, "most_taps", "more"), (0.81, "most_taps", "all_taps"),
        (0.6, "most_taps", "all_taps"), (0.59, "some_taps", "all_taps"),
        (0.57, "some_taps", "all_taps"), (0.56, "some_taps", "most_taps"),
        (0.38, "some_taps", "most_taps"), (0.37, "some_taps", "some_taps"),
        (0.35, "some_taps", "some_taps"), (0.34, "few_taps", "some_taps"),
        (0.22, "few_taps", "some_taps"), (0.21, "few_taps", "few_taps"),
    ],
)  # fmt: skip
def test_the_rate_weighs_by_its_ratio_to_all_taps(ratio: float, fine: str, coarse: str) -> None:
    assert of_fall("fall_rate", taps_ratio=ratio, step_s=300) == fine
    assert of_fall("fall_rate", taps_ratio=ratio, step_s=301) == coarse  # 1.6 times the mean


@pytest.mark.parametrize(
    ("slowing", "lpm", "shape"),
    [(0.69, 900, "slows"), (0.7, 100, "goes_on"), (None, 151, "fast"), (None, 150, "unknown")],
)
def test_slowing_and_rate_tell_a_cut_from_a_valve(
    slowing: float | None, lpm: float, shape: str
) -> None:
    term = handled_tank().terms(episode_of(fall=fall_of(slowing=slowing, lpm=lpm)))["fall_rate"]
    assert term.levels == ("fall_rate.all_taps", f"fall_shape.{shape}")


@pytest.mark.parametrize(
    ("lost_l", "size"),
    [(500, "half"), (499, "third"), (350, "third"), (349, "fifth"), (200, "fifth"), (199, "cans")],
)
def test_a_few_cans_are_no_theft_and_half_a_tank_may_be(lost_l: float, size: str) -> None:
    assert of_fall("fall_size", from_l=700, to_l=700 - lost_l) == size


@pytest.mark.parametrize(
    ("ratio", "use"), [(2.5, "far"), (2.49, "more"), (1.5, "more"), (1.49, "within")]
)
def test_a_loss_weighs_by_its_ratio_to_the_largest_hour(ratio: float, use: str) -> None:
    assert of_fall("beyond_use", use_ratio=ratio) == use
    assert of_fall("use_unknown", use_ratio=ratio) is None


def test_unknown_use_makes_a_theft_less_probable() -> None:
    assert of_fall("use_unknown") == "use_unknown"
    assert of_fall("beyond_use") is None


def test_an_empty_tank_was_drained_and_a_flat_one_slashed() -> None:
    emptied = handled_tank().terms(episode_of(fall=fall_of(emptied=True)))["emptied"]
    assert emptied.towards["drained"] > 0 > emptied.towards["slashed"]
    for decays, shape in ((True, "decays"), (False, "steady")):
        found = handled_tank().terms(episode_of(fall=fall_of(plateau=True, decays=decays)))
        assert found["plateau"].levels == (f"plateau.{shape}",)
        assert found["plateau"].towards["slashed"] > 0 > found["plateau"].towards["drained"]


@pytest.mark.parametrize(
    ("knock_s", "is_noticed"),
    [(None, False), (-901, False), (-900, True), (1500, True), (1501, False)],
)
def test_a_level_that_jumps_unnoticed_to_a_plateau_is_a_sensor_fault(
    knock_s: float | None, is_noticed: bool
) -> None:
    handled = handled_tank()
    handled.tank.knocks = [] if knock_s is None else [[T0 + knock_s, T0 + knock_s]]
    found = handled.terms(episode_of(fall=fall_of(plateau=True, single_step=True)))
    assert ("plateau" in found, "sudden_plateau" in found) == (is_noticed, not is_noticed)
    if not is_noticed:
        towards = found["sudden_plateau"].towards
        assert towards["theft"] < 0 < towards["sensor_fault"]


@pytest.mark.parametrize("handling", [{"motion_ms": 1}, {"tilt_deg": 1}])
def test_a_plateau_after_handling_is_no_jump_of_the_sensor(handling: dict[str, int]) -> None:
    episode = episode_of(fall=fall_of(plateau=True, single_step=True), **handling)
    assert "plateau" in handled_tank().terms(episode)


@pytest.mark.parametrize(("knock_s", "counts"), [(-901, 0), (-900, 1), (600, 1), (601, 0)])
def test_a_knock_near_the_fall_speaks_for_theft(knock_s: float, counts: int) -> None:
    handled = handled_tank()
    handled.tank.knocks = [[T0 + knock_s, T0 + knock_s]]
    assert of_fall("knock", handled) == ("knock" if counts else None)
    handled.tank.knocks.append([T0 + 2000, T0 + 2000])  # another one after the fall hides it not
    assert of_fall("knock", handled) == ("knock" if counts else None)


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


def test_neighbours_that_fall_say_little_where_taps_cannot_have_done_it() -> None:
    falling = (0, 800), (900, 400)
    taps, faster = (beside(*falling, taps_ratio=r)["neighbours_fall"] for r in (1.49, 1.5))
    assert (taps.levels, faster.levels) == (
        ("neighbours_fall.taps",), ("neighbours_fall.faster",)
    )  # fmt: skip
    assert taps.towards["theft"] < faster.towards["theft"]


@pytest.mark.parametrize(
    ("start", "end", "counts"),
    [(-1800, 2400, True), (-1801, 2400, False), (-1800, 2401, False)],
)
def test_a_neighbour_counts_within_half_an_hour(start: float, end: float, counts: bool) -> None:
    assert ("neighbours_fall" in beside((start, 800), (end, 400))) == counts


def test_a_neighbour_that_rises_is_steady_and_a_faulty_one_says_nothing() -> None:
    assert "neighbours_steady" in beside((0, 400), (900, 800))
    assert "neighbours_steady" in beside((0, 800), (900, 800))
    for known in ((), ((0, 800),)):
        found = beside(*known)
        assert "neighbours_fall" not in found and "neighbours_steady" not in found
    found = beside((0, 800), (900, 400), faulty=True)
    assert "neighbours_fall" not in found and "neighbours_steady" not in found


@pytest.mark.parametrize(
    ("height_mm", "from_l", "step_s", "seen"),
    [
        (1100, 901, 60, "full"), (1100, 899, 60, None), (1100, 899, 300, None),
        (1100, 899, 301, "unseen"), (1193, 999, 301, "unseen"), (1194, 1000, 301, None),
    ],
)  # fmt: skip
def test_a_tank_filled_into_the_blind_zone_reads_as_empty(
    height_mm: int, from_l: float, step_s: float, seen: str | None
) -> None:
    # nearest 200 mm and 60 mm more: above 840 mm of water at 1100 mm
    tank = handled_tank("jsn-sr04t", sensor_height_mm=height_mm)
    fields = {"from_l": from_l, "to_l": 300, "single_step": True, "step_s": step_s}
    assert of_fall("blind_zone", tank, **fields) == seen
    assert of_fall("blind_zone", handled_tank(sensor_height_mm=height_mm), **fields) is None


def test_only_a_sensor_with_a_long_blind_zone_at_a_known_height_reads_full_as_empty() -> None:
    fields = {"from_l": 999, "to_l": 300, "single_step": True, "step_s": 900}
    assert of_fall("blind_zone", handled_tank(sensor_height_mm=1000), **fields) is None
    assert of_fall("blind_zone", handled_tank("jsn-sr04t", sensor_height_mm=1000), **fields)
    assert of_fall("blind_zone", handled_tank("jsn-sr04t", sensor_height_mm=None), **fields) is None
    assert of_fall("blind_zone", handled_tank("hx711"), **fields) is None
    stranger = handled_tank("jsn-sr04t")
    stranger.device.device = "node-9"
    assert of_fall("blind_zone", stranger, **fields) is None


def test_a_fall_in_several_steps_did_not_begin_in_the_blind_zone() -> None:
    tank = handled_tank("jsn-sr04t")
    assert of_fall("blind_zone", tank, from_l=899, step_s=900) is None
    assert of_fall("blind_zone", tank, from_l=901, step_s=900) == "full"


@pytest.mark.parametrize(
    ("fields", "mode"),
    [
        ({"promised_s": 1}, "recovery"), ({"promised_s": 60}, "recovery"),
        ({"promised_s": 61}, "usual"), ({"promised_s": 0}, "usual"),
        ({"promised_s": 30, "resumed_at": T0}, "resumed"),
    ],
)  # fmt: skip
def test_a_broken_promise_of_recovery_mode_weighs_more(fields: Any, mode: str) -> None:
    found = handled_tank().terms(episode_of(silent_since=T0, **MOVED, **fields))
    term = found["silence_after_handling"]
    assert term.levels == (f"silence_after_handling.{mode}",)
    assert "silence" not in found


def test_a_harmless_reason_for_the_silence_speaks_against_theft_by_half() -> None:
    handled = handled_tank()
    episode = episode_of(silent_since=T0, promised_s=30, **MOVED)
    handled.device.battery_mv = 3000
    assert handled.terms(episode)["battery_low"].towards["theft"] == -2.25
    handled.device.battery_mv = 4000
    assert handled.terms(episode)["battery_good"].towards["theft"] == 1.25


@pytest.mark.parametrize(
    ("since_s", "spoken"),
    [
        (100, "soon"), (HOUR - 1, "soon"), (HOUR, "for_an_hour"), (3 * HOUR - 1, "for_an_hour"),
        (3 * HOUR, "for_hours"),
    ],
)  # fmt: skip
def test_a_tank_that_reports_its_level_for_hours_was_not_carried_off(
    since_s: float, spoken: str
) -> None:
    handled = handled_tank()
    handled.context.now = T0 + since_s
    handled.tank.level.at = T0 + 90
    fields = {"resumed_at": T0, **MOVED}
    assert level("speaks_again", handled, **fields) == spoken
    assert level("speaks_again", handled, lid_stayed=True, **fields) == "loss"
    assert level("speaks_again", handled, fall=fall_of(), **fields) == "loss"
    least = "for_an_hour" if spoken == "for_hours" else spoken
    handled.tank.level.at = T0
    assert level("speaks_again", handled, **fields) == least  # no level since
    handled.tank.level.at = T0 + 90
    handled.tank.tilted = TiltedSpell(T0, [])
    assert level("speaks_again", handled, **fields) == least


def test_a_tank_that_is_still_again_says_so() -> None:
    for still_at, is_still in ((None, False), (T0 - 1, False), (T0, True)):
        found = handled_tank().terms(episode_of(resumed_at=T0, still_at=still_at, **MOVED))
        assert found["speaks_again"].values == {"still": is_still, "at": T0}


def test_a_lid_that_stayed_open_is_evidence_of_theft() -> None:
    handled = handled_tank()
    handled.context.now = T0 + 60
    opened = handled.terms(episode_of(lid_at=T0))["lid"]
    assert (opened.levels, opened.values) == (("lid.open",), {"open_s": 60})
    stayed = handled.terms(episode_of(lid_at=T0 + 90, lid_stayed=True))["lid"]
    assert (stayed.levels, stayed.values) == (("lid.stayed",), {"open_s": 0})
    for lid_as in ("stayed", "stayed_cans", "stayed_dry", "stayed_long"):
        episode = episode_of(lid_at=T0, lid_stayed=True, lid_as=lid_as)
        assert handled.terms(episode)["lid"].levels == (f"lid.{lid_as}",)
