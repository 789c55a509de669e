"""Which readings settle a level, and which echoes do not."""

from dataclasses import replace
from random import Random

import pytest

from gateway.domain.watch.tracks import settling
from tests.unit.settled_tank import GATE_L, ROW, SD_L, SettledTank, reading
from tests.unit.tank_story import Story, ibc


def settled_at(litres: float, **noise: float) -> SettledTank:
    """A tank at this level whose noise is as given."""
    tank = SettledTank(litres)
    for name, value in noise.items():
        setattr(tank.track.noise, name, value)
    return tank


def test_the_first_reading_is_the_level() -> None:
    assert [s.litres for s in SettledTank().reads(812.0)] == [812.0]


@pytest.mark.parametrize("side", [1, -1])
def test_a_reading_within_the_noise_counts_and_one_beyond_waits(side: int) -> None:
    near, far = 500 + side * (GATE_L - 0.1), 500 + side * (GATE_L + 0.1)
    assert SettledTank(500).litres(near) == [near]
    assert SettledTank(500).litres(far) == []


@pytest.mark.parametrize(
    ("sd_l", "ratio", "gate"),
    [(SD_L, 0.9, GATE_L), (SD_L, 0.2, 1.5 * SD_L + 0.25), (4.0, 0.05, 10.0), (8.0, 0.05, 12.0)],
)
def test_the_gate_is_of_the_scatter_the_stated_sd_or_the_capacity(
    sd_l: float, ratio: float, gate: float
) -> None:
    track = settled_at(500, ratio=ratio).track
    assert settling.gate_l(track, ROW, sd_l) == pytest.approx(gate)


@pytest.mark.parametrize("spike", [20.0, 420.0, 469.0, 531.0, 600.0, 1000.0])
def test_a_spike_changes_nothing(spike: float) -> None:
    tank = SettledTank(500, 500, 500)
    assert tank.litres(spike) == []
    assert tank.track.smooth_l == 500
    assert tank.litres(501, 499) == [501, 499]
    assert tank.track.waiting == []
    assert tank.track.smooth_l == pytest.approx(500, abs=1)


@pytest.mark.parametrize(("spike", "share"), [(500 + 2.1 * GATE_L, 0.06), (500 + 1.9 * GATE_L, 0)])
def test_only_a_far_reading_counts_as_an_outlier(spike: float, share: float) -> None:
    tank = SettledTank(500)
    tank.reads(spike, 500)
    assert tank.track.noise.bad_share == pytest.approx(share * 0.94)


@pytest.mark.parametrize("echoes", [(300, 990), (990, 300), (845, 925), (200, 75), (60, 400)])
def test_two_echoes_make_no_step(echoes: tuple[float, float]) -> None:
    tank = SettledTank(*([500.0] * 4))
    assert tank.litres(*echoes) == []
    assert tank.litres(500, 500) == [500, 500]
    assert tank.track.smooth_l == 500


@pytest.mark.parametrize("level", [150.0, 440.0, 560.0, 900.0])
def test_two_readings_that_agree_settle(level: float) -> None:
    tank = SettledTank(500, 500)
    settled = tank.reads(level, level + 3)
    assert [s.litres for s in settled] == [level, level + 3]
    assert tank.track.smooth_l == level + 1.5
    assert tank.track.settled_at == settled[-1].at


@pytest.mark.parametrize(("later", "count"), [(GATE_L - 0.1, 2), (GATE_L + 0.1, 0)])
def test_two_readings_agree_within_the_noise_above(later: float, count: int) -> None:
    assert len(SettledTank(300).litres(600, 600 + later)) == count


@pytest.mark.parametrize(
    ("every", "fall", "count"),
    [(900, 119, 2), (900, 121, 0), (45, 59, 2), (45, 61, 0), (15, 29, 2), (15, 30, 0)],
)
def test_two_readings_agree_but_for_what_four_taps_may_have_drawn(
    every: float, fall: float, count: int
) -> None:
    """Above the level before, so that they do not go on in one direction from it."""
    assert len(SettledTank(300).reads(900, 900 - fall, every=every)) == count


