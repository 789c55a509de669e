"""Readings after a gap wait for those from the gap; level and state do not wait."""

import json
from typing import Any

import msgspec
import pytest

from gateway.domain.outputs import Level, TankEvent
from gateway.domain.watch import Watch
from gateway.evaluation.assumed import ASSUMED
from tests.unit.tank_story import HOUR, T0, Story

BEFORE = (800.0,) * 8
GAP = (800, 760, 700, 640, 600, 560, 560, 560, 900, 900, 890, 880, 880, 880, 880)
"""What the node measured each 900 s while it was out of reach."""
AFTER = (880.0,) * 8
REACHED = 900 * len(BEFORE)  # the last message before the gap
BACK = REACHED + 900 * (len(GAP) + 1)


def backlog(order: str) -> list[tuple[int, int]]:
    """The readings of the gap in an order, each with its event time in s since T0."""
    readings = [(REACHED + 900 * i, litres) for i, litres in enumerate(GAP, 1)]
    return readings[::-1] if order == "newest first" else readings


def before_the_gap() -> Story:
    story = Story()
    story.levels(*BEFORE)
    return story


def through_the_gap(order: str, *, late_s: float = 0.0, restored: bool = False) -> Story:
    """The node is back: its newest message, then its backlog ``late_s`` later."""
    story, saved = before_the_gap(), dict[str, Any]()
    if order == "in order":
        for i, (at, litres) in enumerate(backlog(order)):
            story.sends(litres, at=BACK - 60 + i, sealed=at)
        story.sends(880, at=BACK)
    else:
        story.sends(880, at=BACK)
        for i, (at, litres) in enumerate(backlog(order), 1):
            story.sends(litres, at=BACK + late_s + i, sealed=at, newest=False)
            if restored:
                restore(story, saved)
    story.at = BACK
    story.levels(*AFTER)
    return story


def never_away() -> Story:
    """The same water with a node that was never out of reach."""
    story = before_the_gap()
    for at, litres in backlog("in order"):
        story.sends(litres, at=at)
    story.at = BACK - 900
    story.levels(880, *AFTER)
    return story


def restore(story: Story, saved: dict[str, Any]) -> None:
    """Save the state as JSON, of which ``saved`` is the part that did not change, and continue
    with a new watch.
    """
    saved |= json.loads(msgspec.json.encode(story.watch.dirty()))
    story.watch = Watch(story.registry, {k: v for k, v in saved.items() if v is not None}, ASSUMED)


def water(story: Story) -> list[TankEvent]:
    return story.events("refill", "draw", "drain", "slash")


@pytest.mark.parametrize("order", ["newest first", "oldest first", "in order"])
def test_refills_and_draws_are_those_of_a_node_that_was_never_away(order: str) -> None:
    story = through_the_gap(order)
    assert water(story) == water(never_away())
    assert [e.kind for e in water(story)].count("refill") == 1
    assert len(water(story)) == 5


def test_they_are_told_once_the_backlog_has_had_two_minutes() -> None:
    story = before_the_gap()
    story.sends(880, at=BACK)
    for i, (at, litres) in enumerate(backlog("newest first"), 1):
        story.sends(litres, at=BACK + i, sealed=at, newest=False)
    story.passes(BACK + 119 - story.at)
    assert water(story) == []
    story.passes(1)
    assert [e.kind for e in water(story)].count("refill") == 1


def test_the_level_and_the_state_do_not_wait() -> None:
    story = before_the_gap()
    story.sends(100, at=story.at + 5 * HOUR)
    story.sends(101, at=story.at + 30)
    assert story.states[-1] == "critical"
    assert story.watch.now("north-1").volume_l == pytest.approx(101, abs=1)
    assert "opened critical!" in story.summary
    assert water(story) == []


def test_each_reading_of_the_gap_is_a_level_line() -> None:
    story = through_the_gap("newest first")
    lines = [t.at - T0 for t in story.outputs if isinstance(t, Level)]
    assert sorted(lines) == [900.0 * i for i in range(1, len(BEFORE + GAP + AFTER) + 2)]


def test_a_backlog_that_comes_too_late_changes_no_refill_and_no_draw() -> None:
    alone = before_the_gap()
    alone.sends(880, at=BACK)
    alone.levels(*AFTER)
    late = through_the_gap("newest first", late_s=120)
    assert water(late) == water(alone)
    assert [e.kind for e in water(late)] == ["refill"]


def test_readings_after_the_gap_are_in_order_with_the_others() -> None:
    story = before_the_gap()
    story.sends(880, at=BACK)
    story.sends(878, at=BACK + 30)
    for i, (at, litres) in enumerate(backlog("newest first"), 31):
        story.sends(litres, at=BACK + i, sealed=at, newest=False)
    story.at = BACK
    story.levels(*AFTER)
    expected = never_away()
    kinds = [(e.kind, e.at) for e in water(story)]
    assert kinds == [(e.kind, e.at) for e in water(expected)]


@pytest.mark.parametrize("order", ["newest first", "oldest first"])
def test_a_state_saved_and_restored_in_the_gap_gives_the_same_outputs(order: str) -> None:
    assert through_the_gap(order, restored=True).outputs == through_the_gap(order).outputs


def gap_after(seconds: float, next_s: int = 900) -> bool:
    """Whether readings wait after so long without one."""
    story = Story()
    story.levels(800, 800, 800, next_s=next_s)
    story.sends(800, at=story.at + seconds, next_s=next_s)
    tanks = story.watch._context.tanks  # pyright: ignore[reportPrivateUsage]
    return tanks["north-1"].gap is not None


@pytest.mark.parametrize(
    ("seconds", "next_s", "is_gap"),
    [
        (2700, 900, False), (2701, 900, True), (2700, 60, False), (2701, 60, True),
        (5760, 3600, False), (5761, 3600, True),
    ],
)  # fmt: skip
def test_a_gap_is_longer_than_45_minutes_and_than_one_missed_message(
    seconds: float, next_s: int, is_gap: bool
) -> None:
    assert gap_after(seconds, next_s) == is_gap


def test_readings_that_are_dropped_or_missing_make_no_gap() -> None:
    story = Story()
    story.levels(800, 800, 800)
    for litres in (None, 300.0, None, 990.0, None):  # no echo, or an echo of something else
        story.sends(litres, at=story.at + 900)
    story.sends(800, at=story.at + 900)
    tanks = story.watch._context.tanks  # pyright: ignore[reportPrivateUsage]
    assert tanks["north-1"].gap is None


def test_the_readings_that_wait_are_bounded() -> None:
    story = before_the_gap()
    story.sends(800, at=story.at + 20 * 24 * HOUR)
    back = story.at
    for i in range(1, 1100):
        story.sends(800, at=back + i / 10, sealed=back - 900 * i, newest=False)
    tanks = story.watch._context.tanks  # pyright: ignore[reportPrivateUsage]
    gap = tanks["north-1"].gap
    assert gap is not None
    assert len(gap.readings) == 1024
