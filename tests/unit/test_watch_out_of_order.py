"""Falls that go on slowly, lid events out of order, episodes that overlap, neighbours long flat."""

from gateway.domain.message import RawEvent
from gateway.domain.watch.rules.falls import find_fall
from tests.unit.tank_story import HOUR, Story, ibc, motion
from tests.unit.test_watch_fall_checks import samples
from tests.unit.test_watch_handling import drained, thefts, two_tanks

OPEN, CLOSED = (RawEvent(0, "lid", {"open": is_open}) for is_open in (True, False))


def lived() -> Story:
    story = Story()
    story.levels(*([700] * 8))
    return story


def test_a_tank_that_still_falls_is_on_no_plateau() -> None:
    litres = [700] * 4 + [642, 587, 534, 484, 436, 391, 348, 308, 271, 236, 203, 173, 146, 121]
    fall = find_fall(samples(*litres, every=30), ibc(), 3.0, 0)
    assert fall and not fall.plateau


def test_a_valve_of_five_taps_drains() -> None:
    story = two_tanks()
    drained(story, 1, taps=5)
    assert [e.kind for e in story.events("drain", "slash")] == ["drain"]


def test_a_lid_closed_in_the_newest_message_and_opened_in_the_backlog_is_closed() -> None:
    story = lived()
    story.at += 2400
    at = story.at
    story.sends(700, events=(CLOSED,))
    story.sends(700, at=at + 5, newest=False, sealed=at - 900, events=(OPEN,))
    story.levels(*([700] * 12), every=600)
    assert story.summary == []


def test_a_late_closing_of_before_does_not_close_a_lid() -> None:
    story = lived()
    story.at += 2400
    at = story.at
    story.sends(700, events=(OPEN,))
    story.sends(700, at=at + 5, newest=False, sealed=at - 900, events=(CLOSED,))
    story.levels(*([700] * 12), every=600)
    assert story.summary == ["opened lid_open!"]


def test_motion_an_hour_after_the_lid_was_opened_by_day_forgets_no_lid() -> None:
    story = Story()
    story.at = 12 * HOUR
    story.levels(*([700] * 8))
    story.sends(700, at=story.at + 60, events=(OPEN,))
    opened = story.at
    story.levels(*([700] * 6), every=600)
    story.sends(700, at=opened + 4200, events=(motion(6000, 200),))
    story.levels(*([700] * 20), every=600)
    assert "opened lid_open!" in story.summary


def test_old_motion_from_the_backlog_replaces_no_newer_episode() -> None:
    story = lived()
    story.at += 3 * HOUR
    story.sends(700, events=(motion(8000, 900),), next_s=30)
    at = story.at
    story.sends(700, at=at + 5, newest=False, sealed=at - 2 * HOUR, events=(motion(6000, 300),))
    story.passes(2 * HOUR)
    assert story.summary[-1] == "opened seized!"


def test_tanks_that_emptied_together_stay_no_theft() -> None:
    story = two_tanks()
    drained(story, 1, 2, taps=4.5)
    assert thefts(story) == set()


def test_a_weak_gust_makes_a_short_shake_no_tank_carried() -> None:
    story = lived()
    for mg in (400, 100):
        story.levels(700, 700, 700)
        story.sends(700, at=story.at + 600, events=(motion(5000, mg),))
    story.levels(*([700] * 8))
    assert story.summary == []
