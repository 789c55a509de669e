"""Stories of a silence during a planned move, a cleaning, or another plan."""

import pytest

from gateway.domain.registry import Plan, PlanKind
from tests.unit.tank_story import HOUR, T0, Story, registry_of

LAST_WORD = 1800
SILENT = LAST_WORD + 3 * 900 + 120
"""A node that promises 900 s and sends at ``LAST_WORD`` for the last time is silent then."""
AFTER_PLAN = 1800


def dies_beside(start: float, end: float, kind: PlanKind = "move", **fields: bool) -> Story:
    """The node sends at 900 s and at ``LAST_WORD``; there is a plan from ``start`` to ``end``."""
    plan = Plan("north-1", T0 + start, T0 + end, kind, **fields)
    story = Story(registry_of(plans=[plan]))
    story.levels(700, 700)
    return story


def reported_at(story: Story) -> float:
    """Seconds after T0 at which the silence was reported, once a week has passed."""
    story.passes(7 * 24 * HOUR)
    assert story.summary == ["opened silent!"]
    return story.incidents[0].received - T0


@pytest.mark.parametrize("kind", ["move", "cleaning"])
def test_a_silence_during_a_plan_waits_until_its_end_and_the_way_back(kind: PlanKind) -> None:
    story = dies_beside(0, 4 * HOUR, kind)
    assert reported_at(story) == 4 * HOUR + AFTER_PLAN


def test_a_plan_that_began_and_ended_while_the_promise_ran_explains_the_silence() -> None:
    ended = SILENT - 600
    assert reported_at(dies_beside(LAST_WORD + 60, ended)) == ended + AFTER_PLAN


def test_a_plan_that_begins_with_the_end_of_the_promise_explains_the_silence() -> None:
    assert reported_at(dies_beside(SILENT, 6 * HOUR)) == 6 * HOUR + AFTER_PLAN


def test_a_plan_after_the_promise_was_broken_does_not() -> None:
    assert reported_at(dies_beside(SILENT + 1, 6 * HOUR)) == SILENT


def test_a_plan_that_ended_with_the_last_message_explains_the_silence_only_so_long() -> None:
    assert AFTER_PLAN < SILENT - LAST_WORD
    assert reported_at(dies_beside(0, LAST_WORD)) == SILENT


def test_an_eviction_feared_does_not_delay_the_report() -> None:
    assert reported_at(dies_beside(0, 6 * HOUR, "eviction_risk")) == SILENT


def test_a_cancelled_move_does_not_delay_the_report() -> None:
    assert reported_at(dies_beside(0, 6 * HOUR, cancelled=True)) == SILENT


def test_of_two_plans_the_later_end_counts() -> None:
    plans = [Plan("north-1", T0, T0 + h * HOUR, "move") for h in (5, 3)]
    story = Story(registry_of(plans=plans))
    story.levels(700, 700)
    assert reported_at(story) == 5 * HOUR + AFTER_PLAN
