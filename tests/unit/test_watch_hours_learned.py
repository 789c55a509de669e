"""What an hour of one tank teaches: draws, dry hours, gaps, forecasts that came true."""

import copy

import pytest

from gateway.domain.watch.tracks import forecast as forecasts
from gateway.domain.watch.tracks import profile as profiles
from gateway.domain.watch.tracks.level import LevelTrack
from tests.unit.hourly_tank import HOUR, MONDAY, ROW, Watched
from tests.unit.tank_story import ibc


def test_the_first_hour_began_before_the_first_reading() -> None:
    watched = Watched().passes(30.0)
    assert (watched.profile.known, watched.profile.counted_l) == (0, 30.0)
    watched.passes(20.0)
    assert (watched.profile.known, watched.profile.counted_hour) == (1, MONDAY + 1)
    assert watched.profile.by_hour[1] == 20.0


def test_an_hour_without_a_reading_waits_for_the_next_one() -> None:
    watched = Watched().passes(0.0, *[10.0] * 48).misses(3)
    assert watched.profile.known == 48
    watched.passes(40.0)
    assert watched.profile.known == 52
    assert watched.profile.counted_hour == watched.hour - 1
    steady = Watched().passes(0.0, *[10.0] * 52)
    assert watched.profile.total == pytest.approx(steady.profile.total, rel=0.02)


def test_a_reading_of_the_hours_first_second_is_of_this_hour() -> None:
    watched = Watched().passes(0.0, 10.0)
    watched.hour += 1
    watched.flow.drawn_l += 10.0
    watched.level.received = (watched.hour - 1) * HOUR - 1
    watched.account(True)
    assert watched.profile.known == 1
    watched.level.received += 1
    watched.account(True)
    assert watched.profile.known == 2


def test_hours_without_readings_share_a_draw_by_what_is_usual() -> None:
    watched = Watched().passes(0.0, *([0.0] * 11 + [240.0] + [0.0] * 12) * 20)
    first = watched.hour % 24  # from 1:00 on
    assert first == 1
    before = watched.profile.by_hour[:]
    watched.misses(22).passes(200.0)
    gained = [
        after - 0.95 * old for after, old in zip(watched.profile.by_hour, before, strict=True)
    ]
    assert gained[12] > 70.0
    assert all(gain < 20 for hour, gain in enumerate(gained) if hour != 12)


def test_of_a_longer_gap_the_last_day_counts_with_its_share() -> None:
    watched = Watched().passes(0.0, *[10.0] * 240)
    day_l = profiles.usual(watched.profile).day_l
    watched.misses(47).passes(480.0)
    assert watched.profile.known == 240 + 24
    assert profiles.usual(watched.profile).day_l == pytest.approx(day_l, rel=0.01)


def test_water_that_was_no_draw_counts_for_nothing() -> None:
    watched = Watched().passes(0.0, *[10.0] * 30)
    assert watched.scaling.pending
    before = copy.deepcopy(watched.profile)
    watched.passes(700.0, known=False)
    assert watched.scaling.pending == []
    assert (watched.profile.known, watched.profile.total) == (30, before.total)
    watched.passes(10.0)
    assert watched.profile.known == 31
    assert max(watched.profile.peaks) == 10.0


def test_a_total_that_fell_is_no_draw() -> None:
    watched = Watched().passes(0.0, 30.0, -20.0)
    assert watched.profile.known == 2
    assert min(watched.profile.by_hour) == 0.0


def test_the_hour_in_which_it_runs_dry_and_all_until_the_one_after_the_refill_teach_nothing() -> (
    None
):
    watched = Watched().passes(0.0, *[10.0] * 24)
    watched.passes(60.0, 0.0, 0.0, level=32.0)
    assert watched.profile.known == 24
    recent = watched.profile.recent_days
    watched.passes(60.0)
    assert watched.profile.known == 24
    assert watched.profile.recent_days == pytest.approx(0.944 * recent)
    watched.passes(10.0)
    assert watched.profile.known == 25


