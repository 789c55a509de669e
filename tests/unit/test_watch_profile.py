"""What one tank's people draw: the prior, what replaces it, and how far sums spread."""

from dataclasses import replace
from math import inf, sqrt

import pytest

from gateway.domain.registry import Site
from gateway.domain.watch.tracks import profile as profiles
from gateway.domain.watch.tracks.profile import SHAPE, Profile, Usual
from tests.unit.tank_story import ibc

MONDAY = 498_048  # 2026-10-26 0:00 UTC, in hours
USUAL = Usual([10.0] * 24, [1.0] * 7, 240.0, burst_l=40.0, relative=0.09, recent=1.0)


def started(day_l: float = 480.0) -> Profile:
    profile = Profile()
    profiles.start(profile, day_l)
    return profile


def lived(days: int, litres: list[float], day_l: float = 480.0) -> Profile:
    """After so many equal days from Monday on."""
    profile = started(day_l)
    for hour in range(24 * days):
        profiles.learn(profile, MONDAY + hour, "UTC", litres[hour % 24], 500.0)
    return profile


@pytest.mark.parametrize(
    ("site", "litres"),
    [
        (None, 550.0),  # 0.55 capacities
        (Site("north", "r"), 550.0),
        (Site("north", "r", people_low=0, people_high=0), 550.0),
        (Site("north", "r", people_low=100, people_high=400), 250.0),  # 200 people, 5 L, a quarter
        (Site("north", "r", people_low=100), 125.0),
        (Site("north", "r", people_high=400), 500.0),
    ],
)
def test_a_day_starts_at_five_litres_a_person_or_half_the_tank(
    site: Site | None, litres: float
) -> None:
    assert profiles.prior_day_l(ibc(), site, 4000.0) == pytest.approx(litres)


def test_a_site_has_no_less_capacity_than_the_tank_itself() -> None:
    site = Site("north", "r", people_low=100, people_high=100)
    assert profiles.prior_day_l(ibc(), site, 0.0) == pytest.approx(500.0)


def test_the_parts_of_a_day_add_up_and_nights_are_nearly_flat() -> None:
    assert sum(SHAPE) == pytest.approx(1.0)
    assert max(SHAPE[:6]) < 0.005 < 0.05 < min(SHAPE[7:19])


def test_before_anything_is_measured_the_prior_is_what_is_usual() -> None:
    usual = profiles.usual(started())
    assert usual.day_l == pytest.approx(480.0)
    assert usual.hourly == pytest.approx([480.0 * part for part in SHAPE])
    assert usual.weekly == [1.0] * 7
    assert (usual.burst_l, usual.recent) == (40.0, 1.0)
    assert usual.relative == pytest.approx(0.25**2 + 0.26**2 / 1.5)


def test_a_profile_is_started_once() -> None:
    profile = started()
    profiles.start(profile, 100.0)
    assert profiles.usual(profile).day_l == pytest.approx(480.0)


def test_measured_days_replace_the_prior() -> None:
    noon = [0.0] * 12 + [240.0] + [0.0] * 11
    one, ten, forty = (profiles.usual(lived(days, noon)) for days in (1, 10, 40))
    assert one.day_l == pytest.approx((0.9 * 1.5 * 480 + 240) / (0.9 * 1.5 + 1), rel=0.02)
    assert ten.day_l == pytest.approx(255.0, rel=0.02)
    assert forty.day_l == pytest.approx(240.0, rel=0.01)
    assert SHAPE[12] < one.hourly[12] / one.day_l < ten.hourly[12] / ten.day_l
    assert forty.hourly[12] / forty.day_l == pytest.approx(0.66, abs=0.02)
    assert sum(ten.hourly) == pytest.approx(ten.day_l)
    assert forty.relative == pytest.approx(0.25**2 + 0.26**2 / 9.8, rel=0.02)


def test_newer_days_count_more() -> None:
    profile = lived(20, [10.0] * 24, day_l=240.0)
    for hour in range(24 * 5):
        profiles.learn(profile, MONDAY + 24 * 20 + hour, "UTC", 20.0, 500.0)
    usual = profiles.usual(profile)
    assert usual.day_l == pytest.approx(240 + 240 * 0.41 / 0.88, rel=0.06)
    assert usual.recent == pytest.approx(1.38, abs=0.03)


