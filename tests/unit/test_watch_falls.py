"""Falls of the level that people at the taps cannot make, found in samples made by hand."""

from math import sqrt
from random import Random

import pytest

from gateway.domain.watch.rules.falls import find_fall
from gateway.domain.watch.tracks.tamper import Fall
from tests.unit.tank_story import HOUR, LITRES_PER_MM, T0, ibc

SIGMA = 1.0


def samples(*litres: float, every: float = 60) -> list[list[float]]:
    return [[T0 + every * i, level] for i, level in enumerate(litres)]


def found(*litres: float, every: float = 60, sigma: float = SIGMA, usual: float = 0) -> Fall:
    fall = find_fall(samples(*litres, every=every), ibc(), sigma, usual)
    assert fall is not None
    return fall


def is_none(*litres: float, every: float = 60, sigma: float = SIGMA, usual: float = 0) -> bool:
    return find_fall(samples(*litres, every=every), ibc(), sigma, usual) is None


def all_taps_lpm(from_l: float, to_l: float, taps: int = 4) -> float:
    """29 L a minute for each tap under a metre of water, and at least what 200 mm press out."""
    roots = [sqrt(max((litres - 20) / LITRES_PER_MM, 200) / 1000) for litres in (from_l, to_l)]
    return 29 * taps * (roots[0] + roots[1]) / 2


def test_a_fall_reaches_from_the_point_of_change_to_its_last_step() -> None:
    fall = found(700, 700, 700, 700, 650, 590, 540, 540, 540)
    assert (fall.at, fall.until) == (T0 + 180, T0 + 360)
    assert (fall.from_l, fall.to_l) == (700, 540)
    assert (fall.single_step, fall.step_s) == (False, 60)


def test_a_slow_draw_before_it_is_no_part_of_a_fall() -> None:
    fall = found(720, 715, 710, 705, 700, 600, 500)  # 5 L a minute, a tenth of all taps is 8
    assert (fall.at, fall.until) == (T0 + 240, T0 + 360)


def test_the_level_before_is_the_median_of_three_samples() -> None:
    assert found(650, 700, 690, 705, 500, sigma=5).from_l == 700
    assert found(690, 705, 500, sigma=5).from_l == 690  # of two, the one that may be no echo
    assert found(705, 500, sigma=5).from_l == 705


def test_the_level_after_is_the_median_of_three_samples() -> None:
    assert found(700, 700, 500, 490, 520, 530).to_l == 500
    assert found(700, 700, 500, 490).to_l == 500


def test_a_level_that_is_back_but_for_ten_litres_was_no_fall() -> None:
    assert is_none(700, 700, 300, 690)


def test_one_sample_that_is_too_high_begins_no_fall() -> None:
    assert is_none(700, 700, 900, 700, 700)
    assert found(700, 900, 900, 700, 700).from_l == 900


@pytest.mark.parametrize(("last", "until"), [(480, 120), (479, 180)])
def test_a_step_below_a_tenth_of_the_fall_so_far_no_longer_belongs_to_it(
    last: float, until: float
) -> None:
    assert found(700, 700, 500, last).until == T0 + until


@pytest.mark.parametrize(("last", "until"), [(475, 120), (474, 180)])
def test_a_step_within_the_noise_no_longer_belongs_to_a_fall(last: float, until: float) -> None:
    assert found(700, 700, 500, last, sigma=10).until == T0 + until


@pytest.mark.parametrize(("sigma", "least"), [(1, 100), (12.5, 100), (12.6, 100.8), (20, 160)])
def test_a_fall_is_a_tenth_of_the_tank_and_eight_sigmas_beyond_a_tenth_of_all_taps(
    sigma: float, least: float
) -> None:
    start = 500 + least + 0.1 * all_taps_lpm(500, 500)
    assert is_none(start - 0.01, 500, sigma=sigma)
    assert found(start + 0.01, 500, sigma=sigma).to_l == 500


def test_a_fall_must_exceed_what_people_usually_draw_but_never_half_of_all_taps() -> None:
    assert is_none(629, 500, usual=0.5)
    assert found(631, 500, usual=0.5)
    start = 600 + 0.5 * all_taps_lpm(500, 500)
    assert is_none(start - 0.01, 500, usual=50)
    assert found(start + 0.01, 500, usual=50)


def test_a_long_gap_permits_no_more_than_an_hour_of_draws() -> None:
    start = 200 + 60 * 0.1 * all_taps_lpm(100, 100)
    for every in (HOUR, 3 * HOUR):
        assert is_none(start - 0.1, 100, every=every)
        assert found(start + 0.1, 100, every=every)
    assert found(start - 0.1, 100, every=HOUR - 60)


def test_a_loss_that_the_median_of_the_next_samples_makes_smaller_is_none() -> None:
    assert found(700, 700, 590, 595, 595).to_l == 595
    assert is_none(700, 700, 590, 640, 640)


@pytest.mark.parametrize("back", [697.6, 700, 720])
def test_a_level_that_returns_within_the_noise_was_no_fall(back: float) -> None:
    assert is_none(700, 700, 300, back)


