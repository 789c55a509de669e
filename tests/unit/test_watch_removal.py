"""Stories of tanks that were taken, drained, cut, opened, moved, or only knocked."""

from math import isclose, sqrt
from typing import Any

import pytest

from gateway.domain.message import RawEvent
from gateway.domain.outputs import Level
from gateway.domain.registry import Plan
from gateway.domain.watch.fitted import FITTED
from gateway.domain.watch.tracks.cause import VERDICTS
from gateway.domain.watch.tracks.weights import Weights
from gateway.evaluation.assumed import ASSUMED
from tests.unit.tank_story import HOUR, T0, Story, ibc, motion, registry_of, tilt

THEFT = {"seized", "drained", "slashed", "lid_open"}


def lived(weights: Weights = ASSUMED, **fields: Any) -> Story:
    """A tank in normal use."""
    story = Story(registry_of([ibc(**fields)]), weights)
    story.levels(*([700] * 8))
    return story


def thefts(story: Story) -> list[str]:
    return [i.kind for i in story.incidents if i.kind in THEFT]


def seized(story: Story) -> None:
    story.sends(700, at=story.at + 60, events=(motion(41_000, ago=41), tilt(64, ago=30)), next_s=30)
    story.sends(690, at=story.at + 30, next_s=30)


def test_movement_and_tilt_then_silence_may_be_a_seizure() -> None:
    story = lived()
    seized(story)
    assert story.summary == ["opened seized!"]
    assert story.incidents[0].received - story.incidents[0].at < 60
    story.passes(HOUR)
    assert story.summary == ["opened seized!", "updated seized"]
    taken = story.incidents[-1]
    assert taken.received - (T0 + story.at - HOUR) < 240  # the 30 s promise, broken
    assert 0.95 < taken.probability < 1.0  # as sure as such stories are right
    assert taken.probability == pytest.approx(sum(taken.causes[kind] for kind in THEFT))
    assert taken.causes["seized"] > 0.9
    assert {"motion", "tilt", "silence_after_handling", "battery_good"} <= {
        b.term for b in taken.because
    }
    assert story.watch.now("north-1").state == "unknown"


@pytest.mark.parametrize("kind", ["motion", "tilt"])
def test_either_motion_or_tilt_and_then_silence_is_enough(kind: str) -> None:
    story = lived()
    event = motion(8000) if kind == "motion" else tilt(50)
    story.sends(700, at=story.at + 60, events=(event,), next_s=30)
    story.passes(600)
    assert story.incidents[-1].kind == "seized"
    assert len(story.alerts) == len({i.kind for i in story.alerts}) <= 2


def test_one_bump_is_one_quiet_event() -> None:
    story = lived()
    story.sends(700, at=story.at + 60, events=(motion(400),))
    story.levels(700, 690, 690)
    assert [e.kind for e in story.events("knock", "moved")] == ["knock"]
    assert story.incidents == []


def test_wind_that_shakes_it_for_ten_seconds_alerts_nobody() -> None:
    story = lived()
    story.sends(700, at=story.at + 60, events=(motion(10_000, 200),), next_s=30)
    story.levels(*([698] * 40), every=30, next_s=30)
    story.levels(698, every=30)
    story.levels(*([698] * 20))
    assert story.incidents == []


def test_a_planned_move_alerts_nobody() -> None:
    plan = Plan("north-1", T0 + HOUR, T0 + 6 * HOUR, "move")
    story = Story(registry_of(plans=[plan]))
    story.levels(*([700] * 8))
    seized(story)
    story.passes(2 * HOUR)
    assert {i.kind for i in story.incidents} == {"moved_by_us"}
    assert story.alerts == []


def test_what_happened_before_moved_by_us_opens_no_other_incident() -> None:
    story = lived()
    seized(story)
    story.operator("moved_by_us", story.incidents[-1].id)
    assert story.incidents[-1].kind == "moved_by_us"
    assert story.incidents[-1].change == "closed"
    story.sends(690, at=story.at + 60, events=(motion(30_000, ago=90),), next_s=30)
    assert len(story.alerts) == 1
    story.passes(2 * HOUR)  # its node falls silent, which says so itself
    assert [i.kind for i in story.alerts] == ["seized", "silent"]


