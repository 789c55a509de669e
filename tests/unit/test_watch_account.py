"""Refills and draws from settled samples: where a rise begins, how it ends, what is booked."""

from itertools import pairwise

import pytest

from gateway.domain.watch.tracks import account, flow, refill
from gateway.domain.watch.tracks.account import Flow
from tests.unit.followed_tank import ERROR_L, SIGMA_L, STEP_L, Followed
from tests.unit.settled_tank import ROW
from tests.unit.tank_story import HOUR, T0


def test_the_least_step_is_of_the_scatter_of_what_the_sensor_states_or_of_the_tank() -> None:
    assert refill.step_l(ROW, 5.0, 6.0) == 25.0
    assert refill.step_l(ROW, 3.0, 6.5) == STEP_L
    assert refill.step_l(ROW, 2.0, 5.0) == 15.0


@pytest.mark.parametrize(("rise", "kinds"), [(16.2, []), (16.3, ["refill"])])
def test_a_step_above_the_noise_is_a_refill(rise: float, kinds: list[str]) -> None:
    seen = Followed(*([500.0] * 8)).sees(*([500.0 + rise] * 3))
    assert seen.kinds == kinds
    assert seen.total("refill") == pytest.approx(rise if kinds else 0, abs=0.1)


def test_a_small_refill_counts_what_was_drawn_until_it() -> None:
    """5 L a reading are drawn and 30 L poured in: the level rises by 25 L, less than a step."""
    drawn = [900.0 - 5 * i for i in range(13)]  # until 840 L
    seen = Followed(*drawn).sees(865, 860, 855, 850)
    assert seen.kinds.count("refill") == 1
    assert seen.total("refill") == pytest.approx(30, abs=3)


def test_draws_that_stop_are_no_refill() -> None:
    seen = Followed(*(900.0 - 40 * i for i in range(9))).sees(*([580.0] * 8))
    assert "refill" not in seen.kinds
    assert seen.total("draw") == pytest.approx(320, abs=8)


def test_a_refill_that_two_samples_saw_begins_before_both() -> None:
    seen = Followed(*([500.0] * 6)).sees(560, 800, 800, 800, 800)
    (event,) = seen.told
    assert (event.kind, event.at) == ("refill", T0 + 6 * 900)
    assert event.litres == pytest.approx(300, abs=2)
    assert event.until == T0 + 8 * 900


def test_a_rise_that_falls_right_back_is_an_echo() -> None:
    """Below two fifths of the rise, within three samples of its top."""
    seen = Followed(*([500.0] * 6)).sees(800, 800, 619, 500, 500)
    assert seen.told == []
    assert seen.flow.rise is None
    assert seen.flow.smooth_l == 500
    seen = Followed(*([500.0] * 6)).sees(800, 800, 621)
    assert seen.kinds == ["refill"]


def test_a_rise_that_lasts_is_none() -> None:
    seen = Followed(*([500.0] * 6)).sees(800, 800, 800, 800, every=120).sees(510)
    assert seen.kinds == ["refill"]
    assert seen.total("refill") == pytest.approx(300, abs=1)


@pytest.mark.parametrize(("growth", "top"), [(4.9, 800.0), (5.1, 805.1)])
def test_a_refill_goes_on_while_the_level_grows_by_half_a_per_cent(
    growth: float, top: float
) -> None:
    seen = Followed(*([500.0] * 6)).sees(800, 800 + growth, every=100)
    assert seen.flow.rise is not None
    assert seen.flow.rise.top_l == pytest.approx(top)


@pytest.mark.parametrize(("every", "count"), [(269, 0), (270, 1)])
def test_a_refill_ends_nine_minutes_after_its_top(every: float, count: int) -> None:
    seen = Followed(*([500.0] * 6)).sees(800, 800, 800, every=every)
    assert len(seen.told) == count


def test_a_refill_needs_three_samples_at_its_top_or_twenty_minutes() -> None:
    assert Followed(*([500.0] * 6)).sees(800, 800).told == []
    assert Followed(*([500.0] * 6)).sees(800, 800, 800).kinds == ["refill"]
    assert Followed(*([500.0] * 6)).sees(800, 800, every=1200).told == []
    assert Followed(*([500.0] * 6)).sees(800, 800, every=1201).kinds == ["refill"]


@pytest.mark.parametrize(("fall", "count"), [(14.9, 0), (15.1, 1)])
def test_a_fall_from_the_top_ends_it_at_once(fall: float, count: int) -> None:
    seen = Followed(*([500.0] * 6)).sees(800, 800 - fall, every=100)
    assert len(seen.told) == count