def test_a_fall_that_ended_more_than_an_hour_ago_is_old() -> None:
    early = samples(700, 700, 500)
    assert find_fall([*early, [T0 + 120 + HOUR, 500.0]], ibc(), SIGMA, 0)
    assert find_fall([*early, [T0 + 121 + HOUR, 500.0]], ibc(), SIGMA, 0) is None


@pytest.mark.parametrize(("every", "flat_s"), [(10, 45), (29, 45), (60, 90), (600, 900)])
def test_a_plateau_lasts_45_seconds_and_one_and_a_half_intervals(
    every: float, flat_s: float
) -> None:
    early = samples(700, 700, 500, every=every)
    for stayed_s, is_flat in ((flat_s - 1, False), (flat_s, True)):
        fall = find_fall([*early, [early[-1][0] + stayed_s, 500.0]], ibc(), SIGMA, 0)
        assert fall and fall.plateau == is_flat and not fall.emptied


def test_a_tank_is_emptied_at_five_percent_above_its_tap() -> None:
    fall = found(400, 400, 70, 70, 70)
    assert (fall.emptied, fall.plateau) == (True, False)
    fall = found(400, 400, 71, 71, 71)
    assert (fall.emptied, fall.plateau) == (False, True)


def test_a_fall_between_two_samples_is_a_single_step() -> None:
    fall = found(700, 700, 400, 400, every=240)
    assert fall.single_step and fall.step_s == 240
    assert not found(700, 700, 550, 400).single_step


@pytest.mark.parametrize(("from_l", "to_l"), [(900, 600), (500, 240), (300, 25)])
def test_the_rate_is_compared_with_all_taps_by_torricelli(from_l: float, to_l: float) -> None:
    fall = found(from_l, from_l, to_l, every=120)
    assert fall.lpm == pytest.approx((from_l - to_l - 2.5) / 2)  # less 2.5 sigmas
    assert fall.taps_ratio == pytest.approx(fall.lpm / all_taps_lpm(from_l, to_l))


@pytest.mark.parametrize(("taps", "counted"), [(1, 2), (2, 2), (3, 3)])
def test_a_tank_with_one_tap_counts_as_one_with_two(taps: int, counted: int) -> None:
    fall = find_fall(samples(700, 700, 400), ibc(taps=taps), SIGMA, 0)
    assert fall is not None
    assert fall.taps_ratio == pytest.approx(297.5 / all_taps_lpm(700, 400, counted))


def test_the_rate_is_that_of_the_fastest_part() -> None:
    fall = found(800, 800, 780, 760, 600, 580, 560)
    assert fall.lpm == pytest.approx(157.5)
    assert fall.taps_ratio == pytest.approx(157.5 / all_taps_lpm(760, 600))


@pytest.mark.parametrize(("last", "decays"), [(541, True), (540, False)])
def test_a_fall_decays_when_its_second_half_is_less_than_six_tenths_of_the_first(
    last: float, decays: bool
) -> None:
    assert found(700, 650, 600, 570, last).decays == decays


def test_a_fall_of_three_samples_is_too_short_to_decay() -> None:
    assert not found(700, 550, 530).decays
    assert found(700, 600, 560, 545).decays


def through_hole(at_l: float, every: float, count: int) -> list[float]:
    """800 L leave through a hole at the height of ``at_l``: the root of the head falls in
    proportion to time (Torricelli)."""
    roots = (max(sqrt(800 - at_l) - 0.04 * every * i, 0.0) for i in range(count))
    return [at_l + root * root for root in roots]


def test_a_cut_slows_more_than_a_valve() -> None:
    valve = found(800, *through_hole(0, 60, 9))
    assert valve.slowing == pytest.approx(1.0, abs=0.03)
    cut = found(800, *through_hole(400, 60, 9))
    assert cut.slowing is not None and cut.slowing < 0.7


def test_slowing_compares_both_halves_with_the_height_of_the_water() -> None:
    expected = sqrt((600 + 541) / (700 + 600))
    assert found(700, 650, 600, 570, 541).slowing == pytest.approx(0.59 / expected)
    assert found(700, 650, 600, 550).slowing is None  # four samples


def test_noise_makes_no_fall() -> None:
    random = Random(11)
    for _ in range(100):
        noise = [700 + random.gauss(0, 12) for _ in range(24)]
        assert is_none(*noise, sigma=12)


def test_people_who_draw_all_day_make_no_fall() -> None:
    assert is_none(*range(900, 740, -7))  # 7 L a minute


@pytest.mark.parametrize(("last", "counts"), [(121, True), (120, False)])
def test_the_ratio_is_the_largest_of_the_parts_nearly_as_fast_as_the_fastest(
    last: float, counts: bool
) -> None:
    # lower down the same rate is more of what all taps give: eight tenths of the rate count
    fall = found(900, 750, *range(700, 250, -50), 300 - last)
    fast, low = 147.5 / all_taps_lpm(900, 750), (last - 2.5) / all_taps_lpm(300, 300 - last)
    assert fall.lpm == 147.5 and low > fast
    assert fall.taps_ratio == pytest.approx(low if counts else fast)
