"""A node's clock that somebody sets wrong hides nothing: what came just now happened just now."""

import pytest

from gateway.domain.message import RawEvent
from gateway.domain.outputs import Level
from tests.unit.tank_story import HOUR, T0, Story, ibc, motion, registry_of, tilt

BACK = -3600.0
CARRIED = (motion(41_000, ago=41), tilt(64, ago=30))


def lived(clock: float = 0.0) -> Story:
    story = Story(registry_of([ibc()]))
    story.levels(*([700] * 8), clock=clock)
    return story


def stepped(by: int) -> RawEvent:
    return RawEvent(5, "time", {"by": by})


def taken(story: Story, clock: float, *events: RawEvent) -> None:
    """Carried off: one message right away, then silence."""
    more = (*CARRIED, *events)
    story.sends(700, at=story.at + 60, events=more, next_s=30, clock=clock)
    story.passes(HOUR)


@pytest.mark.parametrize("clock", [BACK, -400.0, -86_400.0, 3 * 3600.0])
def test_a_theft_under_a_spoofed_clock_is_the_theft_that_it_is(clock: float) -> None:
    honest, spoofed = lived(), lived()
    taken(honest, 0.0)
    taken(spoofed, clock)
    assert spoofed.summary == honest.summary == ["opened seized!", "updated seized"]
    assert spoofed.incidents[-1].probability == pytest.approx(
        honest.incidents[-1].probability, abs=0.02
    )
    assert spoofed.incidents[-1].at == pytest.approx(honest.incidents[-1].at, abs=2)
    assert not spoofed.incidents[0].learned_late


def test_a_step_of_the_clock_counts_beside_other_evidence_and_alone_opens_nothing() -> None:
    plain, with_step = lived(), lived()
    taken(plain, BACK)
    taken(with_step, BACK, stepped(-3600))
    assert "clock_stepped" in {b.term for b in with_step.incidents[-1].because}
    assert with_step.incidents[-1].probability >= plain.incidents[-1].probability
    alone = lived()
    alone.sends(700, at=alone.at + 900, events=(stepped(-3600),), clock=BACK)
    alone.levels(*([700] * 4), clock=BACK)
    assert alone.summary == []


@pytest.mark.parametrize("by", [-1799, 1799, 5])
def test_ordinary_drift_of_the_clock_is_no_evidence(by: int) -> None:
    story = lived()
    taken(story, 0.0, stepped(by))
    assert "clock_stepped" not in {b.term for b in story.incidents[-1].because}


def test_a_step_long_before_is_no_evidence() -> None:
    story = lived()
    story.sends(700, at=story.at + 900, events=(stepped(-3600),))
    story.levels(*([700] * 8))
    taken(story, 0.0)
    assert "clock_stepped" not in {b.term for b in story.incidents[-1].because}


def test_readings_under_a_clock_that_was_right_before_go_on_in_order() -> None:
    story = lived()
    story.levels(600, 500, 400, clock=BACK)
    shown = [o.at for o in story.outputs if isinstance(o, Level)]
    assert shown == sorted(shown)
    assert shown[-1] == T0 + story.at


def test_a_clock_that_was_never_right_keeps_its_history_in_one_piece() -> None:
    story = lived(clock=BACK)
    shown = [o.at for o in story.outputs if isinstance(o, Level)]
    assert shown[-1] == T0 + story.at + BACK
    taken(story, BACK)
    assert story.summary == ["opened seized!", "updated seized"]


def test_what_a_node_or_a_broker_kept_for_long_is_placed_by_the_nodes_clock() -> None:
    story = lived()
    sealed = story.at + 60
    story.sends(700, at=sealed + 3 * HOUR, sealed=sealed, events=CARRIED)
    moved = next(e for e in story.events("moved"))
    assert moved.at == pytest.approx(T0 + sealed - 41)


def test_what_waited_while_we_were_away_is_placed_by_the_nodes_clock() -> None:
    story = lived()
    story.listening("stop")
    sealed = story.at + 60
    story.at += 3 * HOUR
    story.listening("start")
    story.sends(700, sealed=sealed, events=CARRIED, boot=2, up=40)  # unknown boot: uptime is mute
    moved = next(e for e in story.events("moved"))
    assert moved.at == pytest.approx(T0 + sealed - 41)


def test_a_new_boot_under_a_spoofed_clock_is_placed_by_receipt() -> None:
    story = lived()
    at = story.at + 60
    story.sends(700, at=at, events=CARRIED, boot=2, up=40, clock=BACK, next_s=30)
    moved = next(e for e in story.events("moved"))
    assert moved.at == pytest.approx(T0 + at - 41)