@pytest.mark.parametrize(
    ("litres", "sd", "dry"),
    [(32.0, 6.0, True), (32.1, 6.0, False), (30.0, None, True), (30.1, None, False),
     (30.0, 1.0, True), (30.1, 1.0, False), (None, 6.0, False)],
)  # fmt: skip
def test_it_is_dry_within_two_deviations_or_one_per_cent_of_the_tap(
    litres: float | None, sd: float | None, dry: bool
) -> None:
    assert forecasts.is_dry(LevelTrack(volume_l=litres, sd_l=sd), ROW) is dry


def test_an_hours_draw_counts_as_half_a_tank_at_most() -> None:
    watched = Watched(ibc(capacity_l=240.0)).passes(0.0, 200.0)
    assert watched.profile.by_hour[1] == 120.0


def test_every_six_hours_the_next_twelve_and_twenty_four_are_expected() -> None:
    watched = Watched().passes(0.0, *[10.0] * 6)
    made = MONDAY + 6
    assert made % 6 == 0
    assert [entry[:3] for entry in watched.scaling.pending] == [[made, 12, 60.0], [made, 24, 60.0]]
    ahead = forecasts.expect(profiles.usual(watched.profile), "UTC", watched.hour * HOUR).litres
    assert [entry[3] for entry in watched.scaling.pending] == [
        round(ahead[12], 2), round(ahead[24], 2),
    ]  # fmt: skip
    watched.passes(*[10.0] * 5)
    assert len(watched.scaling.pending) == 2
    watched.passes(10.0)
    assert len(watched.scaling.pending) == 4


def test_after_its_hours_a_forecast_is_compared_with_what_was_drawn() -> None:
    watched = Watched().passes(0.0, *[10.0] * 17)
    assert watched.scaling.errors == []
    _, _, drawn, expected = watched.scaling.pending[0]
    watched.passes(70.0)
    usual = profiles.usual(watched.profile)
    error = (watched.flow.drawn_l - drawn - expected) / profiles.sd_l(usual, expected)
    assert watched.scaling.errors == [round(error, 3)]
    assert all(entry[1] == 24 or entry[0] > MONDAY + 6 for entry in watched.scaling.pending)


def test_a_tank_that_runs_dry_finishes_its_forecasts_with_the_hours_passed() -> None:
    watched = Watched().passes(0.0, *[10.0] * 24 * 4)
    watched.passes(10.0, 10.0)
    made, ahead_h, _, litres = watched.scaling.pending[-3]
    assert (watched.hour - 1 - made, ahead_h) == (8, 24)
    finished = len(watched.scaling.errors)
    watched.passes(200.0, level=25.0)
    assert watched.scaling.pending == []
    new = watched.scaling.errors[finished:]
    assert len(new) == 4  # of the two newest, next to nothing was expected yet
    usual = profiles.usual(watched.profile)
    hours = profiles.expected_l(usual, "UTC", int(made) + 1, 24)
    expected = litres * (sum(hours[:8]) + hours[8] / 2) / sum(hours)
    assert new[-1] == pytest.approx((280.0 - expected) / profiles.sd_l(usual, expected), abs=0.002)
    watched.passes(*[0.0] * 12, level=25.0)
    assert watched.scaling.pending == []


def test_a_forecast_whose_end_had_no_reading_is_dropped() -> None:
    watched = Watched().passes(0.0, *[10.0] * 6)
    made = watched.hour - 1
    watched.misses(12).passes(130.0, *[10.0] * 5)
    assert watched.hour - 1 == made + 18
    assert watched.scaling.errors == []
    assert [entry[:2] for entry in watched.scaling.pending] == [
        [made, 24], [made + 18, 12], [made + 18, 24],
    ]  # fmt: skip


def test_hours_in_which_next_to_nothing_is_expected_say_nothing_about_the_range() -> None:
    watched = Watched(day_l=24.0).passes(0.0, *[1.0] * 24 * 4)
    assert watched.scaling.errors == []
    watched = Watched(ibc(capacity_l=300.0, empty_l=0), day_l=24.0).passes(0.0, *[1.0] * 24 * 4)
    assert watched.scaling.errors
