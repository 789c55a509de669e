"""A loss beside what this tank's people usually draw in the hours in which it happened."""

from dataclasses import replace
from math import exp, log, sqrt

import pytest

from gateway.domain.registry import Site
from gateway.domain.watch.rules import falls, habit
from gateway.domain.watch.tracks import profile, tamper
from gateway.domain.watch.tracks.profile import SHAPE, Usual
from gateway.domain.watch.tracks.settling import Sample
from tests.unit.handled_tank import HandledTank, fall_of, handled_tank
from tests.unit.tank_story import HOUR, T0

FLAT = Usual([10.0] * 24, [1.0] * 7, 240.0, 40.0, 0.0, 1.0)


def with_habit(day_l: float = 240.0, zone: str = "UTC") -> HandledTank:
    """A tank whose people draw ``day_l`` a day, by the hours that are assumed before any day."""
    handled = handled_tank()
    sites = {"north": (Site("north", "rid", timezone=zone),)}
    handled.context.set_registry(replace(handled.context.registry, sites=sites))
    known = handled.context.profile("north-1").profile
    profile.start(known, day_l)
    known.known, known.peaks = 48, [60.0]
    return handled


@pytest.mark.parametrize(
    ("at", "until", "litres"),
    [(0, 3600, 10), (0, 1800, 5), (1800, 5400, 10), (3599, 3601, 2 / 360), (900, 900, 0),
     (9000, 0, 0), (0, 24 * 3600, 240), (0, 200 * 3600, 1680)],
)  # fmt: skip
def test_what_people_usually_draw_counts_each_hour_by_its_part(
    at: float, until: float, litres: float
) -> None:
    start = T0 // HOUR * HOUR
    assert habit.usual_l(FLAT, "UTC", start + at, start + until) == pytest.approx(litres)


def test_the_hours_are_local() -> None:
    usual = FLAT._replace(hourly=[float(hour) for hour in range(24)])
    assert habit.usual_l(usual, "UTC", T0, T0 + HOUR) == pytest.approx(22)  # T0 is at 22:00 UTC
    assert habit.usual_l(usual, "Europe/Paris", T0, T0 + HOUR) == pytest.approx(23)


def test_so_much_is_as_probable_as_a_sum_of_random_draws_allows() -> None:
    assert habit.improbability(100, 100, 40) == habit.improbability(50, 100, 40) == 0
    assert habit.improbability(200, 100, 40) == pytest.approx((200 * log(2) - 100) / 40)
    assert habit.improbability(200, 100, 20) == pytest.approx((200 * log(2) - 100) / 20)
    # The bound is above the Poisson probability of 10 cans of 20 L where 5 are expected.
    tail = 1 - sum(exp(-5) * 5**n / factorial for n, factorial in enumerate(_factorials(10)))
    assert tail < exp(-habit.improbability(200, 100, 20)) < 6 * tail


def _factorials(count: int) -> list[int]:
    found = [1]
    for n in range(1, count):
        found.append(found[-1] * n)
    return found


def test_a_fall_gets_its_usual_litres_and_how_improbable_it_is() -> None:
    handled, fall = with_habit(), fall_of(at=T0, until=T0 + HOUR)
    habit.compare(handled.context, handled.row, fall)
    usual = profile.usual(handled.context.profile("north-1").profile)
    expected = 240 * SHAPE[22]
    assert fall.usual_l == round(expected, 1)
    busy = max(expected * (1 + 2 * sqrt(usual.relative)), 5.0)
    assert fall.improbable == pytest.approx(habit.improbability(300, busy, 40), abs=0.5)
    assert fall.use_ratio == 5.0


def test_a_busy_day_makes_a_loss_less_improbable_and_an_idle_one_does_not_make_it_more() -> None:
    found: list[float] = []
    for recent in (0.2, 0.0, 3.0):  # as multiples of an expected day, of a day measured
        handled, fall = with_habit(2400.0), fall_of(at=T0, until=T0 + HOUR)
        known = handled.context.profile("north-1").profile
        known.recent, known.recent_days = recent, 1.0 if recent else 0.0
        habit.compare(handled.context, handled.row, fall)
        found.append(fall.improbable)
    assert found[0] == found[1] > found[2]


