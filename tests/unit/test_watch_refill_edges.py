"""Refills at their edges: among the first readings, at the top, from an empty tank."""

import pytest

from gateway.domain.outputs import TankEvent
from gateway.domain.watch.tracks import account, flow
from gateway.domain.watch.tracks.account import Rise
from tests.unit.followed_tank import ERROR_L, SIGMA_L, Followed
from tests.unit.settled_tank import ROW
from tests.unit.tank_story import HOUR, T0

NEARLY_EMPTY_L = 20 + 2 * SIGMA_L


def refill(seen: Followed) -> TankEvent:
    (found,) = [event for event in seen.told if event.kind == "refill"]
    return found


@pytest.mark.parametrize("known", [1, 2, 3, 4])
def test_a_refill_among_the_first_readings_starts_at_the_one_before(known: int) -> None:
    seen = Followed(*([500.0] * known)).sees(*([800.0] * 4))
    found = refill(seen)
    assert found.litres == 300
    assert found.at == T0 + 900 * known
    assert found.until == T0 + 900 * (known + 1)


def test_a_refill_after_two_readings_of_a_draw_starts_at_the_lower_one() -> None:
    seen = Followed(520.0, 500.0).sees(*([800.0] * 4))
    assert refill(seen).litres == 300


def test_a_level_that_creeps_up_at_the_top_ends_at_the_middle_reading() -> None:
    seen = Followed(*([500.0] * 8)).sees(800.0, 802.0, 804.0)
    assert refill(seen).litres == 302


def test_a_level_that_falls_at_the_top_ends_at_the_highest_reading() -> None:
    seen = Followed(*([500.0] * 8)).sees(800.0, 795.0, 780.0)
    assert refill(seen).litres == 300


def drawn_down(to: float) -> Followed:
    """A draw of 8 L each quarter of an hour, down to ``to``."""
    return Followed(*(to + 8.0 * n for n in range(8, -1, -1)))


def test_what_people_drew_before_they_drew_during_the_refill_too() -> None:
    seen = drawn_down(NEARLY_EMPTY_L + 1).sees(*([600.0] * 4))
    found = refill(seen)
    assert found.litres == pytest.approx(573 + 8, abs=1)


def test_from_a_nearly_empty_tank_they_drew_as_after_the_refill_for_half_the_time() -> None:
    still = drawn_down(NEARLY_EMPTY_L - 1).sees(*([600.0] * 4))
    assert refill(still).litres == pytest.approx(575, abs=0.5)
    drawing = drawn_down(NEARLY_EMPTY_L - 1).sees(600.0, 590.0, 580.0)
    assert refill(drawing).litres == pytest.approx(575 + 5, abs=0.5)


def test_a_slow_refill_begins_with_the_last_reading_before_it() -> None:
    seen = Followed(*([500.0] * 20), *(500.0 + 6 * n for n in range(1, 13)), *([572.0] * 6))
    found = refill(seen)
    assert found.at == T0 + 900 * 20
    assert found.litres == pytest.approx(72, abs=1)


@pytest.mark.parametrize(("litres", "kinds"), [(2.0, []), (2.6, ["refill"])])
def test_a_trickle_is_a_refill_when_it_brings_30_litres_in_three_and_a_half_hours(
    litres: float, kinds: list[str]
) -> None:
    trickle = [500.0 + litres * n for n in range(1, 41)]
    seen = Followed(*([500.0] * 8), *trickle).sees(*([trickle[-1]] * 8))
    assert seen.kinds == kinds


def test_a_trickle_that_takes_longer_is_none_however_often_the_node_reads() -> None:
    seen = Followed(*([500.0] * 8)).sees(*(500.0 + 1.6 * n for n in range(1, 41)), every=800)
    assert seen.sees(*([564.0] * 8)).kinds == []


@pytest.mark.parametrize(("rise", "kinds"), [(14.5, []), (16.0, ["refill"])])
def test_where_people_draw_much_the_reading_itself_must_rise(rise: float, kinds: list[str]) -> None:
    seen = Followed(*(900.0 - 15 * n for n in range(9))).sees(*([780.0 + rise] * 4))
    assert [kind for kind in seen.kinds if kind == "refill"] == kinds


def test_a_level_that_rises_a_little_twice_is_no_refill() -> None:
    seen = Followed(*([500.0] * 8)).sees(507.5, *([516.0] * 6))
    assert "refill" not in seen.kinds


def test_a_level_that_falls_again_after_a_small_rise_is_no_refill() -> None:
    last = 900.0 - 0.5 * 19
    seen = Followed(*(900.0 - 0.5 * n for n in range(20))).sees(last + 15.6, *([last + 15.4] * 4))
    assert "refill" not in seen.kinds