def test_a_pump_that_rests_for_less_than_a_third_of_the_time_goes_on() -> None:
    filling = [500.0 + 25 * i for i in range(1, 9)]  # 2 hours
    seen = Followed(*([500.0] * 6)).sees(*filling, 700, 700, *(700.0 + 25 * i for i in range(1, 5)))
    assert seen.told == []
    seen.sees(*([800.0] * 8))
    assert seen.kinds == ["refill"]
    assert seen.total("refill") == pytest.approx(300, abs=6)


def test_what_is_drawn_while_water_comes_in_is_estimated_and_in_the_bounds() -> None:
    drawn = [900.0 - 10 * i for i in range(20)]  # until 710 L, 40 L an hour
    seen = Followed(*drawn).sees(750, 790, 830, 870, *(870.0 - 10 * i for i in range(1, 6)))
    (event,) = [e for e in seen.told if e.kind == "refill"]
    assert event.litres == pytest.approx(160 + 40, abs=12)
    assert event.least_l == pytest.approx(160, abs=12)
    assert event.most_l == pytest.approx(160 + 3 * 40 + ERROR_L, abs=16)


def test_draws_during_a_refill_are_at_most_half_of_the_rise() -> None:
    drawn = [900.0 - 60 * i for i in range(10)]  # until 360 L, 240 L an hour
    seen = Followed(*drawn).sees(400, *([400.0] * 6), every=3000)
    (event,) = [e for e in seen.told if e.kind == "refill"]
    assert event.litres is not None
    assert event.most_l is not None
    assert event.least_l is not None
    assert event.litres <= 1.5 * (event.least_l + ERROR_L) + 0.2


def test_nobody_draws_from_an_empty_tank() -> None:
    emptied = [300.0 - 40 * i for i in range(8)]
    seen = Followed(*emptied).sees(620, 620, 620, 620, every=3000)
    (event,) = [e for e in seen.told if e.kind == "refill"]
    assert event.litres == pytest.approx(600, abs=45)
    assert seen.told[-1].kind == "refill"


@pytest.mark.parametrize(("drawn", "count"), [(4.9, 0), (5.0, 1)])
def test_a_draw_is_booked_from_half_a_per_cent_of_the_tank(drawn: float, count: int) -> None:
    track = Flow(booked_l=500.0, booked_at=T0)
    events = account.book_draw(track, ROW, 500.0 - drawn, T0 + 600, SIGMA_L)
    assert len(events) == count
    assert track.drawn_l == pytest.approx(drawn if count else 0)
    assert track.booked_l == pytest.approx(500 - drawn if count else 500)
    assert track.booked_at == (T0 + 600 if count else T0)


def test_a_booked_draw_states_its_error() -> None:
    track = Flow(booked_l=500.0, booked_at=T0, draw_at=T0 + 60)
    (event,) = account.book_draw(track, ROW, 400.0, T0 + 600, SIGMA_L)
    assert (event.at, event.until, event.litres) == (T0 + 60, T0 + 600, 100.0)
    assert event.least_l == pytest.approx(100 - ERROR_L, abs=0.06)
    assert event.most_l == pytest.approx(100 + ERROR_L, abs=0.06)
    assert track.draw_at is None


def test_the_least_of_a_small_draw_is_not_negative() -> None:
    track = Flow(booked_l=500.0, booked_at=T0)
    (event,) = account.book_draw(track, ROW, 490.0, T0 + 600, 20.0)
    assert event.least_l == 0.0


def test_an_event_never_ends_before_it_begins() -> None:
    event = account.event(ROW, T0 + 60, T0, "draw", 1.26, 1.24, 1.35)
    assert (event.at, event.until) == (T0, T0)
    assert (event.litres, event.least_l, event.most_l) == (1.3, 1.2, 1.4)


@pytest.mark.parametrize(
    ("sigma_l", "drawn", "begun"),
    [(2, 4.5, False), (2, 5.5, True), (4, 7.5, False), (4, 8.5, True)],
)
def test_a_draw_begins_beyond_two_sd_or_half_a_per_cent(
    sigma_l: float, drawn: float, begun: bool
) -> None:
    seen = Followed(500, 500).sees(*([500.0 - drawn] * 12), every=60, sigma_l=sigma_l)
    assert (seen.flow.draw_at is not None) == begun


def test_a_fall_that_may_be_a_loss_is_booked_once_it_is_none() -> None:
    seen = Followed(800, 800, 800).sees(*([600.0] * 8), suspect=True)
    assert seen.told == []
    seen.sees(600)
    assert seen.kinds == ["draw"]
    assert seen.total("draw") == pytest.approx(200, abs=1)


