"""Exact limits of a fall: where it ends, how long it stays one, and what noise hides."""

from typing import Any

import pytest

from gateway.domain.watch.rules import falls
from gateway.domain.watch.rules.falls import find_fall
from gateway.domain.watch.tracks.tamper import Fall
from tests.unit.handled_tank import handled_tank
from tests.unit.settled_tank import reading
from tests.unit.tank_story import HOUR, T0, ibc


def found(*litres: float, every: float = 60, sigma_l: float = 1.0) -> Fall | None:
    samples = [[T0 + every * i, level] for i, level in enumerate(litres)]
    return find_fall(samples, ibc(), sigma_l, 0)


def test_a_fall_ends_where_the_level_goes_on_too_slowly_to_belong_to_it() -> None:
    fall = found(900, 900, 400, 390, 380, 370, 360)
    assert fall and (fall.until, fall.to_l, fall.plateau) == (T0 + 120, 370, False)
    fall = found(900, 900, 400, 390, 380, 370, 349)  # a tenth of the fall below its end
    assert fall and (fall.until, fall.to_l) == (T0 + 360, 349)
    fall = found(900, 900, 400, 401, 399, 402, 400)
    assert fall and (fall.until, fall.to_l, fall.plateau) == (T0 + 120, 400, True)


@pytest.mark.parametrize(("sigma_l", "is_plateau"), [(10.0, True), (5.0, False)])
def test_a_plateau_may_scatter_by_five_times_the_noise(sigma_l: float, is_plateau: bool) -> None:
    fall = found(900, 900, 300, 330, 290, 325, sigma_l=sigma_l)
    assert fall and fall.plateau == is_plateau


@pytest.mark.parametrize(("flat", "is_fall"), [(4, True), (5, False)])
def test_a_fall_is_old_after_three_of_its_steps_where_they_are_long(
    flat: int, is_fall: bool
) -> None:
    assert bool(found(900, 900, 900, *([400] * flat), every=1800)) == is_fall


@pytest.mark.parametrize(("left_l", "is_fall"), [(535, True), (560, False)])
def test_a_fall_is_of_eight_times_the_noise_once_its_ends_are_known(
    left_l: float, is_fall: bool
) -> None:
    assert bool(found(700, 700, 530, left_l, left_l, sigma_l=20.0)) == is_fall


@pytest.mark.parametrize(
    ("litres", "decays"),
    [
        ((900, 900, 500, 300, 220, 140), True), ((900, 900, 700, 500, 300, 100), False),
        ((900, 900, 500, 300), False),
    ],
)  # fmt: skip
def test_a_fall_decays_whose_second_half_is_slower_than_six_tenths(
    litres: tuple[float, ...], decays: bool
) -> None:
    fall = found(*litres)
    assert fall and fall.decays == decays


def late(*litres: float, sd_l: float = 1.0, every: float = 60, **settling: Any) -> bool:
    """Whether readings that arrive an hour later begin an episode."""
    handled = handled_tank()
    for name, value in {"smooth_l": 100.0, **settling}.items():
        setattr(handled.tank.settling, name, value)
    handled.context.now = T0 + HOUR
    for i, level in enumerate(litres):
        one = reading(every * i, level, sd_l=sd_l)._replace(received=T0 + HOUR)
        falls.check_late(handled.context, handled.tank, handled.row, handled.device, one)
    return handled.tank.episode is not None


@pytest.mark.parametrize(("sd_l", "begins"), [(1.0, True), (25.0, True), (29.0, False)])
def test_a_late_fall_is_of_eight_times_the_noise(sd_l: float, begins: bool) -> None:
    assert late(700, 700, 500, sd_l=sd_l) == begins


def test_a_slow_late_fall_needs_other_evidence() -> None:
    assert not late(*[700 - 18 * i for i in range(16)])
    assert late(*[700 - 24 * i for i in range(16)])


def test_the_last_of_several_waiting_readings_shows_whether_the_water_is_back() -> None:
    low, back = [T0 + 900, T0 + 900, 100.0, 1.0, 0.0], [T0 + 960, T0 + 960, 700.0, 1.0, 0.0]
    assert late(700, 700, 400, waiting=[back, low])
    assert not late(700, 700, 400, waiting=[low, back])
