"""Which of several waiting readings settle a level, and what counts as a round of a sick sensor."""

import pytest

from gateway.domain.watch.tracks import settling
from gateway.domain.watch.tracks.settling import Settling
from tests.unit.settled_tank import ROW, SettledTank, reading
from tests.unit.tank_story import T0


def test_a_reading_on_the_way_to_the_new_level_is_kept_and_one_beyond_it_is_not() -> None:
    tank = SettledTank(500)
    assert tank.litres(350, 400, 300) == [350, 400, 300]  # all at or above where they end
    assert SettledTank(500).litres(250, 400, 300) == [400, 300]
    assert SettledTank(500).litres(900, 400, 300) == [400, 300]


def test_a_step_is_from_the_level_before_to_the_last_reading_and_begins_with_the_first() -> None:
    tank = SettledTank(500)
    tank.reads(350, 400, 300)
    assert tank.track.step == [T0 + 1800, 500, 300]
    assert tank.track.smooth_l == 300  # it moves on


def test_the_level_is_the_mean_of_the_last_two_once_they_agree() -> None:
    tank = SettledTank(800)
    assert tank.litres(600, 400, 405) == [600, 400, 405]
    assert tank.track.smooth_l == 402.5


def test_a_reading_nearer_to_the_last_one_that_waits_than_to_the_level_goes_with_it() -> None:
    assert SettledTank(500).litres(400, 540, 528) == [540, 528]
    assert SettledTank(500).litres(540, 400, 490) == [490]


@pytest.mark.parametrize(("second", "agrees"), [(380.0, True), (379.9, False)])
def test_readings_agree_when_people_may_have_drawn_the_difference(
    second: float, agrees: bool
) -> None:
    # four taps for 15 minutes: at most 12 % of the tank
    assert SettledTank(900).litres(500, second) == ([500, second] if agrees else [])


def test_a_sensor_that_often_errs_needs_three_readings_in_a_row_that_agree() -> None:
    tank = SettledTank(500)
    tank.track.noise.bad_share = 0.12
    assert tank.litres(900, 901, 700, 701) == []
    assert tank.litres(702) == [700, 701, 702]


def test_four_of_six_readings_with_one_value_are_an_echo() -> None:
    tank = SettledTank(800)
    tank.track.noise.seen, tank.track.noise.rough = 20.0, 15.0
    assert tank.litres(400, 400, 400, 400, mm=727) == []
    assert tank.litres(402, mm=725) == []
    assert tank.litres(404, mm=723) == []


def late(track: Settling, at: float, litres: float) -> list[float]:
    """What a reading settles that arrives a quarter of an hour after its event time."""
    read = reading(at, litres)._replace(received=T0 + at + 900)
    return [s.litres for s in settling.settle(track, ROW, read)]


def test_time_between_readings_is_of_their_event_times() -> None:
    track = SettledTank(900).track
    assert [late(track, at, litres) for at, litres in ((1000, 700), (1060, 500))] == [
        [], [700, 500],
    ]  # fmt: skip
    track = SettledTank(300).track
    late(track, 1000, 700)
    assert late(track, 1060, 630) == [700, 630]  # four taps draw 80 L in a minute
    track = SettledTank(300).track
    late(track, 1000, 700)
    assert late(track, 1060, 619) == []


def test_raw_values_are_remembered_as_they_are_and_none_as_zero() -> None:
    tank = SettledTank()
    tank.reads(500, mm=633)
    tank.reads(501, mm=632)
    assert tank.track.noise.values == [633, 632]
    tank.reads(900, mm=0)
    assert tank.track.waiting[0][4] == 0
    tank = SettledTank()
    tank.reads(500, 501, mm=0)
    assert tank.track.noise.values == [0, 0]


def rounds_of(later_s: float) -> int:
    """The rounds of a tank whose level goes up by 480 L and after a time back."""
    tank = SettledTank(300, 300)
    tank.reads(780, 781)  # from 2700 s on
    tank.reads(300, every=2700 + later_s - tank.at)
    tank.reads(301)
    return tank.track.rounds


def test_a_change_back_within_a_day_is_a_round() -> None:
    assert [rounds_of(later_s) for later_s in (86_400, 86_401)] == [1, 0]


def test_a_level_that_was_drawn_down_before_it_falls_is_no_round() -> None:
    tank = SettledTank(300, 300)
    tank.reads(780, 781)
    tank.reads(*range(760, 599, -20))
    tank.reads(300, 301)
    assert tank.track.step[1:] == [pytest.approx(600, abs=25), 301]
    assert tank.track.rounds == 0


@pytest.mark.parametrize(("sd_l", "is_step"), [(27.0, True), (29.5, False)])
def test_a_change_within_eight_times_the_scatter_is_no_step(sd_l: float, is_step: bool) -> None:
    track = SettledTank(300).track
    for at, stated in ((1800, 27.0), (2700, sd_l)):
        settling.settle(track, ROW, reading(at, 510, sd_l=stated))
    assert bool(track.step) == is_step  # 210 L: 8 * 0.9 * 29.1