def test_the_last_hours_count_for_a_factor_that_fades() -> None:
    profile = lived(20, [20.0] * 24)
    assert profiles.usual(profile).recent == pytest.approx(1.0, abs=0.01)
    for hour in range(6):
        profiles.learn(profile, MONDAY + 480 + hour, "UTC", 60.0, 500.0)
    soon = profiles.usual(profile).recent
    assert soon == pytest.approx(1.47, abs=0.03)
    for _ in range(12):
        profiles.skip(profile)
    assert profiles.usual(profile).recent == pytest.approx(1.40, abs=0.02)


def test_bursts_make_the_last_hours_count_less() -> None:
    profile = lived(20, [20.0] * 24)
    for hour in range(6):
        profiles.learn(profile, MONDAY + 480 + hour, "UTC", 60.0, 500.0)
    calm = profiles.usual(profile).recent
    profile.burst = 100 * profile.burst_l
    assert 1.0 < profiles.usual(profile).recent < calm


def test_weekdays_have_their_own_use() -> None:
    profile = started()
    for hour in range(24 * 7 * 8):
        busy = hour // 24 % 7 == 5  # Saturday
        profiles.learn(profile, MONDAY + hour, "UTC", 40.0 if busy else 20.0, 500.0)
    weekly = profiles.usual(profile).weekly
    assert weekly[5] == pytest.approx(1.4, abs=0.1)
    assert all(0.85 < factor < 1.0 for day, factor in enumerate(weekly) if day != 5)


def test_a_weekday_counts_when_it_is_over_and_never_more_than_threefold() -> None:
    profile = lived(21, [20.0] * 24)
    before = profiles.usual(profile).weekly[0]
    for hour in range(24):
        profiles.learn(profile, MONDAY + 21 * 24 + hour, "UTC", 400.0, 500.0)
    assert profiles.usual(profile).weekly[0] == pytest.approx(before, abs=1e-4)
    profiles.learn(profile, MONDAY + 22 * 24, "UTC", 20.0, 500.0)
    assert profiles.usual(profile).weekly[0] == pytest.approx(1.153, abs=0.01)
    for hour in range(1, 25):
        profiles.learn(profile, MONDAY + 22 * 24 + hour, "UTC", 0.0, 500.0)
    tuesday = profile.week[1] / profile.week_days[1]
    assert tuesday == pytest.approx((8.5 + 1 / 3) / 9.5, abs=0.03)


def test_bursts_are_the_variance_of_hours_over_their_mean() -> None:
    even = profiles.usual(lived(30, [20.0] * 24))
    in_cans = profiles.usual(lived(30, [0.0, 40.0] * 12))
    profile = started()
    for hour in range(24 * 30):  # 100 L in every fifth hour, never the same hour of the day
        profiles.learn(profile, MONDAY + hour, "UTC", 100.0 if hour % 5 == 0 else 0.0, 500.0)
    assert even.burst_l == 5.0
    assert in_cans.burst_l < 10.0
    assert profiles.usual(profile).burst_l == pytest.approx(78.0, abs=6)  # 100 L less their mean
    profile.burst *= 100
    assert profiles.usual(profile).burst_l == 300.0


def test_more_than_the_most_counts_as_the_most() -> None:
    once, far_more = started(), started()
    profiles.learn(once, MONDAY + 12, "UTC", 500.0, 500.0)
    profiles.learn(far_more, MONDAY + 12, "UTC", 900.0, 500.0)
    assert once == far_more
    assert once.peaks == [500.0]


def test_a_tank_that_nobody_uses_has_next_to_no_use_and_can_be_used_again() -> None:
    profile = lived(200, [0.0] * 24)
    assert profiles.usual(profile).day_l == 1.0
    for hour in range(24 * 40):
        profiles.learn(profile, MONDAY + 4800 + hour, "UTC", 20.0, 500.0)
    assert profiles.usual(profile).day_l == pytest.approx(480, rel=0.1)