def test_taps_give_20_litres_a_minute_each_and_at_most_a_part_of_the_tank() -> None:
    assert settling.drawable_l(ROW, 60) == 80
    assert settling.drawable_l(ibc(taps=1), 60) == 40  # somebody opens the lid as well
    assert settling.drawable_l(ibc(taps=3), 60) == 60
    assert settling.drawable_l(ROW, 90) == 120
    assert settling.drawable_l(ROW, 91) == 120
    assert settling.drawable_l(ROW, -5) == 0


def test_a_reading_nearer_to_the_waiting_one_than_to_the_level_is_of_the_water() -> None:
    assert SettledTank(500).litres(535, 520) == [535, 520]
    assert SettledTank(500).litres(535, 515) == [515]


@pytest.mark.parametrize("side", [1, -1])
def test_three_readings_in_one_direction_settle_and_two_do_not(side: int) -> None:
    tank = SettledTank(500)
    assert tank.litres(500 + side * 140, 500 + side * 280) == []
    assert len(tank.reads(500 + side * 420)) == 3
    assert tank.track.smooth_l == 500 + side * 420


def test_three_readings_that_turn_back_do_not_settle() -> None:
    assert SettledTank(450).litres(640, 780, 650) == []
    assert SettledTank(450).litres(640, 780, 450) == [450]
    assert SettledTank(450).litres(260, 120, 300) == []


@pytest.mark.parametrize(("every", "count"), [(30, 2), (120, 2), (121, 0)])
def test_two_in_one_direction_settle_where_a_handled_node_sends_often(
    every: float, count: int
) -> None:
    assert len(SettledTank(900).litres(700, 450, every=every)) == count


@pytest.mark.parametrize(
    ("share", "needed"), [(0.0, 2), (0.10, 2), (0.11, 3), (0.18, 3), (0.19, 4), (0.9, 4)]
)
def test_more_readings_must_agree_where_the_sensor_often_errs(share: float, needed: int) -> None:
    tank = settled_at(500, bad_share=share)
    assert tank.litres(*(800 + (-1) ** i for i in range(needed - 1))) == []
    assert len(tank.reads(800)) == needed


def test_no_more_than_six_readings_wait() -> None:
    tank = SettledTank(500)
    tank.reads(800, 300, 900, 200, 950, 100)
    assert tank.track.noise.bad_share == 0
    tank.reads(700)
    assert [w[2] for w in tank.track.waiting] == [300, 900, 200, 950, 100, 700]
    assert tank.track.noise.bad_share == pytest.approx(0.06)


def test_what_waited_before_the_agreeing_ones_counts_only_on_the_way_there() -> None:
    assert SettledTank(900).litres(700, 300, 301) == [700, 300, 301]
    assert SettledTank(500).litres(900, 300, 301) == [300, 301]
    tank = SettledTank(500)
    tank.reads(900, 300, 301)
    assert tank.track.noise.bad_share == pytest.approx(0.06 * 0.94**2)


ROUGH = {"seen": 20.0, "rough": 15.0}


def test_an_echo_that_repeats_its_value_is_rejected_where_readings_scatter() -> None:
    assert settled_at(800, **ROUGH).litres(400, 400, 400, 400, mm=727) == []


def test_a_repeated_value_settles_where_readings_do_not_scatter() -> None:
    assert settled_at(800, seen=20.0, rough=8.0).litres(400, 400, mm=727) == [400, 400]


@pytest.mark.parametrize(("ratio", "count"), [(0.206, 2), (0.208, 0)])
def test_a_repeated_value_settles_with_a_sensor_of_little_noise(ratio: float, count: int) -> None:
    """Scatter below 1.2 mm, of the 5.8 mm that a reading states at least."""
    assert len(settled_at(800, ratio=ratio, **ROUGH).reads(400, 400, mm=727)) == count


def test_an_echo_is_three_of_five_readings_with_one_value() -> None:
    tank = settled_at(800, **ROUGH)
    assert tank.litres(400, 400, 400, mm=727) == []
    assert tank.litres(402, mm=725) == []
    assert tank.litres(404, mm=723) == []
    assert len(tank.reads(402, mm=725)) == 6
    tank = settled_at(800, **ROUGH)
    assert tank.litres(400, 400, mm=727) == []
    assert len(tank.reads(402, mm=725)) == 3


