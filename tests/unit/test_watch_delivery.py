"""A delivery in several parts is one refill, reported once no more water can belong to it."""

import json
from copy import deepcopy
from typing import Any

import msgspec
import pytest

from gateway.domain.outputs import EventKind, TankEvent
from gateway.domain.watch import Watch
from gateway.domain.watch.tracks import delivery, flow
from gateway.domain.watch.tracks.account import Flow
from gateway.evaluation.assumed import ASSUMED
from tests.unit.followed_tank import SIGMA_L, Followed, sampled
from tests.unit.settled_tank import ROW
from tests.unit.tank_story import HOUR, T0, Story

MINUTE = 60.0


def event(begin: float, end: float, litres: float = 100.0, kind: EventKind = "refill") -> TankEvent:
    """``begin`` and ``end`` in minutes after T0; its bounds are 10 L to each side."""
    at, until = T0 + begin * MINUTE, T0 + end * MINUTE
    return TankEvent(at, until, "north-1", kind, litres, litres - 10, litres + 10)


def account(every: float = 10.0) -> Flow:
    """An account whose node measures each ``every`` minutes."""
    return sampled(*[[T0 + n * every * MINUTE, 500.0] for n in range(4)])


def hold(track: Flow, minute: float, *events: TankEvent) -> list[TankEvent]:
    return delivery.hold(track, list(events), T0 + minute * MINUTE)


def test_a_refill_is_reported_when_twenty_minutes_have_passed() -> None:
    track, refill = account(), event(0, 10)
    assert hold(track, 10, refill) == []
    assert hold(track, 30) == []
    assert hold(track, 30.1) == [refill]
    assert track.held == []
    assert hold(track, 60) == []


def test_a_draw_is_reported_at_once_but_after_a_refill_that_waits() -> None:
    track, refill = account(), event(0, 10)
    before, after = event(-20, 0, 5, "draw"), event(10, 25, 7, "draw")
    assert hold(track, 10, before, refill) == [before]
    assert hold(track, 25, after) == []
    assert hold(track, 31) == [refill, after]


@pytest.mark.parametrize(("pause", "count"), [(20.0, 1), (20.1, 2)])
def test_parts_at_most_twenty_minutes_apart_are_one_delivery(pause: float, count: int) -> None:
    track = account()
    found = hold(track, 10, event(0, 10))
    found += hold(track, 20 + pause, event(10 + pause, 20 + pause, 50.0))
    found += hold(track, 200)
    assert len(found) == count
    assert sum(e.litres or 0.0 for e in found) == 150
    if count == 1:
        assert found == [TankEvent(T0, T0 + 40 * MINUTE, "north-1", "refill", 150, 130, 170)]


def test_the_last_refill_is_the_whole_delivery() -> None:
    track = account()
    hold(track, 10, event(0, 10))
    track.refill_l = 50.0
    hold(track, 30, event(20, 30, 50.0))
    assert track.refill_l == 150


@pytest.mark.parametrize(("pause", "count"), [(45.0, 1), (45.1, 2)])
def test_where_readings_are_seldom_parts_are_three_quarters_of_their_interval_apart(
    pause: float, count: int
) -> None:
    track = account(every=60.0)
    found = hold(track, 60, event(0, 60)) + hold(track, 180, event(60 + pause, 180))
    assert len(found + hold(track, 400)) == count


@pytest.mark.parametrize(
    ("every", "part", "pause", "count"),
    [(10, 35, 40, 1), (10, 35, 40.1, 2), (10, 34.9, 30, 2), (5, 25, 30, 1), (5, 24.9, 30, 2)],
)
def test_a_pump_pauses_up_to_forty_minutes(
    every: float, part: float, pause: float, count: int
) -> None:
    """It filled for three and a half readings, and for 25 minutes, without a pause."""
    track = account(every=every)
    found = hold(track, part, event(0, part))
    found += hold(track, part + pause + 10, event(part + pause, part + pause + 10))
    assert len(found + hold(track, 400)) == count


@pytest.mark.parametrize(("deliveries", "count"), [(1, 1), (2, 2)])
def test_a_pump_is_forgotten_after_deliveries_without_one(deliveries: int, count: int) -> None:
    """After 45 minutes without a pause: 0.8 of it is 36, of that 29, which is no pump."""
    track, at = account(), 200.0
    hold(track, 45, event(0, 45))
    for n in range(deliveries - 1):
        hold(track, at * (n + 1) + 5, event(at * (n + 1), at * (n + 1) + 5))
    hold(track, 600)
    assert hold(track, 605, event(600, 605)) == []
    found = hold(track, 640, event(635, 640))
    found += hold(track, 1000)
    assert len(found) == count


def test_a_rise_that_began_in_time_is_waited_for() -> None:
    seen = Followed(*([500.0] * 8)).sees(600, 600, 600, every=600)
    assert (seen.complete, len(seen.told)) == ([], 1)
    seen.sees(*(600.0 + 30 * n for n in range(1, 9)), every=600)
    assert seen.complete == []
    seen.sees(*([840.0] * 10), every=600)
    assert [round(e.litres or 0) for e in seen.complete] == [340]


def test_a_rise_that_began_later_is_another_delivery() -> None:
    seen = Followed(*([500.0] * 8)).sees(*([600.0] * 4), every=600).sees(*([700.0] * 6), every=600)
    assert [e.litres for e in seen.told] == [100, 100]


def test_a_loss_and_a_spell_release_what_waits() -> None:
    seen = Followed(*([500.0] * 8)).sees(*([600.0] * 3), every=600)
    one, other = deepcopy(seen.flow), deepcopy(seen.flow)
    told = flow.book_loss(one, ROW, 600.0, 100.0, T0 + HOUR, T0 + HOUR, SIGMA_L)
    assert [(e.kind, e.litres) for e in told] == [("refill", 100)]
    told = flow.resume(other, ROW, seen.sample(700.0), SIGMA_L)
    assert [(e.kind, e.litres) for e in told] == [("refill", 100), ("refill", 100)]
    assert one.held == other.held == []


def filled(readings: int = 4) -> Story:
    story = Story()
    story.levels(*([500.0] * 8), *([800.0] * readings), every=300)
    return story


def test_a_node_that_is_silent_for_six_hours_after_a_refill_hides_it_no_longer() -> None:
    story = filled()
    story.passes(6 * HOUR)
    assert story.events("refill") == []
    story.passes(HOUR)
    assert [round(e.litres or 0) for e in story.events("refill")] == [300]
    story.passes(HOUR)
    assert len(story.events("refill")) == 1


def test_what_waits_is_saved_with_the_state() -> None:
    story = filled()
    saved: dict[str, Any] = json.loads(msgspec.json.encode(story.watch.dirty()))
    assert len(saved["tank:north-1"]["flow"]["held"]) == 1
    story.watch = Watch(story.registry, saved, weights=ASSUMED)
    story.levels(*([800.0] * 4), every=300)
    assert [round(e.litres or 0) for e in story.events("refill")] == [300]


def test_a_refill_before_the_sensor_was_in_doubt_is_reported() -> None:
    story = Story()
    story.levels(*([500.0] * 8), *([800.0] * 3), every=600)
    assert story.events("refill") == []
    story.levels(300.0, 300.0, every=600)
    assert [round(e.litres or 0) for e in story.events("refill")] == [300]