def test_hours_are_learned_by_local_time() -> None:
    winter, summer = started(), started()
    for day in range(20):
        profiles.learn(winter, MONDAY + 24 * day + 11, "Europe/Paris", 100.0, 500.0)
        profiles.learn(summer, MONDAY - 24 * 60 + 24 * day + 10, "Europe/Paris", 100.0, 500.0)
    for profile in (winter, summer):
        assert profile.hour_days[12] == pytest.approx(12.83, abs=0.01)  # (1 - 0.95^20) / 0.05
        assert sum(profile.hour_days) == profile.hour_days[12]


def test_the_largest_hour_is_that_of_fourteen_days_and_known_after_two() -> None:
    profile = started()
    for hour in range(47):
        profiles.learn(profile, MONDAY + hour, "UTC", 90.0 if hour == 3 else 7.04, 500.0)
        assert profiles.largest_hour_l(profile) is None
    profiles.learn(profile, MONDAY + 47, "UTC", 7.0, 500.0)
    assert profiles.largest_hour_l(profile) == 90.0
    for day in range(2, 14):
        profiles.learn(profile, MONDAY + 24 * day, "UTC", 8.0, 500.0)
    assert profiles.largest_hour_l(profile) == 90.0
    profiles.learn(profile, MONDAY + 24 * 14, "UTC", 8.0, 500.0)
    assert profiles.largest_hour_l(profile) == 8.0
    assert len(profile.peaks) == 14


def test_litres_are_expected_by_hour_and_weekday_across_midnight_and_week() -> None:
    usual = replace_weekly(USUAL, hourly=[float(hour) for hour in range(24)])
    sunday = MONDAY + 6 * 24
    assert profiles.expected_l(usual, "UTC", sunday + 22, 4) == [154.0, 161.0, 0.0, 1.0]
    assert profiles.expected_l(usual, "UTC", MONDAY, 168) == [
        hour * (day + 1.0) for day in range(7) for hour in range(24)
    ]
    assert len(profiles.expected_l(usual, "UTC", sunday + 23, 168)) == 168


def test_the_hour_that_the_clock_skips_is_not_drawn_in() -> None:
    usual = replace_weekly(USUAL, hourly=[float(hour) for hour in range(24)])
    spring = 1774746000 // 3600  # 2:00 becomes 3:00 on a Sunday, weight 7
    assert profiles.expected_l(usual, "Europe/Paris", spring - 1, 3) == [7.0, 21.0, 28.0]


def replace_weekly(usual: Usual, hourly: list[float]) -> Usual:
    return usual._replace(hourly=hourly, weekly=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])


def test_the_deviation_of_a_sum_has_bursts_and_a_factor() -> None:
    assert profiles.sd_l(USUAL, 100.0) == pytest.approx(sqrt(40 * 100 + 0.09 * 100**2))


@pytest.mark.parametrize("litres", [5.0, 50.0, 300.0, 2000.0])
@pytest.mark.parametrize("deviations", [0.3, 1.28, 2.5, -0.3, -1.28, -2.5])
def test_the_expected_litres_are_the_inverse_of_the_deviation(
    litres: float, deviations: float
) -> None:
    expected = profiles.expected_for(USUAL, litres, deviations, 36.0)
    sd = sqrt(profiles.sd_l(USUAL, expected) ** 2 + 36.0)
    if litres == 5.0 and deviations in (1.28, 2.5):
        assert expected == 0.0  # the level's own error is as large
    else:
        assert expected + deviations * sd == pytest.approx(litres)


def test_so_much_less_may_never_be_expected() -> None:
    usual = USUAL._replace(relative=0.25)
    assert profiles.expected_for(usual, 100.0, -2.0, 0.0) == inf
    assert profiles.expected_for(usual, 100.0, -1.99, 0.0) > 10_000
    assert 0 < profiles.expected_for(usual, 100.0, 2.5, 0.0) < 30


def test_a_copy_of_a_profile_is_its_own() -> None:
    profile = lived(1, [20.0] * 24)
    copied = replace(profile, by_hour=list(profile.by_hour))
    profiles.learn(profile, MONDAY + 24, "UTC", 20.0, 500.0)
    assert copied.by_hour != profile.by_hour