@pytest.mark.parametrize("op", ["moved_by_us", "seen_there", "close"])
@pytest.mark.parametrize("event", [motion(30_000), tilt(80)])
def test_evidence_after_a_person_closed_opens_a_new_incident(op: str, event: RawEvent) -> None:
    story = lived()
    seized(story)
    first = story.incidents[-1].id
    story.operator(op, first)
    assert story.incidents[-1].change == "closed"
    story.sends(690, at=story.at + 60, events=(event,), next_s=30)
    story.passes(HOUR)
    (again,) = {i.id for i in story.alerts} - {first}
    assert (story.incidents[-1].id, story.incidents[-1].kind) == (again, "seized")


def test_seen_there_closes_a_seizure() -> None:
    story = lived()
    seized(story)
    story.passes(HOUR)
    story.operator("seen_there", story.incidents[-1].id)
    assert story.incidents[-1].change == "closed"
    assert story.incidents[-1].causes["seized"] < 0.05


def emptied_by(story: Story, stop_l: float, every: int, litres: float = 800) -> None:
    """Torricelli through a 50 mm hole at the height of ``stop_l``."""
    story.levels(*([litres] * 4), every=every)
    while litres > stop_l + 2:
        for _ in range(every // 10):
            litres = max(stop_l, litres - 320 / 6 * sqrt(max(litres - stop_l, 0) / 1000))
        story.levels(litres, every=every)
    story.levels(*([stop_l] * 5), every=every)


@pytest.mark.parametrize("every", [10, 30, 60])
def test_a_slashed_tank_empties_to_the_height_of_the_cut(every: int) -> None:
    story = lived()
    emptied_by(story, 400, every)
    assert story.incidents[-1].kind == "slashed"
    (slash,) = story.events("slash")
    assert 380 < (slash.litres or 0) < 420
    assert len(story.alerts) == 1
    assert story.events("draw") == []


@pytest.mark.parametrize("every", [10, 30, 60, 600])
def test_a_tank_with_an_open_valve_is_drained(every: int) -> None:
    story = lived()
    emptied_by(story, 0, every)
    assert [i.kind for i in story.incidents if i.tank and i.kind in THEFT][-1] == "drained"
    (drain,) = story.events("drain")
    assert 700 < (drain.litres or 0) <= 805
    assert story.events("draw") == []


def test_draws_at_all_taps_are_no_theft() -> None:
    story = lived(FITTED)
    story.sends(700, at=story.at + 60, events=(motion(600),))
    story.levels(*range(700, 60, -40), every=60)  # 40 L a minute from four taps
    story.levels(*([60] * 10), every=600)
    assert thefts(story) == []


def test_a_refill_closes_a_drained_incident() -> None:
    story = lived()
    emptied_by(story, 0, 30)
    story.levels(400, 800, 950, 950, 950)
    theft = [i for i in story.incidents if i.kind == "drained"]
    assert theft[-1].change == "closed"


def test_a_lid_left_open_alerts_once_and_a_lid_opened_to_fill_does_not() -> None:
    story = lived()
    story.sends(700, at=story.at + 60, events=(RawEvent(0, "lid", {"open": True}),))
    story.levels(700, 700, 700, 700)
    assert story.summary == ["opened lid_open!"]
    story.sends(700, at=story.at + 60, events=(RawEvent(0, "lid", {"open": False}),))
    assert story.summary[-1] == "closed lid_open"
    story = Story()
    story.levels(*([200] * 8))
    story.outputs.clear()
    story.sends(200, at=story.at + 60, events=(RawEvent(0, "lid", {"open": True}),))
    story.levels(200, 600, 950, 950, 950, every=300)
    story.levels(950, 950, 950, 940, 940)
    assert thefts(story) == []


def test_theft_known_hours_later_is_marked_as_learned_late() -> None:
    story = lived()
    story.at += 10 * HOUR
    story.sends(silent=True)
    story.sends(
        700, newest=False, sealed=story.at - 8 * HOUR, events=(motion(40_000), tilt(70, ago=5))
    )
    (opened,) = [i for i in story.alerts if i.kind != "silent"]
    assert opened.kind in (*THEFT, "unknown")
    assert opened.learned_late
    assert opened.at < T0 + story.at - 7 * HOUR


def test_theft_older_than_two_days_opens_nothing() -> None:
    story = lived()
    story.at += 60 * HOUR
    story.sends(700)
    count = len(story.alerts)
    story.sends(700, newest=False, sealed=story.at - 50 * HOUR, events=(tilt(70),))
    assert len(story.alerts) == count
    assert [e.kind for e in story.events("moved")] == ["moved"]


def test_a_loss_in_backlog_that_later_readings_revert_alerts_nobody() -> None:
    story = lived()
    story.at += 10 * HOUR
    story.sends(900)
    count = len(story.alerts)
    for minute in range(10):
        level = max(700 - minute * 200, 0)
        story.sends(level, newest=False, sealed=story.at - 5 * HOUR + minute * 30)
    story.passes(180)
    assert len(story.alerts) == count


def test_a_loss_in_backlog_that_later_readings_confirm_is_learned_late() -> None:
    story = lived()
    story.at += 10 * HOUR
    story.sends(10)
    for minute in range(10):
        level = max(700 - minute * 200, 10)
        story.sends(level, newest=False, sealed=story.at - 5 * HOUR + minute * 30)
    story.passes(180)  # for what the node may still send from the gap
    drained = [i for i in story.incidents if i.kind == "drained"]
    assert drained and drained[0].learned_late and drained[0].alert


def test_unsigned_events_open_no_theft() -> None:
    story = lived()
    story.sends(700, at=story.at + 60, events=(motion(41_000), tilt(64)), auth="unsigned")
    story.passes(HOUR)
    assert thefts(story) == []


def test_a_tank_set_upright_that_continues_to_send_closes_its_seizure() -> None:
    story = lived()
    story.sends(700, at=story.at + 60, events=(motion(20_000), tilt(40)), next_s=30)
    story.sends(700, at=story.at + 60, events=(RawEvent(0, "still"),))
    story.levels(*([700] * 40))
    assert story.incidents[-1].change == "closed"
    assert story.incidents[-1].causes["seized"] < 0.4
    assert len(story.alerts) <= 2


def test_while_a_tank_is_tilted_its_level_before_is_shown() -> None:
    story = lived()
    before = story.watch.now("north-1")
    story.sends(640, at=story.at + 60, events=(motion(41_000), tilt(64)), next_s=30)
    for litres in (60, 55, 300):
        story.sends(litres, at=story.at + 30, next_s=30)
    tilted = story.watch.now("north-1")
    assert (tilted.state, tilted.volume_l, tilted.at) == ("unknown", before.volume_l, before.at)
    levels = [t for t in story.outputs if isinstance(t, Level)]
    assert [level.state for level in levels[-4:]] == ["unknown"] * 4
    assert not {"low", "critical", "empty"} & {i.kind for i in story.incidents}


@pytest.mark.parametrize("upright", [tilt(3), None], ids=["reports upright", "reads as before"])
def test_a_tank_upright_again_shows_its_level_again(upright: RawEvent | None) -> None:
    story = lived()
    story.sends(60, at=story.at + 60, events=(motion(20_000), tilt(64)), next_s=30)
    events = (upright,) if upright else ()
    story.sends(700, at=story.at + 60, events=events)
    story.sends(700, at=story.at + 60)
    assert story.watch.now("north-1").state == "ok"


def test_probabilities_of_every_incident_sum_to_one_and_leave_room_for_doubt() -> None:
    story = lived()
    seized(story)
    story.passes(HOUR)
    story.sends(20, at=story.at + 60)
    for incident in story.incidents:
        assert set(incident.causes) == set(VERDICTS)
        assert isclose(sum(incident.causes.values()), 1.0)
        assert incident.causes["unknown"] > 0