def test_a_loss_is_taken_from_the_account_without_a_draw() -> None:
    seen = Followed(800, 790, 780)
    events = flow.book_loss(seen.flow, ROW, 770.0, 100.0, T0 + 3000, T0 + 3600, SIGMA_L)
    assert [(e.kind, e.litres, e.until) for e in events] == [("draw", 30.0, T0 + 3000)]
    assert (seen.flow.booked_l, seen.flow.smooth_l) == (100.0, 100.0)
    assert seen.flow.booked_at == T0 + 3600
    assert flow.drawn_l(seen.flow) == 30.0


def test_the_total_drawn_includes_the_draw_in_progress() -> None:
    seen = Followed().sees(500, 500, 480, 480, 480, every=300)
    assert seen.told == []
    assert flow.drawn_l(seen.flow) == pytest.approx(20, abs=3)


@pytest.mark.parametrize(
    ("change", "kind"), [(29.0, ""), (31.0, "refill"), (-4.0, ""), (-6.0, "draw")]
)
def test_after_a_spell_only_a_change_beyond_the_noise_is_told(change: float, kind: str) -> None:
    seen = Followed(500, 500, 500)
    seen.at += 4 * HOUR
    events = flow.resume(seen.flow, ROW, seen.sample(500 + change), SIGMA_L)
    assert [e.kind for e in events] == ([kind] if kind else [])
    assert seen.flow.booked_l == (500 + change if kind else 500)
    assert seen.flow.smooth_l == 500 + change


def test_a_refill_in_a_spell_may_be_a_whole_tank_more() -> None:
    seen = Followed(500, 500, 500)
    seen.at += 4 * HOUR
    (event,) = flow.resume(seen.flow, ROW, seen.sample(700), SIGMA_L)
    assert (event.litres, event.most_l) == (200.0, 1200.0)
    assert event.least_l == pytest.approx(200 - ERROR_L, abs=0.06)
    assert event.at == T0 + 900


def test_a_flow_that_begins_with_a_resumption_books_from_there() -> None:
    seen = Followed()
    assert flow.resume(seen.flow, ROW, seen.sample(500), SIGMA_L) == []
    assert (seen.flow.booked_l, seen.flow.smooth_l) == (500, 500)


def test_the_smoothed_level_follows_a_steady_draw_without_lag() -> None:
    seen = Followed(*(900.0 - 8 * i for i in range(40)))
    assert seen.flow.smooth_l == pytest.approx(900 - 8 * 39, abs=0.5)
    assert seen.flow.trend_lps == pytest.approx(-8 / 900, rel=0.02)


def test_the_trend_is_of_draws_only() -> None:
    seen = Followed(*(500.0 + 2 * i for i in range(9)))
    assert seen.flow.trend_lps == 0.0


@pytest.mark.parametrize(("elapsed", "trend"), [(3600.0, -1.0), (3601.0, 0.0), (0.0, 0.0)])
def test_after_an_hour_without_a_sample_the_trend_is_forgotten(
    elapsed: float, trend: float
) -> None:
    track = Flow(smooth_l=5000.0, smooth_at=T0, trend_lps=-1.0)
    account.smooth(track, 5000.0 - elapsed, T0 + elapsed, STEP_L)
    assert track.trend_lps == trend


def test_a_line_is_the_level_at_its_end_and_its_slope() -> None:
    level, slope = account.line([0.0, 10.0, 20.0], [10.0, 8.0, 6.0])
    assert (level, slope) == (pytest.approx(6.0), pytest.approx(-0.2))
    assert account.line([5.0, 5.0], [10.0, 8.0]) == (9.0, 0.0)


def test_the_trend_is_of_the_last_two_hours() -> None:
    seen = Followed(*([900.0] * 4), *(900.0 - 10 * i for i in range(1, 10)))
    assert flow.trend_lph(seen.flow) == -40.0
    assert flow.trend_lph(Followed(500, 490).flow) is None
    assert flow.trend_lph(Followed(500, 490, 480).flow) == -40.0
    assert flow.trend_lph(Followed().sees(500, 490, 480, every=749).flow) is None
    assert flow.trend_lph(Followed().sees(500, 490, 480, every=750).flow) == -48.0


def test_there_is_no_trend_while_water_comes_in() -> None:
    seen = Followed(*([500.0] * 6)).sees(700)
    assert flow.trend_lph(seen.flow) is None


def test_the_samples_that_are_kept_are_bounded() -> None:
    seen = Followed(*([500.0] * 60))
    assert len(seen.flow.recent) == 24
    assert all(b[0] > a[0] for a, b in pairwise(seen.flow.recent))
