"""What each input does to an episode of handling: a fall, a lid, a silence, a person's word."""

from typing import Any

import pytest

from gateway.domain.outputs import EventKind, TankEvent
from gateway.domain.watch.memory.state import Promise
from gateway.domain.watch.rules import presence, removal
from tests.unit.handled_tank import (
    CARRIED,
    SHAKEN,
    HandledTank,
    closed_why,
    episode_of,
    fall_of,
    handled_tank,
    opened,
)
from tests.unit.tank_story import HOUR, T0, ibc, registry_of

EMPTIED: dict[str, Any] = {"to_l": 40.26, "taps_ratio": 1.6, "use_ratio": 2.5, "emptied": True}
CUT: dict[str, Any] = {"taps_ratio": 1.6, "use_ratio": 2.5, "plateau": True, "slowing": 0.5}


def falls(handled: HandledTank, **fields: Any) -> None:
    """A fall is found now."""
    removal.add_fall(handled.context, handled.tank, handled.device, fall_of(**fields))


def events(handled: HandledTank) -> list[TankEvent]:
    return [t for t in handled.context.outputs if isinstance(t, TankEvent)]


def test_a_fall_that_an_unsigned_node_reports_begins_nothing() -> None:
    handled = handled_tank()
    handled.device.auth = "unsigned"
    falls(handled, **EMPTIED)
    assert handled.tank.episode is None and handled.changes == []


def test_after_a_loss_was_reported_more_of_it_only_prolongs_the_episode() -> None:
    handled = handled_tank()
    falls(handled, **EMPTIED)
    assert handled.tank.episode and handled.tank.episode.loss_reported
    falls(handled, until=T0 + 900, to_l=25, emptied=True)
    assert handled.tank.episode.last_at == T0 + 900
    assert handled.tank.episode.fall == fall_of(**EMPTIED)
    falls(handled, until=T0 + 800, to_l=20, emptied=True)
    assert handled.tank.episode.last_at == T0 + 900


def test_a_part_that_comes_before_the_end_of_the_fall_belongs_to_it() -> None:
    for at, from_l in ((600, 700), (601, 650)):
        handled = handled_tank()
        falls(handled, neighbours_fell=2)
        falls(handled, at=T0 + at, until=T0 + 900, from_l=650, to_l=300)
        assert handled.tank.episode and handled.tank.episode.fall
        assert handled.tank.episode.fall.from_l == from_l
        assert handled.tank.episode.fall.neighbours_fell == (2 if from_l == 700 else 0)


@pytest.mark.parametrize(
    ("fields", "kind", "litres"), [(EMPTIED, "drain", 659.7), (CUT, "slash", 300.0)]
)
def test_a_loss_has_its_span_and_litres(
    fields: dict[str, Any], kind: EventKind, litres: float
) -> None:
    handled = handled_tank()
    falls(handled, **fields)
    assert events(handled) == [TankEvent(T0, T0 + 600, "north-1", kind, litres)]
    assert handled.tank.flow.smooth_l == (40.26 if kind == "drain" else 400)


@pytest.mark.parametrize("fields", [{**EMPTIED, "emptied": False}, {**CUT, "plateau": False}])
def test_a_fall_that_goes_on_is_no_loss_yet(fields: dict[str, Any]) -> None:
    handled = handled_tank()
    falls(handled, **fields)
    assert handled.changes and events(handled) == []


def test_a_tank_that_was_carried_off_has_lost_no_water() -> None:
    handled = handled_tank()
    handled.tank.episode = episode_of(**CARRIED, tilt_deg=60)
    falls(handled, **EMPTIED)
    assert handled.changes == [("opened", "seized")]
    assert events(handled) == []


def test_what_was_drawn_before_a_loss_is_a_draw() -> None:
    handled = handled_tank()
    flow = handled.tank.flow
    flow.booked_l, flow.booked_at = 705.0, T0 - HOUR
    falls(handled, **EMPTIED)
    assert [(e.kind, e.litres, e.least_l, e.most_l) for e in events(handled)] == [
        ("drain", 659.7, None, None), ("draw", 5.0, 0.0, 12.0),
    ]  # fmt: skip
    handled = handled_tank()
    flow = handled.tank.flow
    flow.booked_l, flow.booked_at = 704.9, T0 - HOUR
    falls(handled, **EMPTIED)
    assert [e.kind for e in events(handled)] == ["drain"]


def test_a_loss_learned_late_leaves_the_account_of_water_as_it_is() -> None:
    for age_s, level_l in ((1800, 40.26), (1801, None)):
        handled = handled_tank()
        handled.context.now = T0 + age_s
        falls(handled, **EMPTIED)
        assert [e.kind for e in events(handled)] == ["drain"]
        assert handled.tank.flow.smooth_l == level_l
        assert handled.incident and handled.incident.learned_late == (level_l is None)


def test_a_closed_lid_is_no_evidence_any_more() -> None:
    handled = opened(lid_at=T0, lid_stayed=True)
    handled.context.set_timer(handled.tank, "lid", T0 + HOUR)
    removal.close_lid(handled.context, handled.tank, "lid_closed")
    assert handled.changes == [("opened", "lid_open"), ("closed", "lid_open")]
    assert closed_why(handled) == "lid_closed"
    episode = handled.tank.episode
    assert episode and (episode.lid_at, episode.lid_stayed) == (None, False)
    assert "lid" not in handled.tank.due


def test_a_lid_that_is_closed_ends_no_other_theft() -> None:
    handled = opened(lid_at=T0, **CARRIED)
    removal.close_lid(handled.context, handled.tank, "lid_closed")
    assert handled.changes == [("opened", "seized")]
    assert handled.tank.episode and handled.tank.episode.lid_at is None


