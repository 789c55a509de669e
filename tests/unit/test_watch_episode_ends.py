"""Where an episode of handling begins and ends: our own work and an open lid join no later one."""

from typing import Any

import pytest

from gateway.domain.outputs import IncidentKind
from gateway.domain.registry import Plan
from gateway.domain.watch.memory.state import Incident
from gateway.domain.watch.rules import removal
from tests.unit.handled_tank import HandledTank, episode_of, fall_of, handled_tank
from tests.unit.tank_story import HOUR, T0

LATER = T0 + 3 * HOUR


def open_incident(handled: HandledTank, kind: IncidentKind) -> None:
    """An incident of handling of this kind, which began at T0."""
    handled.context.add_incident(Incident(
        "i", removal.FAMILY, "north-1", 1, T0, T0, "north-1", None, kind, 0.9, {}, [], "mac", False,
        {}, [],
    ))  # fmt: skip


def evidence_at(handled: HandledTank, at: float) -> Any:
    handled.context.now = at
    return removal.episode_at(handled.context, handled.tank, handled.device, at)


@pytest.mark.parametrize(
    ("kind", "at", "begins"),
    [
        ("moved_by_us", T0 + HOUR, T0), ("moved_by_us", T0 + HOUR + 1, T0 + HOUR + 1),
        ("seized", T0 + HOUR + 1, T0), ("unknown", LATER, T0), (None, T0 + HOUR, T0),
        (None, T0 + HOUR + 1, T0 + HOUR + 1),
    ],
)  # fmt: skip
def test_evidence_an_hour_after_our_own_work_is_another_matter(
    kind: IncidentKind | None, at: float, begins: float
) -> None:
    handled = handled_tank()
    handled.tank.episode = episode_of(motion_ms=20_000)
    if kind is not None:
        open_incident(handled, kind)
    assert evidence_at(handled, at).at == begins
    is_closed = kind == "moved_by_us" and begins > T0
    assert handled.changes == ([("closed", "moved_by_us")] if is_closed else [])


def test_a_theft_long_after_a_planned_move_is_told_as_a_theft() -> None:
    handled = handled_tank(plans=[Plan("north-1", T0 - 60, T0 + 600, "move")])
    handled.review(episode_of(motion_ms=20_000, motion_mg=900, motion_at=T0, fall=fall_of()))
    assert handled.changes == [("opened", "moved_by_us")]
    handled.context.now = LATER + 600
    fall = fall_of(at=LATER, until=LATER + 600, taps_ratio=2.0, emptied=True, from_l=900, to_l=10)
    removal.add_fall(handled.context, handled.tank, handled.device, fall)
    assert handled.changes[1:] == [("closed", "moved_by_us"), ("opened", "drained")]
    assert handled.incident is not None and handled.incident.at == LATER


def test_a_lid_that_is_still_open_is_evidence_of_the_next_episode_with_its_own_beginning() -> None:
    handled = handled_tank()
    handled.tank.episode = episode_of(
        lid_at=T0, lid_stayed=True, lid_as="stayed_dry", water_rose=True, motion_ms=9000
    )
    episode = evidence_at(handled, LATER)
    assert (episode.at, episode.last_at, episode.motion_ms) == (LATER, LATER, 0)
    assert (episode.lid_at, episode.lid_stayed, episode.lid_as) == (T0, True, "stayed_dry")
    assert episode.water_rose


def test_without_an_episode_nothing_is_carried_over() -> None:
    handled = handled_tank()
    episode = evidence_at(handled, LATER)
    assert (episode.at, episode.lid_at, episode.lid_stayed, episode.water_rose) == (
        LATER, None, False, False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "has_fall", "is_over"),
    [("moved_by_us", True, True), ("unknown", True, True), ("drained", True, False),
     ("seized", False, True)],
)  # fmt: skip
def test_a_loss_that_is_no_theft_does_not_keep_an_incident_open(
    kind: IncidentKind, has_fall: bool, is_over: bool
) -> None:
    handled = handled_tank()
    handled.tank.episode = episode_of(fall=fall_of() if has_fall else None)
    open_incident(handled, kind)
    handled.context.now = T0 + 6 * HOUR - 1
    removal.end_episode(handled.context, handled.tank)
    assert handled.changes == []
    handled.context.now += 1
    removal.end_episode(handled.context, handled.tank)
    assert handled.changes == ([("closed", kind)] if is_over else [])
