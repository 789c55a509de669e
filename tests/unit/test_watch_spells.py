"""What waits while a tank's level is not known: after a gap, a tilt, a fault, a sick spell."""

from typing import Any

import pytest

from gateway.domain.message import RawEvent
from gateway.domain.outputs import Forecast, TankEvent
from tests.unit.tank_story import DAY, T0, Story, tilt

LAST = 8 * 900  # the last message before the gap
BACK = LAST + 16 * 900


def saved_tank(story: Story) -> dict[str, Any]:
    """The record of the tank, changed since the last look."""
    saved: Any = story.watch.dirty()["tank:north-1"]
    return saved


def water(story: Story) -> list[TankEvent]:
    return story.events("refill", "draw", "drain", "slash")


def away() -> Story:
    """A tank at 800 L whose node is out of reach from then on."""
    story = Story()
    story.levels(*([800.0] * 8))
    return story


def sends_backlog(story: Story) -> None:
    """The node sends what it measured meanwhile: people drew 200 L, then the tank was filled."""
    for number, litres in enumerate((800, 750, 700, 650, 600, 600, 600, 900, 900, 900, 900), 1):
        at = LAST + 900 * number
        story.sends(litres, at=story.at + 1, sealed=at, newest=False)


def after_the_gap(*newest: float | None, events: tuple[RawEvent, ...] = ()) -> Story:
    """The newest messages first, then the backlog, and its two minutes."""
    story = away()
    for number, litres in enumerate(newest):
        story.sends(litres, at=BACK + 10 * number, events=events)
    sends_backlog(story)
    assert water(story) == []
    story.passes(BACK + 121 - story.at)
    return story


def test_a_gap_that_is_over_is_booked() -> None:
    assert [e.kind for e in water(after_the_gap(900))].count("refill") == 1


def test_a_refill_is_followed_by_a_forecast_at_once() -> None:
    """Its own event waits for other parts of the delivery."""
    story = Story()
    story.levels(*([500.0] * 8), *([900.0] * 15), every=60)
    forecasts = [o for o in story.outputs if isinstance(o, Forecast)]
    assert [forecast.tank for forecast in forecasts] == ["north-1"]
    assert story.events("refill") == []
    story.levels(*([900.0] * 15), every=60)
    (refill,) = story.events("refill")
    assert refill.litres == pytest.approx(400, abs=1)
    assert refill.until == T0 + 540
    assert [o for o in story.outputs if isinstance(o, Forecast)] == forecasts


def test_a_gap_that_ends_with_a_tilt_is_not_booked() -> None:
    assert water(after_the_gap(900, events=(tilt(60),))) == []


def test_a_gap_that_ends_with_a_fault_is_not_booked() -> None:
    story = after_the_gap(None, None)
    assert story.watch.now("north-1").state == "fault"
    assert water(story) == []


def test_the_first_reading_of_a_tank_ends_no_gap() -> None:
    story = Story()
    story.sends(700, at=900)
    assert story.watch.due() == T0 + 900 + 1020, "late; two minutes would be a gap"
    assert saved_tank(story)["gap"] is None


def after_a_fault(*litres: float) -> TankEvent:
    """What is told when a sensor without echoes is believed again."""
    story = Story()
    story.levels(*([500.0] * 12))
    for _ in range(3):
        story.sends(None, at=story.at + 900)
    story.levels(*litres)
    (found,) = water(story)
    return found


@pytest.mark.parametrize(
    ("litres", "kind", "least_l", "litres_l", "most_l"),
    [((800, 800), "refill", 295.0, 300.0, 1300.0), ((380, 380), "draw", 115.0, 120.0, 125.0)],
)
def test_after_a_fault_the_difference_is_told_with_its_bounds(
    litres: tuple[float, ...], kind: str, least_l: float, litres_l: float, most_l: float
) -> None:
    found = after_a_fault(*litres)
    assert found.kind == kind
    assert found.litres == pytest.approx(litres_l, abs=0.6)
    assert found.least_l == pytest.approx(least_l, abs=1)
    assert found.most_l == pytest.approx(most_l, abs=1)


def test_a_fault_began_with_the_first_missing_echo() -> None:
    story = Story()
    story.levels(*([500.0] * 3))
    for _ in range(3):
        story.sends(None, at=story.at + 900)
    assert story.events("fault") == [TankEvent(T0 + 3600, T0 + 4500, "north-1", "fault")]


def sick() -> Story:
    """A sensor that jumped three times within a day, so that nobody believes it."""
    story = Story()
    for litres in (800.0, 500.0, 800.0, 500.0):
        story.levels(*([litres] * 8))
    assert story.watch.now("north-1").state == "fault"
    return story


def calm(story: Story) -> Story:
    """Readings that scatter a little, until the sensor is believed again."""
    while not story.events("fault_over"):
        story.levels(760, 761)
    return story


def test_after_a_sick_spell_nothing_is_told_for_a_day_but_everything_then() -> None:
    story = calm(sick())
    story.watch.dirty()
    over = story.at
    story.levels(*([760, 758] * 4))
    doubt = saved_tank(story)["doubt"]
    assert doubt is not None, "it may be a pause in a longer spell"
    assert over - 1800 < doubt.until - DAY - T0 <= over
    while story.at < over + DAY - 4 * 900:
        story.levels(760, 758)
    assert water(story) == []
    story.levels(*([760, 758] * 4))
    assert saved_tank(story)["doubt"] is None
    assert [e.kind for e in water(story)] == ["draw"]
    assert water(story)[0].litres == pytest.approx(40, abs=3)


def test_in_a_sick_spell_nothing_is_in_doubt_any_more() -> None:
    story = sick()
    assert saved_tank(story)["doubt"] is None


def test_missing_echoes_do_not_end_a_doubt() -> None:
    story = Story()
    story.levels(*([800.0] * 6), 500, 500, 500)
    assert saved_tank(story)["doubt"] is not None
    for _ in range(3):
        story.sends(None, at=story.at + 900)
    assert story.watch.now("north-1").state == "fault"
    assert saved_tank(story)["doubt"] is not None