def test_without_an_open_lid_its_closing_means_nothing() -> None:
    handled = handled_tank()
    removal.close_lid(handled.context, handled.tank, "lid_closed")
    handled = opened(lid_at=T0, lid_stayed=True)
    assert handled.tank.episode
    handled.tank.episode.lid_at = None
    removal.close_lid(handled.context, handled.tank, "lid_closed")
    assert handled.changes == [("opened", "lid_open")]


@pytest.mark.parametrize(
    ("fields", "is_disturbed"),
    [
        ({"tilt_deg": 60, "operator_action": "moved_by_us"}, True),
        ({"fall": fall_of(**EMPTIED)}, True), ({"lid_at": T0, "lid_stayed": True}, False),
    ],
    ids=["moved by us", "a loss", "a lid"],
)  # fmt: skip
def test_a_level_means_nothing_only_while_the_tank_is_handled(
    fields: dict[str, Any], is_disturbed: bool
) -> None:
    handled = opened(**({"tilt_deg": 60} if "tilt_deg" in fields else fields))
    handled.review(episode_of(**fields))
    assert removal.is_disturbed(handled.context, handled.tank) == is_disturbed
    handled.tank.episode = None
    assert not removal.is_disturbed(handled.context, handled.tank)


def with_neighbour(sent_at: float, next_s: int = 900) -> HandledTank:
    """A tank whose node shares an uplink with one that sent at ``sent_at``."""
    handled = handled_tank()
    handled.context.set_registry(registry_of([ibc(), ibc("north-2")], uplink="router"))
    other = handled.context.device("node-2", "north-2")
    other.promises = [Promise("bbbbbbbb", 1, 1, sent_at, sent_at, next_s, 0.0)]
    handled.tank.episode = episode_of(**SHAKEN)
    return handled


def explains(handled: HandledTank, now: float) -> bool:
    handled.context.now = now
    return removal.explains_silence(handled.context, handled.device)


def test_a_silence_that_may_be_the_networks_waits_for_the_neighbours() -> None:
    silent_at = T0 + 3 * 900 + 120
    assert explains(with_neighbour(T0 + 60), silent_at)  # it has sent since
    handled = with_neighbour(T0)
    assert not explains(handled, silent_at)
    assert handled.tank.episode and handled.tank.episode.silent_since is None
    until = presence.decided_by(handled.context, handled.device)
    assert until == silent_at + HOUR
    assert not explains(handled, until - 1)
    assert explains(with_neighbour(T0), until + 60)
    assert explains(handled, until)
    assert handled.tank.episode.silent_since == T0
    assert handled.tank.episode.promised_s == 900


def test_an_open_incident_takes_a_silence_at_once() -> None:
    handled = with_neighbour(T0)
    handled.review(episode_of(**CARRIED))
    assert explains(handled, T0 + 2820)
    assert handled.tank.episode and handled.tank.episode.silent_since == T0


def test_a_silence_of_which_nothing_follows_is_explained_otherwise() -> None:
    handled = handled_tank()
    handled.tank.episode = episode_of(motion_ms=8000, motion_mg=349, operator_action="close")
    assert not explains(handled, T0 + 2820)
    handled.tank.episode = None
    assert not explains(handled, T0 + 2820)
    for moved in ({"tilt_deg": 1}, {"motion_ms": 1}):
        handled.tank.episode = episode_of(**moved)
        assert explains(handled, T0 + 2820)


def test_a_message_ends_the_silence_of_an_episode() -> None:
    handled = opened(silent_since=T0, **SHAKEN)
    handled.context.now = T0 + 600
    removal.record_message(handled.context, handled.device)
    episode = handled.tank.episode
    assert episode and (episode.silent_since, episode.resumed_at) == (None, None)
    assert episode.reviewed_at == T0 + 600
    handled.context.now = T0 + 601
    removal.record_message(handled.context, handled.device)
    assert (episode.resumed_at, episode.reviewed_at) == (T0 + 601, T0 + 601)
    handled.context.now = T0 + 700
    removal.record_message(handled.context, handled.device)
    assert (episode.resumed_at, episode.reviewed_at) == (T0 + 601, T0 + 601)


def test_a_message_of_a_tank_without_an_episode_is_no_review() -> None:
    handled = handled_tank()
    handled.context.dirty()
    removal.record_message(handled.context, handled.device)
    assert handled.context.dirty() == {}


def test_silent_neighbours_are_reviewed_when_one_more_falls_silent() -> None:
    for silent_since, is_reviewed in ((T0, True), (None, False)):
        handled = handled_tank()
        handled.tank.episode = episode_of(silent_since=silent_since, **CARRIED)
        handled.context.now = T0 + 60
        removal.review_silent(handled.context, [handled.device])
        assert handled.tank.episode.reviewed_at == (T0 + 60 if is_reviewed else None)
        assert bool(handled.incident) == is_reviewed
    handled.tank.episode = None
    removal.review_silent(handled.context, [handled.device])


def test_a_refill_closes_an_open_lid_and_a_loss_but_no_seizure() -> None:
    handled = opened(lid_at=T0, lid_stayed=True)
    removal.close_refilled(handled.context, handled.tank)
    assert handled.changes[-1] == ("closed", "lid_open")
    handled = opened(fall=fall_of(**CUT))
    removal.close_refilled(handled.context, handled.tank)  # how much is not known
    assert handled.changes == [("opened", "slashed")]
    handled.tank.flow.refill_l = 200.0
    removal.close_refilled(handled.context, handled.tank)
    assert handled.changes == [("opened", "slashed"), ("closed", "slashed")]
    assert closed_why(handled) == "refilled"
