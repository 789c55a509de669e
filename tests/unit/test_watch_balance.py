"""The account of a tank's water closes: start + refills - draws - losses = end."""

import itertools
from dataclasses import dataclass
from math import pi
from random import Random

import pytest

from gateway.domain.registry import Tank
from tests.unit.tank_story import DAY, HOUR, LITRES_PER_MM, T0, Story, ibc, motion, registry_of

IBC = ibc()
STEEL = Tank(
    "steel", "rid-steel", "north", shape="cylinder", capacity_l=95_000, diameter_mm=6400,
    sensor_height_mm=3300, empty_l=500, taps=8,
)  # fmt: skip
STEEL_LITRES_PER_MM = pi * 3.2**2
MIDNIGHT = 2 * HOUR  # T0 is 22:00 UTC


@dataclass
class Use:
    """Three days of a tank: litres an hour, and what is poured in, by hour of the day."""

    tank: Tank
    start_l: float
    hourly_l: float
    pours: dict[int, float]
    every: int = 600

    def drawn_in(self, second: int) -> float:
        """What people want until the next reading: by day 1.6 of the mean, at night a tenth."""
        part = 1.6 if 6 * HOUR <= second < 20 * HOUR else 0.1
        return part * self.hourly_l * self.every / HOUR

    def poured_in(self, second: int) -> float:
        """What is poured in before this reading."""
        hour, rest = divmod(second, HOUR)
        return self.pours.get(hour, 0.0) if rest < self.every else 0.0


@dataclass
class Account:
    """What happened in truth, and what was told, in litres."""

    story: Story
    start_l: float
    end_l: float
    poured_l: float
    drawn_l: float

    def told(self, *kinds: str) -> float:
        """The sum of all events of these kinds."""
        return sum(e.litres or 0.0 for e in self.story.events(*kinds))

    @property
    def unexplained_l(self) -> float:
        """What is told and what is in the tank differ by this much."""
        told = self.told("refill") - self.told("draw") - self.told("drain", "slash")
        return self.start_l + told - self.end_l


def used(use: Use, seed: int, days: int = 3, noise_mm: float = 3.0) -> Account:
    """The tank in use for days, seen by a sensor with this noise."""
    random, story = Random(seed), Story(registry_of([use.tank]))
    per_mm = LITRES_PER_MM if use.tank is IBC else STEEL_LITRES_PER_MM
    height = use.tank.sensor_height_mm or 0
    found = Account(story, use.start_l, use.start_l, 0.0, 0.0)
    for at in range(use.every, days * DAY, use.every):
        drawn = min(use.drawn_in(at % DAY), found.end_l)
        poured = use.poured_in(at % DAY)
        found.drawn_l += drawn
        found.poured_l += poured
        found.end_l += poured - drawn
        mm = round(height - found.end_l / per_mm + random.gauss(0.0, noise_mm))
        story.sends(mm=mm, at=MIDNIGHT + at, next_s=use.every)
    return found


CANS_60 = Use(IBC, 600, 28, dict.fromkeys(range(7, 20, 2), 60))
CANS_40 = Use(IBC, 600, 28, dict.fromkeys(range(7, 17), 40))
BOWSER_250 = Use(IBC, 600, 30, {9: 250, 15: 250})
BOWSER_5000 = Use(STEEL, 60_000, 1200, dict.fromkeys((9, 12, 15, 17), 5000), every=900)
BOWSER_10000 = Use(STEEL, 60_000, 1200, {9: 10_000, 15: 10_000}, every=900)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("use", "poured", "count", "refill_error", "draw_error"),
    [
        pytest.param(CANS_60, 1260, 21, 0.10, 0.07, id="60 L"),
        pytest.param(BOWSER_250, 1500, 6, 0.05, 0.03, id="250 L"),
        pytest.param(BOWSER_5000, 60_000, 12, 0.05, 0.03, id="5,000 L"),
        pytest.param(BOWSER_10000, 60_000, 6, 0.05, 0.03, id="10,000 L"),
    ],
)
def test_deliveries_and_draws_are_told_however_small_beside_the_tank(
    use: Use, poured: float, count: int, refill_error: float, draw_error: float, seed: int
) -> None:
    found = used(use, seed)
    assert found.poured_l == poured
    assert abs(len(found.story.events("refill")) - count) <= 1
    assert found.told("refill") == pytest.approx(poured, rel=refill_error)
    assert found.told("draw") == pytest.approx(found.drawn_l, rel=draw_error)
    assert found.told("drain", "slash") == 0
    assert abs(found.unexplained_l) < 0.012 * use.tank.capacity_l


@pytest.mark.parametrize("seed", range(3))
def test_of_single_cans_that_are_drawn_at_once_at_least_half_is_told(seed: int) -> None:
    """Ten times 40 L a day, each nearly drawn within the hour; what is not told is in no sum."""
    found = used(CANS_40, seed)
    assert found.poured_l == 1200
    assert 0.55 * 1200 < found.told("refill") < 1.1 * 1200
    assert abs(found.unexplained_l) < 0.012 * 1000


