"""Which falls begin an episode: at once, after a few readings more, or from late readings."""

import pytest

from gateway.domain.inputs import Reading
from gateway.domain.watch.rules import falls
from gateway.domain.watch.rules.falls import find_fall
from gateway.domain.watch.tracks.account import Rise
from gateway.domain.watch.tracks.settling import Sample
from gateway.domain.watch.tracks.tamper import Fall
from tests.unit.handled_tank import HandledTank, episode_of, handled_tank
from tests.unit.tank_story import HOUR, T0, ibc


def samples(*litres: float, every: float = 60) -> list[list[float]]:
    return [[T0 + every * i, level] for i, level in enumerate(litres)]


def check(
    handled: HandledTank, *litres: float, every: float = 60, later_l: float = 0, age: float = 0
) -> Fall | None:
    """The fall of the tank's episode after these settled samples."""
    handled.tank.flow.recent = samples(*litres, every=every)
    at, level = handled.tank.flow.recent[-1]
    handled.context.now = at + age
    sample = Sample(at, at, level, 1.0)
    falls.check(
        handled.context, handled.tank, handled.row, handled.device, sample, later_l
    )  # fmt: skip
    return handled.tank.episode.fall if handled.tank.episode else None


@pytest.mark.parametrize("litres", [(700, 700, 400), (700, 700, 700, 550, 400)])
def test_a_fast_fall_begins_an_episode(litres: tuple[float, ...]) -> None:
    handled = handled_tank()
    fall = check(handled, *litres)
    assert fall and (fall.from_l, fall.to_l) == (700, 400)
    assert handled.tank.episode and handled.tank.episode.at == fall.at


def test_where_people_carry_cans_away_nothing_is_a_fall() -> None:
    assert check(handled_tank(kind="station"), 700, 700, 400) is None


def test_two_samples_or_a_refill_in_progress_show_no_fall() -> None:
    assert check(handled_tank(), 700, 400) is None
    handled = handled_tank()
    handled.tank.flow.rise = Rise(T0, 300, T0, 700, 0.0, [])
    assert check(handled, 700, 700, 400) is None


def test_a_fall_slower_than_a_quarter_of_all_taps_needs_other_evidence() -> None:
    slow = [700 - 18 * i for i in range(16)]
    fall = find_fall(samples(*slow), ibc(), 1.0, 0)
    assert fall and 0.2 < fall.taps_ratio < 0.25
    assert check(handled_tank(), *slow) is None
    handled = handled_tank()
    handled.tank.episode = episode_of(motion_ms=8000)
    assert check(handled, *slow)
    assert check(handled_tank(), *[700 - 24 * i for i in range(16)])


@pytest.mark.parametrize(("flat", "is_known"), [(6, True), (7, False)])
def test_a_fall_from_before_the_last_eight_samples_is_looked_at_only_in_an_episode(
    flat: int, is_known: bool
) -> None:
    litres = [700, 700, 400, *([400] * flat)]
    assert bool(check(handled_tank(), *litres, every=30)) == is_known
    handled = handled_tank()
    assert check(handled, 700, 700, 400, every=30)
    fall = check(handled, *litres, every=30)
    assert fall and fall.plateau


@pytest.mark.parametrize(("every", "is_decided"), [(300, True), (301, False)])
def test_a_single_step_of_a_node_that_reports_seldom_is_undecided(
    every: float, is_decided: bool
) -> None:
    assert bool(check(handled_tank(), 900, 900, 400, every=every)) == is_decided


def test_the_next_readings_decide_about_a_single_step() -> None:
    assert check(handled_tank(), 900, 900, 400, every=900) is None
    assert check(handled_tank(), 900, 900, 400, 400, every=900) is None
    flat = check(handled_tank(), 900, 900, 400, 400, 400, every=900)
    assert flat and flat.plateau
    on = check(handled_tank(), 900, 900, 500, 200, every=600)
    assert on and not on.single_step
    assert check(handled_tank(), 900, 900, 50, every=900) is None  # it may be an echo
    emptied = check(handled_tank(), 900, 900, 50, 50, every=900)
    assert emptied and emptied.emptied
    assert check(handled_tank(), 900, 900, 500, 50, every=301) is None
    for every in (300, 150):
        quick = check(handled_tank(), 900, 900, 500, 50, every=every)
        assert quick and quick.emptied and quick.later == 0
    slow = check(handled_tank(), 900, 900, 500, 450, 440, every=600)
    assert slow and not slow.plateau
    assert check(handled_tank(), 900, 900, 450, 440, 420, every=900) and (
        check(handled_tank(), 900, 900, 450, 440, every=900) is None
    )


