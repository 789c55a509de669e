"""A sudden fall puts a sensor in doubt: refills and draws wait for a day, or never happened."""

import json
from typing import Any

import msgspec
import pytest

from gateway.domain.message import RawEvent
from gateway.domain.registry import Plan
from gateway.domain.watch import Watch
from gateway.evaluation.assumed import ASSUMED
from tests.unit.tank_story import DAY, HOUR, T0, Story, ibc, motion, registry_of


def is_in_doubt(story: Story) -> bool:
    tanks = story.watch._context.tanks  # pyright: ignore[reportPrivateUsage]
    return tanks["north-1"].doubt is not None


def fallen(
    litres: float = 500.0, *, before_s: float = 900, every: float = 900, story: Story | None = None
) -> Story:
    """A tank at 800 L that is at ``litres`` in the next reading."""
    story = story or Story()
    story.levels(*([800.0] * 6), every=before_s, next_s=int(before_s))
    story.levels(litres, litres, litres, every=every, next_s=int(before_s))
    return story


@pytest.mark.parametrize(("litres", "doubt"), [(551.0, False), (549.0, True)])
def test_a_fall_of_a_quarter_of_the_tank_between_two_readings_is_doubtful(
    litres: float, doubt: bool
) -> None:
    assert is_in_doubt(fallen(litres)) == doubt


@pytest.mark.parametrize(("every", "doubt"), [(300, False), (301, True)])
def test_a_node_that_reads_each_five_minutes_sees_how_the_water_falls(
    every: float, doubt: bool
) -> None:
    assert is_in_doubt(fallen(every=every)) == doubt


@pytest.mark.parametrize(("before_s", "doubt"), [(1200, True), (1201, False)])
def test_a_node_that_reads_seldom_sees_nothing_sudden(before_s: float, doubt: bool) -> None:
    assert is_in_doubt(fallen(before_s=before_s)) == doubt


def test_a_sudden_rise_is_a_refill_and_no_doubt() -> None:
    story = Story()
    story.levels(*([300.0] * 6), *([800.0] * 4))
    assert not is_in_doubt(story)
    assert [e.kind for e in story.events("refill", "draw")] == ["refill"]


@pytest.mark.parametrize(("event", "doubt"), [(motion(8000, mg=2000), False), (motion(600), True)])
def test_a_fall_after_somebody_handled_the_tank_is_no_doubt_about_its_sensor(
    event: RawEvent, doubt: bool
) -> None:
    story = Story()
    story.levels(*([800.0] * 6))
    story.sends(800, at=story.at + 60, events=(event,))
    story.levels(500, 500, 500)
    assert is_in_doubt(story) == doubt


@pytest.mark.parametrize(("kind", "doubt"), [("cleaning", False), ("eviction_risk", True)])
def test_a_fall_in_a_plan_of_ours_is_no_doubt(kind: Any, doubt: bool) -> None:
    plan = Plan("north-1", T0, T0 + DAY, kind)
    assert is_in_doubt(fallen(story=Story(registry_of([ibc()], plans=[plan])))) == doubt


def test_refills_and_draws_wait_for_a_day_and_are_told_then() -> None:
    story = fallen()
    fell_at = 7 * 900
    story.levels(*([500.0] * 8), *([740.0] * 8))
    while story.at + 900 < fell_at + DAY:
        story.levels(740)
        assert story.events("refill", "draw", "drain", "slash") == []
    story.levels(740, 740)
    told = story.events("refill", "draw", "drain", "slash")
    assert [e.kind for e in told] == ["draw", "refill"]
    assert told[0].litres == pytest.approx(300, abs=2)
    assert told[1].litres == pytest.approx(240, abs=2)
    assert told[1].until < T0 + story.at - 18 * HOUR
    assert not is_in_doubt(story)


def test_another_sudden_change_prolongs_the_doubt() -> None:
    story = fallen()
    story.levels(*([500.0] * 40), *([900.0] * 55))
    assert story.at > 7 * 900 + DAY
    assert is_in_doubt(story)
    assert story.events("refill", "draw") == []
    story.levels(*([900.0] * 42))
    assert not is_in_doubt(story)
    assert [e.kind for e in story.events("refill", "draw")] == ["draw", "refill"]


def test_three_sudden_changes_within_a_day_are_a_sick_sensor_and_no_water() -> None:
    story = fallen()
    story.levels(*([800.0] * 8))
    assert story.watch.now("north-1").state != "fault"
    story.levels(*([500.0] * 8))
    assert story.watch.now("north-1").state == "fault"
    assert story.events("refill", "draw", "drain", "slash") == []


@pytest.mark.parametrize(("step", "state"), [(22, "ok"), (28, "fault")])
def test_ups_and_downs_of_three_tanks_in_a_day_are_a_sick_sensor(step: int, state: str) -> None:
    story = fallen(before_s=600, every=600)
    for _ in range(5):
        falling = [500.0 - step * i for i in range(1, 13)]
        story.levels(*falling, *falling[-2::-1], 500, every=600, next_s=600)
    assert story.watch.now("north-1").state == state


def test_after_a_sick_spell_the_account_goes_on_from_what_was_booked_before() -> None:
    story = fallen()
    for level in (800.0, 500.0, 800.0):
        story.levels(*([level] * 8))
    story.levels(*([760.0 + i % 2 for i in range(500)]))
    assert "fault_over" in [e.kind for e in story.events("fault_over")]
    assert not is_in_doubt(story)
    assert story.events("refill", "drain", "slash") == []
    assert sum(e.litres or 0 for e in story.events("draw")) == pytest.approx(40, abs=3)


def test_a_doubt_saved_and_restored_gives_the_same_outputs() -> None:
    def run(*, restored: bool) -> Story:
        story, saved = fallen(), dict[str, Any]()
        for level in (*([500.0] * 6), *([900.0] * 110)):
            if restored:
                saved |= json.loads(msgspec.json.encode(story.watch.dirty()))
                kept = {k: v for k, v in saved.items() if v is not None}
                story.watch = Watch(story.registry, kept, ASSUMED)
            story.levels(level)
        return story

    assert run(restored=True).outputs == run(restored=False).outputs
    assert [e.kind for e in run(restored=True).events("refill", "draw")] == ["draw", "refill"]