def test_through_a_long_refill_that_was_seen_people_drew_as_before() -> None:
    drawn = [900.0 - 10 * n for n in range(20)]
    seen = Followed(*drawn).sees(*(710.0 + 20 * n for n in range(1, 9)), *([870.0] * 4))
    assert refill(seen).litres == pytest.approx(160 + 80, abs=8)


def test_through_a_long_refill_that_nobody_saw_they_drew_half_as_much() -> None:
    drawn = [900.0 - 10 * n for n in range(20)]
    seen = Followed(*drawn).sees(870.0, every=7200).sees(*([870.0] * 4))
    assert refill(seen).litres == pytest.approx(160 + 40, abs=8)


def test_what_fell_at_the_top_is_drawn_from_the_refilled_tank() -> None:
    seen = Followed(*([500.0] * 8)).sees(800.0, 790.0, 780.0)
    assert refill(seen).litres == 300
    assert flow.drawn_l(seen.flow) == pytest.approx(13.5, abs=0.5)


def test_a_level_below_the_sensor_floor_counts_from_zero() -> None:
    seen = Followed(*([-3.0] * 8)).sees(*([300.0] * 4))
    assert refill(seen).litres == 300


def test_a_false_echo_leaves_no_trace_in_the_trend() -> None:
    seen = Followed(*([500.0] * 8)).sees(800.0, *([500.0] * 4))
    assert seen.told == []
    assert 800.0 not in [litres for _, litres in seen.flow.recent]
    assert flow.trend_lph(seen.flow) == 0


def test_a_draw_after_a_refill_begins_at_its_top() -> None:
    seen = Followed(*([500.0] * 8)).sees(*([800.0] * 4), 760.0, *([760.0] * 6))
    assert seen.kinds == ["refill", "draw"]
    assert refill(seen).until <= seen.told[1].at
    seen = Followed(*([500.0] * 8)).sees(800.0, 790.0, 780.0, *([780.0] * 6))
    assert seen.told[1].at >= refill(seen).until


def test_a_refill_that_a_sensor_fault_interrupts_is_told_once() -> None:
    seen = Followed(*([500.0] * 8)).sees(800.0)
    seen.at += 6 * 900
    told = flow.resume(seen.flow, ROW, seen.sample(700.0), SIGMA_L)
    assert [(event.kind, event.litres) for event in told] == [("refill", 200.0)]
    assert flow.trend_lph(seen.flow) is None, "of one sample"
    assert seen.sees(*([700.0] * 6)).kinds == []


def test_the_trend_is_stated_to_a_tenth() -> None:
    seen = Followed(*(800.0 - 5.03 * n for n in range(10)))
    assert flow.trend_lph(seen.flow) == -20.1


@pytest.mark.parametrize(("hours", "unseen"), [(1, 0.0), (1.01, 120.0), (4, 120.0)])
def test_a_refill_in_a_gap_may_hide_draws_though_none_were_seen_before(
    hours: float, unseen: float
) -> None:
    seen = Followed(*([500.0] * 8)).sees(800.0, every=hours * HOUR).sees(*([800.0] * 4))
    found = refill(seen)
    assert found.litres == 300
    assert found.most_l == pytest.approx(300 + unseen + ERROR_L, abs=0.1)


def test_the_error_of_a_difference_grows_with_the_scatter() -> None:
    assert account.error_l(10.0) == pytest.approx(13.96, abs=0.01)


@pytest.mark.parametrize(("rise", "kinds"), [(8.9, []), (9.1, ["refill"])])
def test_the_level_must_rise_above_what_was_read_and_not_only_above_what_draws_let_expect(
    rise: float, kinds: list[str]
) -> None:
    """By three sd of one reading."""
    seen, top = Followed(*([500.0] * 8)), 500.0 + rise
    at = seen.flow.recent_at[-1]
    seen.flow.rise = Rise(at, 450.0, at + 900, top, 0.0, [[at + 900, top]], 5, seen_l=500.0)
    seen.at += 900
    assert [kind for kind in seen.sees(*([top] * 4)).kinds if kind == "refill"] == kinds


def test_what_was_read_is_the_last_reading_or_the_mean_of_three_where_that_is_less() -> None:
    for levels, seen_l in (((900, 880, 860, 840), 840), ((900, 840, 837, 849), 842)):
        rise = Followed(*levels).sees(960.0).flow.rise
        assert rise is not None and rise.seen_l == seen_l
