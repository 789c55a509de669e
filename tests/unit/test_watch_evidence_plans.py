"""The evidence of plans, and of what people say they did or saw."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.registry import Plan, PlanKind
from gateway.domain.watch.tracks.cause import judge_episode
from gateway.evaluation.assumed import ASSUMED
from tests.unit.handled_tank import episode_of, fall_of, handled_tank
from tests.unit.tank_story import HOUR, T0

MOVED: dict[str, Any] = {"motion_ms": 8000, "motion_mg": 900}


@pytest.mark.parametrize(
    ("start", "end", "overlaps"),
    [(-5000, -900, True), (-5000, -901, False), (1500, 9000, True), (1501, 9000, False)],
)
def test_a_plan_counts_when_it_overlaps_the_episode_within_15_minutes(
    start: float, end: float, overlaps: bool
) -> None:
    kinds: dict[PlanKind, str] = {
        "move": "planned_move",
        "cleaning": "planned_cleaning",
        "eviction_risk": "eviction_risk",
    }
    for kind, name in kinds.items():
        plan = Plan("north-1", T0 + start, T0 + end, kind)
        tank = handled_tank(plans=[plan])
        found = name in tank.terms(episode_of(last_at=T0 + 600, **MOVED))
        assert found == overlaps
        cancelled = handled_tank(plans=[replace(plan, cancelled=True)])
        assert name not in cancelled.terms(episode_of(last_at=T0 + 600, **MOVED))


def test_handling_without_a_planned_move_is_less_probably_ours() -> None:
    found = handled_tank().terms(episode_of(**MOVED))["no_move_planned"].towards
    assert found["moved_by_us"] < 0
    tank = handled_tank(plans=[Plan("north-1", T0, T0 + HOUR, "move")])
    assert "no_move_planned" not in tank.terms(episode_of(**MOVED))
    assert "no_move_planned" not in handled_tank().terms(episode_of(fall=fall_of()))


def test_what_an_operator_says_outweighs_every_sensor() -> None:
    handled = handled_tank()
    sensors = handled.terms(episode_of(motion_ms=10_000, motion_mg=900, tilt_deg=60))
    assert judge_episode(sensors.values(), ASSUMED).theft > 0.95
    for said, name in (("moved_by_us", "said_moved_by_us"), ("seen_there", "seen_there")):
        found = handled.terms(
            episode_of(motion_ms=10_000, motion_mg=900, tilt_deg=60, operator_action=said)
        )
        assert found[name].basis == "witnessed"
        assert judge_episode(found.values(), ASSUMED).theft < 0.01
    assert "seen_there" not in handled.terms(episode_of(operator_action="close"))