def test_a_fall_that_later_readings_revert_is_none() -> None:
    assert check(handled_tank(), 700, 700, 400, later_l=600)
    assert check(handled_tank(), 700, 700, 400, later_l=601) is None


def test_a_fall_known_more_than_two_days_later_begins_nothing() -> None:
    assert check(handled_tank(), 700, 700, 400, age=48 * HOUR)
    assert check(handled_tank(), 700, 700, 400, age=48 * HOUR + 1) is None


@pytest.mark.parametrize(
    ("peaks", "known", "ratio"),
    [([80, 100], 48, 3.0), ([20], 48, 6.0), ([100], 47, None)],
    ids=["the largest hour", "at least a twentieth of the tank", "too little known"],
)
def test_the_loss_is_compared_with_the_largest_hour_of_use(
    peaks: list[float], known: int, ratio: float | None
) -> None:
    handled = handled_tank()
    profile = handled.context.profile("north-1").profile
    profile.peaks, profile.known = peaks, known
    fall = check(handled, 700, 700, 400)
    assert fall and fall.use_ratio == ratio


def check_late(handled: HandledTank, litres: list[list[float]], age: float = HOUR) -> Fall | None:
    for at, level in litres:
        handled.context.now = T0 + age
        reading = Reading("north-1", "node-1", "aaaaaaaa", 1, 1, 0, T0 + age, False, 0, at, "mm",
                          1, 4, 7, 7, 110, level, 1.0)  # fmt: skip
        falls.check_late(
            handled.context, handled.tank, handled.row, handled.device, reading
        )  # fmt: skip
    return handled.tank.episode.fall if handled.tank.episode else None


def test_readings_that_arrive_late_in_any_order_show_a_fall() -> None:
    handled = handled_tank()
    rows = samples(700, 700, 400)
    handled.tank.settling.smooth_l = 400
    fall = check_late(handled, [rows[2], rows[1], rows[0]])
    assert fall and (fall.at, fall.until, fall.from_l) == (T0 + 60, T0 + 120, 700)
    assert handled.tank.episode and handled.tank.episode.late is True
    assert check_late(handled_tank(kind="station"), rows) is None


def test_late_readings_keep_to_the_newest_24() -> None:
    handled = handled_tank()
    check_late(handled, samples(*([700] * 30)))
    assert [at for at, _ in handled.tank.backlog] == [T0 + 60 * i for i in range(6, 30)]


@pytest.mark.parametrize(
    ("level", "settled_s", "is_known"),
    [(600, 121, True), (601, 121, False), (601, 120, True)],
    ids=["lower", "back", "not later"],
)
def test_a_late_fall_that_the_level_reverts_is_none(
    level: float, settled_s: float, is_known: bool
) -> None:
    handled = handled_tank()
    settling = handled.tank.settling
    settling.smooth_l, settling.settled_at = level, T0 + settled_s
    assert bool(check_late(handled, samples(700, 700, 400))) == is_known
    handled = handled_tank()
    settling = handled.tank.settling
    settling.smooth_l, settling.settled_at = 1000.0 - level, T0 + 3000
    settling.waiting = [[T0 + settled_s, T0 + 3000, level, 1.0, 500.0]]
    assert bool(check_late(handled, samples(700, 700, 400))) == is_known


def test_late_readings_older_than_two_days_begin_nothing() -> None:
    rows = samples(700, 700, 400)
    for age, is_known in ((48 * HOUR, True), (48 * HOUR + 121, False)):
        handled = handled_tank()
        handled.tank.settling.smooth_l = 400
        assert bool(check_late(handled, rows, age)) == is_known


@pytest.mark.parametrize(("last", "is_looked_at"), [(650, True), (651, False)])
def test_a_change_of_less_than_a_twentieth_lately_begins_no_fall(
    last: float, is_looked_at: bool
) -> None:
    levels = 700, 700, 590, 595, last  # a fall of 105 L, and then some water
    fall = find_fall(samples(*levels), ibc(), 1.0, 0)
    assert fall and fall.to_l == 595
    assert bool(check(handled_tank(), *levels)) == is_looked_at


def test_a_loss_within_hours_is_compared_with_the_use_of_as_many() -> None:
    for every, ratio in ((600, 8.9), (HOUR, 8.9), (2 * HOUR, 4.45)):
        handled = handled_tank()
        handled.tank.episode = episode_of(motion_ms=8000)
        profile = handled.context.profile("north-1").profile
        profile.peaks, profile.known = [100], 48
        fall = check(handled, 950, 950, 60, 60, every=every)
        assert fall and fall.use_ratio == pytest.approx(ratio)
