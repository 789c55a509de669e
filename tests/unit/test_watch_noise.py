"""What a sensor's noise is learned to be from its own readings."""

from random import Random

import pytest

from gateway.domain.watch.tracks import noise as scatter
from gateway.domain.watch.tracks.noise import Noise
from tests.unit.settled_tank import ROW, SD_L, SettledTank, days_of_use
from tests.unit.tank_story import LITRES_PER_MM


@pytest.mark.parametrize("sd_mm", [1, 3, 8])
@pytest.mark.parametrize("seed", range(3))
def test_the_learned_scatter_approaches_the_true_sd_in_spite_of_draws(
    sd_mm: int, seed: int
) -> None:
    tank = SettledTank()
    tank.reads(*days_of_use(Random(seed), 7, sd_mm), every=600)
    learned = scatter.sigma_l(tank.track.noise, SD_L, ROW.capacity_l)
    assert learned == pytest.approx(sd_mm * LITRES_PER_MM, rel=0.25)
    assert tank.track.noise.bad_share < 0.01


def test_a_steady_draw_is_no_scatter() -> None:
    tank = SettledTank(*(900 - 3 * i for i in range(200)))
    assert tank.track.noise.ratio < 0.15


def test_the_scatter_is_never_below_what_quantisation_leaves() -> None:
    noise = Noise(ratio=0.05)
    assert scatter.sigma_l(noise, 6.0, 1000) == 0.5
    assert scatter.sigma_l(noise, 11.0, 1000) == pytest.approx(0.55)


def test_the_learned_ratio_stays_within_its_limits() -> None:
    noise = Noise()
    for _ in range(4000):
        scatter.learn(noise, 500.0, 6.0)
    assert noise.ratio == 0.05
    noise = Noise()
    for i in range(4000):
        scatter.learn(noise, 500.0 + (8.0 + i / 200) * (-1) ** i, 6.0)
        assert noise.ratio <= 3.0
    assert noise.ratio > 2.9


@pytest.mark.parametrize(("bend", "counts_as"), [(2.6, 2.6), (2.8, 2.7), (20.0, 2.7)])
def test_a_step_of_the_level_counts_as_three_sd_of_the_scatter(
    bend: float, counts_as: float
) -> None:
    noise = Noise()  # three sd of the scatter are 2.7 stated sd
    for litres in (500.0, 500.0 + bend * 6.0, 500.0):
        scatter.learn(noise, litres, 6.0)
    assert noise.total == pytest.approx(counts_as**2)
    assert noise.count == 1
    assert noise.last == [500.0 + bend * 6.0, 500.0]


def test_a_scatter_that_was_learned_too_small_is_learned_again() -> None:
    noise, random = Noise(ratio=0.1), Random(1)
    for _ in range(3000):
        scatter.learn(noise, 500.0 + random.gauss(0.0, 6.0), 6.0)
    assert noise.ratio == pytest.approx(1.0, rel=0.25)


def test_after_a_jump_the_first_two_readings_teach_nothing() -> None:
    noise = Noise()
    for litres in (500.0, 500.0):
        scatter.learn(noise, litres, 6.0)
    scatter.forget_last(noise)
    for litres in (505.0, 510.0):
        scatter.learn(noise, litres, 6.0)
    assert noise.count == 0
    scatter.learn(noise, 505.0, 6.0)
    assert noise.count == 1


def test_a_sensor_scatters_when_nearly_half_of_its_readings_leave_their_line() -> None:
    assert scatter.scatters(Noise(seen=3.0, rough=1.35))
    assert not scatter.scatters(Noise(seen=2.9, rough=2.9))
    assert not scatter.scatters(Noise(seen=3.0, rough=1.34))


def test_raw_values_off_the_line_of_their_neighbours_by_a_millimetre_are_rough() -> None:
    noise = Noise()
    for value in (500, 502, 500, 502):
        scatter.note_value(noise, value)
    assert (noise.seen, noise.rough) == (1.98, 1.98)
    noise = Noise()
    for value in (500, 501, 502, 504, 505):  # half a millimetre, as a steady fall makes
        scatter.note_value(noise, value)
    assert noise.rough == 0.0
    assert noise.seen == pytest.approx(1 + 0.98 + 0.98**2)