def steps(*levels: float, every: float = 900) -> SettledTank:
    """Four readings at each level."""
    tank = SettledTank()
    for level in levels:
        tank.reads(level, level + 1, level - 1, level, every=every)
    return tank


def test_the_third_sudden_change_between_two_figures_makes_the_sensor_sick() -> None:
    assert steps(300, 780, 300).track.noise.bad_share == 0
    assert steps(300, 780, 300).track.rounds == 1
    tank = steps(300, 780, 300)
    tank.reads(780, 781)
    assert tank.track.rounds == 2
    assert tank.track.noise.bad_share == 0.5


def test_a_refill_and_draws_of_other_sizes_are_no_rounds() -> None:
    assert steps(300, 780, 360, 900, 300, 720).track.rounds == 0


@pytest.mark.parametrize(("low", "rounds"), [(30.0, 0), (60.0, 2)])
def test_a_tank_that_runs_dry_and_is_filled_alike_each_time_is_not_sick(
    low: float, rounds: int
) -> None:
    assert steps(low, 500, low, 500).track.rounds == rounds


@pytest.mark.parametrize(("to", "rounds"), [(510.0, 1), (485.0, 0)])
def test_only_a_change_by_a_fifth_of_the_tank_is_sudden(to: float, rounds: int) -> None:
    tank = settled_at(300, ratio=0.2)
    tank.reads(to, to + 1, 300, 300)
    assert tank.track.rounds == rounds


@pytest.mark.parametrize(("every", "rounds"), [(21_000, 1), (22_000, 0)])
def test_a_change_back_after_more_than_a_day_is_no_round(every: float, rounds: int) -> None:
    assert steps(300, 780, 300, every=every).track.rounds == rounds


@pytest.mark.parametrize("seed", range(3))
def test_two_plateaus_are_a_sensor_fault_and_nothing_is_delivered_or_drawn(seed: int) -> None:
    """An echo off the ladder, exact to the millimetre, for 1.5 hours of each three."""
    random, story = Random(seed), Story()
    for i in range(4 * 96):
        is_echo = i // 6 % 2 == 1
        story.sends(mm=350 if is_echo else 800 + random.randint(-3, 3), at=story.at + 900)
    assert "opened sensor_fault!" in story.summary
    assert {i.kind for i in story.incidents} == {"sensor_fault"}
    assert story.events("refill", "draw", "drain", "slash") == []


@pytest.mark.parametrize("seed", range(3))
def test_two_plateaus_that_both_scatter_deliver_little_before_the_fault(seed: int) -> None:
    random, story = Random(seed), Story()
    for i in range(4 * 96):
        middle = 350 if i // 6 % 2 else 800
        story.sends(mm=middle + random.randint(-3, 3), at=story.at + 900)
    assert "opened sensor_fault!" in story.summary
    assert len(story.events("refill")) <= 2
    assert len(story.events("draw")) <= 4


def test_a_copy_goes_its_own_way() -> None:
    tank = SettledTank(500, 500)
    copy = settling.copy_of(tank.track)
    tank.reads(300, 300, 800)
    assert (copy.smooth_l, copy.waiting, copy.noise.last) == (500, [], [500])
    settling.settle(copy, ROW, reading(9000, 505))
    assert copy.smooth_l == 502.5


@pytest.mark.parametrize(
    ("first", "valid", "count"), [(900, 7, 2), (900, 6, 0), (500, 6, 2), (500, 5, 2)]
)
def test_a_burst_that_lost_samples_above_the_level_was_no_water_that_people_drew(
    first: float, valid: int, count: int
) -> None:
    tank = SettledTank(600)
    tank.reads(first, valid=valid)
    assert len(tank.reads(first - 100)) == count


@pytest.mark.parametrize(
    ("capacity_l", "seconds", "litres"),
    [
        (80, 3600, 13.6), (600, 3600, 100), (700, 3600, 100), (1000, 3600, 120),
        (1000, 60, 80), (80, 6, 8), (1000, -5, 0),
    ],
)  # fmt: skip
def test_what_the_taps_may_have_given(capacity_l: float, seconds: float, litres: float) -> None:
    tank = replace(ROW, capacity_l=capacity_l)
    assert tank.taps == 4
    assert settling.drawable_l(tank, seconds) == pytest.approx(litres)