@pytest.mark.parametrize(("seed", "noise_mm"), [(0, 1.0), (1, 3.0), (2, 6.0)])
def test_two_weeks_add_up_for_any_noise(seed: int, noise_mm: float) -> None:
    found = used(Use(IBC, 600, 25.6, {9: 300, 16: 300}, every=900), seed, 14, noise_mm)
    assert abs(len(found.story.events("refill")) - 28) <= 1
    assert found.told("refill") == pytest.approx(found.poured_l, rel=0.03)
    assert found.told("draw") == pytest.approx(found.drawn_l, rel=0.03)
    assert abs(found.unexplained_l) < 5 + 4 * noise_mm * LITRES_PER_MM


def test_a_month_adds_up() -> None:
    found = used(Use(IBC, 600, 25.6, {9: 300, 16: 300}, every=1800), 7, 30)
    assert found.told("refill") == pytest.approx(found.poured_l, rel=0.03)
    assert found.told("draw") == pytest.approx(found.drawn_l, rel=0.03)
    assert abs(found.unexplained_l) < 18


@pytest.mark.parametrize(("lph", "hours"), [(200, 4), (100, 5), (60, 8), (40, 10)])
def test_a_slow_pump_over_hours_is_one_refill(lph: int, hours: int) -> None:
    story, poured = Story(), lph * hours
    rising = [100 + lph / 4 * i for i in range(1, 4 * hours + 1)]
    story.levels(*([100.0] * 8), *rising, *([100.0 + poured] * 8))
    (refill,) = story.events("refill")
    assert refill.litres == pytest.approx(poured, rel=0.05)
    assert refill.until - T0 == pytest.approx(7200 + hours * HOUR, abs=900)
    assert (refill.least_l or 0) <= (refill.litres or 0) <= (refill.most_l or 0)
    assert story.events("draw") == []


def test_a_level_that_rises_by_less_than_the_noise_is_no_refill() -> None:
    story = Story()
    story.levels(*([500.0] * 8), *(500 + 2 * i for i in range(1, 11)), *([520.0] * 20))
    assert story.events("refill") == []


def test_a_refill_hidden_in_a_gap_is_one_whose_bounds_tell_what_may_have_been_drawn() -> None:
    story = Story()
    story.levels(*(900.0 - 10 * i for i in range(24)))  # 40 L an hour, until 670 L
    story.at += 4 * HOUR
    story.levels(900, *(900.0 - 10 * i for i in range(1, 12)))
    (refill,) = story.events("refill")
    assert (refill.until - refill.at) > 4 * HOUR
    assert refill.least_l == pytest.approx(220, abs=10)
    assert refill.litres == pytest.approx(230 + 40 * 4.25 / 2, abs=15)
    assert 230 + 40 * 4.25 < (refill.most_l or 0) < 230 + 2 * 40 * 4.25


def test_a_steady_draw_is_booked_by_the_hour() -> None:
    story = Story()
    story.levels(*([900.0] * 4), *(900 - 7.5 * i for i in range(1, 49)), *([540.0] * 8))
    draws = story.events("draw")
    assert len(draws) == 12
    assert all(e.until - e.at == HOUR for e in draws)
    assert all(a.until == b.at for a, b in itertools.pairwise(draws))
    assert [round(e.litres or 0) for e in draws[3:11]] == [30] * 8
    assert sum(e.litres or 0 for e in draws) == pytest.approx(360, abs=5)


def test_a_draw_that_ends_is_booked_when_the_level_has_been_still_for_25_minutes() -> None:
    story = Story()
    story.levels(*([900.0] * 8), 880, 860, *([860.0] * 6), every=300)
    assert story.events("draw") == []
    story.levels(860, every=300)
    (draw,) = story.events("draw")
    assert draw.litres == pytest.approx(40, abs=2)


def test_a_loss_is_no_draw_and_the_account_closes_over_it() -> None:
    story = Story()
    story.levels(*(900.0 - 10 * i for i in range(16)))
    story.sends(750, at=story.at + 60, events=(motion(8000, mg=2000),), next_s=30)
    story.levels(*(750.0 - 60 * i for i in range(1, 12)), *([90.0] * 10), every=30, next_s=30)
    story.levels(*([90.0] * 10), 500, *([500.0] * 5))
    (slash,) = story.events("slash")
    assert slash.litres == pytest.approx(660, abs=5)
    found = Account(story, 900, 500, 410, 150)
    assert found.told("draw") == pytest.approx(150, abs=3)
    assert found.told("refill") == pytest.approx(410, abs=3)
    assert abs(found.unexplained_l) < 1


def test_after_a_sensor_fault_only_the_difference_is_told() -> None:
    story = Story()
    story.levels(*([700.0] * 8))
    for _ in range(16):
        story.sends(None, at=story.at + 900)
    story.levels(*([400.0] * 8))
    (draw,) = story.events("draw")
    assert draw.litres == pytest.approx(300, abs=2)
    for _ in range(16):
        story.sends(None, at=story.at + 900)
    story.levels(*([900.0] * 8))
    (refill,) = story.events("refill")
    assert refill.litres == pytest.approx(500, abs=2)
    assert refill.most_l == pytest.approx(1500, abs=2)
    assert abs(Account(story, 700, 900, 500, 300).unexplained_l) < 2