def test_at_night_one_can_is_always_possible() -> None:
    handled, fall = with_habit(1.0), fall_of(at=T0, until=T0 + HOUR)
    habit.compare(handled.context, handled.row, fall)
    assert fall.improbable == round(habit.improbability(300, 5, 40), 2)


def test_before_two_days_are_known_there_is_no_habit() -> None:
    handled, fall = with_habit(), fall_of()
    handled.context.profile("north-1").profile.known = 47
    habit.compare(handled.context, handled.row, fall)
    assert (fall.usual_l, fall.improbable, fall.use_ratio) == (None, 0.0, None)
    assert "for_the_hour" not in handled.terms(_episode(fall))


def _episode(fall: tamper.Fall) -> tamper.Episode:
    return replace(tamper.Episode(T0, T0, "node-1"), fall=fall)


@pytest.mark.parametrize(
    ("improbable", "level"),
    [(0, "usual"), (1.99, "usual"), (2, "seldom"), (4.99, "seldom"), (5, "rarely"),
     (9.99, "rarely"), (10, "barely"), (19.99, "barely"), (20, "hardly"), (34.99, "hardly"),
     (35, "never")],
)  # fmt: skip
def test_the_more_improbable_a_loss_the_more_it_weighs(improbable: float, level: str) -> None:
    fall = fall_of(usual_l=12.0, improbable=improbable)
    term = handled_tank().terms(_episode(fall))["for_the_hour"]
    assert term.levels == (f"for_the_hour.{level}",)
    assert (term.basis, term.values) == ("inferred", {"fall_l": 300.0, "usual_l": 12.0})


@pytest.mark.parametrize(
    ("ratio", "improbable", "is_looked_at"),
    [(0.25, 0.0, True), (0.24, 7.99, False), (0.24, 8.0, True)],
)
def test_a_slow_fall_is_looked_at_when_people_hardly_draw_so_much(
    ratio: float, improbable: float, is_looked_at: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    handled = handled_tank()
    samples = [[T0 - 900.0 * n, 700.0] for n in (4, 3, 2, 1)] + [[T0 + 0.0, 400.0]]
    handled.tank.flow.recent = samples
    fall = fall_of(at=T0 - 900, until=T0, taps_ratio=ratio, plateau=True)
    monkeypatch.setattr(falls, "find_fall", lambda *_: fall)
    monkeypatch.setattr(habit, "compare", lambda *_: setattr(fall, "improbable", improbable))
    sample = Sample(T0, T0, 400.0, 6.0)
    falls.check(handled.context, handled.tank, handled.row, handled.device, sample)
    assert (handled.tank.episode is not None) == is_looked_at


def test_a_fall_that_goes_on_keeps_what_was_improbable_and_scales_what_was_beyond_use() -> None:
    first = fall_of(at=T0, until=T0 + 1800, from_l=700, to_l=500, use_ratio=2.0, improbable=9.0)
    later = fall_of(at=T0 + 1800, until=T0 + 7200, from_l=500, to_l=100, use_ratio=9.0)
    tamper.extend(later, first)
    assert (later.at, later.from_l, later.improbable) == (T0, 700, 9.0)
    assert later.use_ratio == pytest.approx(2.0 * (600 / 2) / 200)
    tamper.extend(later, fall_of(at=T0, from_l=700, use_ratio=None, improbable=1.0))
    assert (later.use_ratio, later.improbable) == (None, 9.0)


def test_the_largest_hour_is_a_rate() -> None:
    handled = with_habit()
    known = handled.context.profile("north-1").profile
    known.known = 0
    assert habit.usual_lps(handled.context, "north-1") == 0.0
    known.known, known.peaks = 48, [72.0, 36.0]
    assert habit.usual_lps(handled.context, "north-1") == 0.02
    fall = fall_of(at=T0, until=T0 + 2 * HOUR)
    habit.compare(handled.context, handled.row, fall)
    assert fall.use_ratio == 300 / 2 / 72
    known.peaks = [1.0]  # five per cent of the tank at least
    habit.compare(handled.context, handled.row, fall)
    assert fall.use_ratio == 300 / 2 / 50
