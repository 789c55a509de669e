"""When a tank will be low, critical and empty, from what is expected."""

from itertools import pairwise

import pytest

from gateway.domain.watch.tracks import forecast as forecasts
from gateway.domain.watch.tracks import profile as profiles
from gateway.domain.watch.tracks.forecast import Demand, Outlook
from gateway.domain.watch.tracks.profile import Usual
from tests.unit.hourly_tank import HOUR, MONDAY, Watched

NOW = MONDAY * HOUR
EVEN = Usual([10.0] * 24, [1.0] * 7, 240.0, burst_l=5.0, relative=0.09, recent=1.0)


def demand(*litres: float) -> Demand:
    return Demand(NOW, NOW + 0.5 * HOUR, [0.0, *litres])


def test_demand_is_interpolated_between_hours() -> None:
    ahead = demand(5.0, 15.0, 15.0, 35.0)
    assert [ahead.by(NOW + h * HOUR) for h in (-1, 0, 0.25, 0.5, 1.0, 2.0, 3.0, 3.5, 9)] == [
        0.0, 0.0, 2.5, 5.0, 10.0, 15.0, 25.0, 35.0, 35.0,
    ]  # fmt: skip
    assert ahead.end == NOW + 3.5 * HOUR
    times = [ahead.when(litres) for litres in (0.0, 2.5, 5.0, 10.0, 15.0, 25.0, 35.0)]
    assert times == [NOW + h * HOUR for h in (0, 0.25, 0.5, 1.0, 1.5, 3.0, 3.5)]
    assert ahead.when(35.1) is None


def test_four_days_are_expected_hour_by_hour_from_now() -> None:
    ahead = forecasts.expect(EVEN, "UTC", NOW + 900)
    assert (ahead.now, ahead.first) == (NOW + 900, NOW + HOUR)
    assert ahead.litres[:4] == pytest.approx([0.0, 7.5, 17.5, 27.5])
    assert len(ahead.litres) == 97
    assert ahead.litres[-1] == pytest.approx(957.5)
    assert ahead.end == NOW + 96 * HOUR


def test_the_last_hours_factor_fades_within_a_day() -> None:
    more = EVEN._replace(recent=2.0)
    litres = forecasts.expect(more, "UTC", NOW).litres
    steps = [after - before for before, after in pairwise(litres)]
    assert steps[0] == pytest.approx(20.0)
    assert steps[6] == pytest.approx(15.0)
    assert steps[12] == pytest.approx(12.5)
    assert steps[24] == pytest.approx(10.0)


def test_a_level_is_reached_when_the_expected_litres_are() -> None:
    watched = Watched().passes(*[10.0] * 24 * 20, level=350.0)
    outlook, now = watched.outlook(), watched.hour * HOUR
    assert outlook.low and outlook.critical and outlook.empty
    spans = (outlook.low, outlook.critical, outlook.empty)
    for (at, lo, hi), litres in zip(spans, (50, 200, 330), strict=True):
        assert (at - now) / HOUR == pytest.approx(litres / 10, rel=0.08)
        assert now < lo < at < hi


def test_what_was_drawn_since_the_newest_reading_is_gone() -> None:
    watched = Watched().passes(*[10.0] * 24 * 20, level=350.0)
    fresh = watched.outlook().low
    watched.level.at = (watched.hour - 2) * HOUR
    old = watched.outlook().low
    watched.level.at -= 4 * HOUR
    older = watched.outlook().low
    watched.level.at -= 4 * HOUR
    assert fresh and old and older
    assert fresh[0] - old[0] == pytest.approx(2 * HOUR, rel=0.05)
    assert watched.outlook().low == older == (watched.hour * HOUR, watched.hour * HOUR, older[2])


def test_a_reading_from_the_future_counts_from_now() -> None:
    watched = Watched().passes(*[10.0] * 24, level=350.0)
    watched.level.at = watched.hour * HOUR
    now = watched.outlook()
    watched.level.at += 3 * HOUR
    assert watched.outlook() == now


def test_a_level_below_a_threshold_is_there_now() -> None:
    watched = Watched().passes(10.0, level=150.0)
    outlook, now = watched.outlook(), watched.hour * HOUR
    assert outlook.low == outlook.critical == (now, now, now)
    assert outlook.empty and outlook.empty[1] > now


