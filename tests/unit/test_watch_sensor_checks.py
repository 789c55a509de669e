"""What is asked of the sensor that shows a fall: echoes, a rise before it, a frozen value."""

import pytest

from gateway.domain.registry import Sensor
from gateway.domain.watch.rules import sensor_checks
from gateway.domain.watch.tracks import tamper
from tests.unit.handled_tank import episode_of, fall_of, handled_tank
from tests.unit.settled_tank import SettledTank
from tests.unit.tank_story import T0, Story, ibc, registry_of

MINUTE = 60.0
FALL = {"at": T0 + 7200, "until": T0 + 7800, "from_l": 700.0, "to_l": 100.0}


def undoes_rise(
    *earlier: tuple[float, float], dropped: tuple[tuple[float, float], ...] = ()
) -> bool:
    """Of a fall from 700 to 100 L after these samples (minutes before it, litres)."""
    handled, fall = handled_tank(), fall_of(**FALL)
    handled.tank.settling.dropped = [[fall.at - MINUTE * m, litres] for m, litres in dropped]
    samples = [[fall.at - MINUTE * m, litres] for m, litres in earlier]
    sensor_checks.note(handled.tank, handled.row, fall, [*samples, [fall.at, 700.0]], 1.0)
    return fall.undoes_rise


def test_a_level_that_was_there_all_the_time_undoes_no_rise() -> None:
    assert not undoes_rise((30, 700), (20, 700), (10, 700))


@pytest.mark.parametrize(("minutes", "found"), [(90, True), (90.1, False), (0, False)])
def test_the_level_was_as_low_within_an_hour_and_a_half_before(minutes: float, found: bool) -> None:
    assert undoes_rise((minutes, 100), (5, 700)) == found


@pytest.mark.parametrize(("litres", "found"), [(190, True), (191, False)])
def test_as_low_is_within_a_part_of_the_fall(litres: float, found: bool) -> None:
    assert undoes_rise((20, litres), (10, 700)) == found


@pytest.mark.parametrize(("risen", "found"), [((700, 700), True), ((700, 700, 700), False)])
def test_four_readings_that_agree_are_water(risen: tuple[float, ...], found: bool) -> None:
    later = [(10.0 * (len(risen) - i), litres) for i, litres in enumerate(risen)]
    assert undoes_rise((60, 100), *later) == found


@pytest.mark.parametrize(
    ("litres", "found"), [(609, True), (610, False), (790, False), (791, True)]
)
def test_readings_that_scatter_do_not_agree(litres: float, found: bool) -> None:
    assert undoes_rise((60, 100), (30, 700), (20, 700), (10, litres)) == found


def test_an_outlier_that_was_dropped_is_asked_too() -> None:
    before = ((50, 700), (40, 700), (30, 700), (20, 700))
    assert undoes_rise(*before, dropped=((10, 105),))
    assert not undoes_rise(*before, dropped=((60, 105),))


def test_the_last_six_outliers_are_remembered() -> None:
    tank = SettledTank(*([500.0] * 30))
    tank.reads(900)
    assert tank.track.dropped == []
    tank.reads(500)
    assert tank.track.dropped == [[T0 + tank.at - 900, 900.0]]
    for litres in range(700, 800, 10):
        tank.reads(float(litres), 500)
    assert [litres for _, litres in tank.track.dropped] == [740, 750, 760, 770, 780, 790]


def test_readings_that_no_other_agrees_with_are_remembered_as_outliers() -> None:
    tank = SettledTank(*([500.0] * 30))
    tank.reads(900, 200, 780, 300, 700, 10, 850)
    assert [litres for _, litres in tank.track.dropped] == [900]
    tank = SettledTank(*([500.0] * 30))
    tank.reads(900, 300, 300)
    assert [litres for _, litres in tank.track.dropped] == [900]


@pytest.mark.parametrize(
    ("frozen_until", "found"),
    [(7200, False), (7201, True), (7800, True), (7801, False), (-T0, False)],
)
def test_a_value_that_was_frozen_until_the_fall(frozen_until: float, found: bool) -> None:
    handled, fall = handled_tank(), fall_of(**FALL)
    handled.tank.health.frozen_until = T0 + frozen_until
    sensor_checks.note(handled.tank, handled.row, fall, [[fall.at, 700.0]], 1.0)
    assert fall.was_frozen == found


@pytest.mark.parametrize(("field", "term"), [("undoes_rise", "rise_undone"), ("was_frozen",) * 2])
def test_both_speak_against_a_theft_and_for_the_sensor(field: str, term: str) -> None:
    found = handled_tank().terms(episode_of(fall=fall_of(**{field: True})))[term]
    assert found.towards["theft"] < 0 < found.towards["sensor_fault"]
    assert term not in handled_tank().terms(episode_of(fall=fall_of()))
    for was, now in ((True, False), (False, True)):
        later = fall_of(at=T0 + 60, **{field: now})
        tamper.extend(later, fall_of(**{field: was}))
        assert getattr(later, field)


@pytest.mark.parametrize(("false_echoes", "thefts"), [(2, 0), (8, 1)])
def test_a_few_readings_that_agree_are_no_theft_when_they_end(
    false_echoes: int, thefts: int
) -> None:
    story = Story(registry_of([ibc()]))
    story.levels(*([25.0] * 12), *([825.0] * false_echoes), *([25.0] * 4), every=600)
    assert len({c.id for c in story.incidents if c.kind == "drained"}) == thefts


@pytest.mark.parametrize("sensor", ["a02yyuw", "jsn-sr04t"])
def test_a_knock_says_nothing_where_filling_the_tank_looks_like_a_fall(sensor: Sensor) -> None:
    tank = handled_tank(sensor, sensor_height_mm=1100)
    fall = fall_of(from_l=899, to_l=300, single_step=True, step_s=301)
    tank.tank.knocks = [[fall.at, fall.at]]
    assert ("knock" in tank.terms(episode_of(fall=fall))) == (sensor == "a02yyuw")
