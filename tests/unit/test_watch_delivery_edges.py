"""Exact limits of a delivery in several parts: pauses, a pump, and a node that sends no more."""

import pytest

from gateway.domain.outputs import TankEvent
from gateway.domain.watch.tracks import delivery
from tests.unit.followed_tank import sampled
from tests.unit.tank_story import HOUR, T0


def part(at: float, until: float) -> TankEvent:
    """A refill of 50 L between two times in seconds after T0."""
    return TankEvent(T0 + at, T0 + until, "north-1", "refill", 50.0, 45.0, 55.0)


def parts(pause_s: float, first_s: float = 600, *, ats: tuple[float, ...] = (0, 60)) -> int:
    """How many deliveries are two parts; the node last measured at ``ats``."""
    track = sampled(*[[T0 + at, 500.0] for at in ats])
    found = delivery.hold(track, [part(0, first_s)], T0 + first_s)
    again = first_s + pause_s
    found += delivery.hold(track, [part(again, again + 60)], T0 + again + 60)
    return len(found + delivery.release(track))


@pytest.mark.parametrize(
    ("first_s", "pause_s", "count"),
    [(1499, 1200, 1), (1499, 1201, 2), (1500, 2400, 1), (1500, 2401, 2)],
)
def test_what_fills_for_25_minutes_is_a_pump_and_may_pause_for_forty(
    first_s: float, pause_s: float, count: int
) -> None:
    assert parts(pause_s, first_s) == count


@pytest.mark.parametrize(("first_s", "count"), [(2100, 1), (2099, 2)])
def test_a_pump_fills_for_three_and_a_half_readings_where_they_are_seldom(
    first_s: float, count: int
) -> None:
    assert parts(2400, first_s, ats=(0, 600, 1200, 1800)) == count


def test_how_often_a_node_measures_is_of_its_last_four_samples() -> None:
    assert parts(1800, ats=(0, 2400, 4800, 7200)) == 1
    assert parts(1801, ats=(0, 2400, 4800, 7200)) == 2
    assert parts(1500, ats=(0, 1200, 2400, 4800, 7200)) == 1
    assert parts(1501, ats=(0, 1200, 2400, 4800, 7200)) == 2
    assert parts(1201, ats=(0, 9000, 9600, 10_200, 10_800)) == 2
    assert parts(1200, ats=(0,)) == 1


def test_a_part_is_added_to_its_refill_and_not_to_the_draw_after_it() -> None:
    track = sampled([T0, 500.0], [T0 + 60, 500.0])
    draw = TankEvent(T0 + 600, T0 + 900, "north-1", "draw", 7.0, 5.0, 9.0)
    first = TankEvent(T0, T0 + 600, "north-1", "refill", 33.33, 20.0, 40.0)
    assert delivery.hold(track, [first, draw], T0 + 900) == []
    again = TankEvent(T0 + 1000, T0 + 1200, "north-1", "refill", 33.33)
    assert delivery.hold(track, [again], T0 + 1200) == []
    refill, after = delivery.release(track)
    assert refill == TankEvent(T0, T0 + 1200, "north-1", "refill", 66.7, 20.0, 40.0)
    assert after == draw
    assert track.refill_l == 66.7


@pytest.mark.parametrize(("after_s", "count"), [(6 * HOUR, 0), (6 * HOUR + 1, 1)])
def test_a_node_that_sent_nothing_for_six_hours_hides_no_refill(after_s: float, count: int) -> None:
    track = sampled([T0 - 3600, 400.0], [T0, 500.0])
    delivery.hold(track, [part(-600, 0)], T0)
    assert len(delivery.release_old(track, T0 + after_s)) == count
    assert delivery.release_old(sampled([T0, 500.0]), T0 + after_s) == []