def test_what_takes_longer_than_four_days_is_not_forecast() -> None:
    watched = Watched().passes(*[10.0] * 24 * 20, level=1070.0)
    outlook = watched.outlook()
    assert outlook.low and outlook.critical
    assert outlook.empty is None
    assert outlook.critical[2] == (watched.hour + 95) * HOUR


@pytest.mark.parametrize("field", ["volume_l", "at"])
def test_without_a_level_there_is_no_forecast(field: str) -> None:
    watched = Watched().passes(10.0)
    setattr(watched.level, field, None)
    assert watched.outlook() == Outlook(None, None, None)


def test_a_wider_scaling_and_a_worse_level_make_a_wider_range() -> None:
    watched = Watched().passes(*[10.0] * 24 * 20, level=350.0)
    narrow = watched.outlook().low
    watched.scaling.less = watched.scaling.more = 2.0
    wide = watched.outlook().low
    watched.level.sd_l = 30.0
    wider = watched.outlook().low
    watched.level.sd_l = None
    certain = watched.outlook().low
    assert narrow and wide and wider and certain
    assert wider[1] < wide[1] < narrow[1] < narrow[0] < narrow[2] < wide[2] < wider[2]
    assert wide[1] < certain[1] and certain[2] < wide[2]
    watched.level.sd_l, watched.scaling.more = 6.0, 0.5
    assert watched.outlook().low == (wide[0], pytest.approx(wide[0], abs=2 * HOUR), wide[2])


def dry(level: float, hours: float, **scaling: float) -> float | None:
    """The probability that it is empty before a round in so many hours, at 10 L an hour."""
    watched = Watched().passes(*[10.0] * 24 * 20, level=level)
    for name, value in scaling.items():
        setattr(watched.scaling, name, value)
    now = watched.hour * HOUR
    usual = profiles.usual(watched.profile)
    return forecasts.outlook(
        usual, watched.scaling, watched.level, watched.row, "UTC", now, now + hours * HOUR
    ).dry_before_round


def test_the_chance_to_be_dry_before_the_next_round() -> None:
    half = dry(260.0, 24.0)
    assert half == pytest.approx(0.5, abs=0.1)
    assert dry(260.0, 10.0) == pytest.approx(0.0, abs=0.05)
    assert dry(260.0, 60.0) == pytest.approx(1.0, abs=0.1)
    assert dry(20.0, 1.0) == 1.0
    assert dry(21.0, 1.0) != 1.0
    assert dry(260.0, 96.0) is None
    assert dry(260.0, 94.9) is not None


def test_ends_of_the_range_have_a_chance_of_one_in_ten() -> None:
    for scaling in ({}, {"more": 2.5}, {"less": 0.5}):
        watched = Watched().passes(*[10.0] * 24 * 20, level=260.0)
        for name, value in scaling.items():
            setattr(watched.scaling, name, value)
        span = watched.outlook().empty
        assert span
        hours = [(at - watched.hour * HOUR) / HOUR for at in span]
        assert dry(260.0, hours[1], **scaling) == pytest.approx(0.1, abs=0.003)
        assert dry(260.0, hours[0], **scaling) == pytest.approx(0.5, abs=0.003)
        assert dry(260.0, hours[2], **scaling) == pytest.approx(0.9, abs=0.003)


@pytest.mark.parametrize(("name", "limit"), [("low", 300.0), ("critical", 150.0), ("empty", 20.0)])
def test_a_threshold_is_reached_exactly(name: str, limit: float) -> None:
    watched = Watched().passes(*[10.0] * 24, level=limit)
    now = watched.hour * HOUR
    assert getattr(watched.outlook(), name) == (now, now, now)
    watched.level.volume_l, watched.level.at = limit + 0.5, now
    span = getattr(watched.outlook(), name)
    assert now < span[0] < now + HOUR


def test_the_levels_deviation_is_that_of_the_range() -> None:
    watched = Watched().passes(*[10.0] * 24 * 20, level=350.0)
    watched.level.sd_l = None
    certain = watched.outlook().low
    watched.level.sd_l = 0.0
    assert watched.outlook().low == certain
    watched.level.sd_l = 12.0
    usual = profiles.usual(watched.profile)
    litres = profiles.expected_for(usual, 50.0, watched.scaling.more, 144.0)
    span = watched.outlook().low
    assert span
    start = watched.level.at
    assert start is not None
    assert span[1] == forecasts.expect(usual, "UTC", start).when(litres)
