"""What an incident of handling says, what people say of it, and which evidence is one episode."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.registry import Plan
from gateway.domain.watch.memory import incidents
from gateway.domain.watch.rules import removal
from gateway.domain.watch.tracks.cause import Review
from gateway.domain.watch.tracks.tilt import TiltedSpell
from tests.unit.handled_tank import (
    CARRIED,
    SHAKEN,
    closed_why,
    episode_of,
    fall_of,
    handled_tank,
    opened,
)
from tests.unit.tank_story import HOUR, T0

CUT: dict[str, Any] = {"taps_ratio": 1.6, "use_ratio": 2.5, "plateau": True, "slowing": 0.5}


def saved_word(word: Any) -> Any:
    """The word as it comes from the database: equal to the code's, and not the same object."""
    return "".join(list(word))


def test_a_review_is_shown_to_who_observes_with_the_span_of_its_episode() -> None:
    handled, seen = handled_tank(), list[Review]()
    handled.context.observe = seen.append
    handled.review(episode_of(last_at=T0 + 60, **SHAKEN))
    (review,) = seen
    assert (review.tank, review.at, review.until) == ("north-1", T0, T0 + 60)
    assert review.levels == ("motion.shake", "no_move_planned")


def test_an_incident_has_the_figures_of_its_episode() -> None:
    handled = handled_tank()
    handled.tank.level.at = T0 - 30
    fall = fall_of(**CUT)
    handled.review(episode_of(before_l=705.0, tilt_deg=7, silent_since=T0, fall=fall, **SHAKEN))
    assert handled.incident and handled.incident.figures == {
        "volume_l": 705.0, "volume_at": T0 - 30, "motion_s": 8.0, "tilt_deg": 7,
        "silent_since": T0, "lost_l": 300, "left_l": 400,
    }  # fmt: skip
    handled = opened(**CARRIED)
    assert handled.incident
    assert {handled.incident.figures[name] for name in ("lost_l", "left_l")} == {None}


def test_an_incident_of_our_own_move_alerts_nobody() -> None:
    plans = [Plan("north-1", T0, T0 + HOUR, "move")]
    for handled, alerted in ((handled_tank(), ["seized"]), (handled_tank(plans=plans), [])):
        handled.review(episode_of(**CARRIED))
        assert handled.incident and handled.incident.alerted_kinds == alerted
        assert handled.incident.kind == ("seized" if alerted else "moved_by_us")


@pytest.mark.parametrize(
    ("fields", "kind", "at"),
    [
        ({"lid_at": T0 - 50, "lid_stayed": True, "motion_at": T0 - 70}, "lid_open", T0 - 50),
        ({"tilt_deg": 1, "at": T0 - 90}, "seized", T0 - 90),
        ({"tilt_deg": 60, "at": T0 - 90, "lid_at": T0 - 50}, "seized", T0 - 90),
        ({"tilt_deg": 60, "at": T0 - 90, "tilt_at": T0 - 20}, "seized", T0 - 20),
        ({"fall": fall_of(**CUT), "at": T0 - 90, "tilt_at": T0 - 20}, "slashed", T0 - 20),
        ({"fall": fall_of(**CUT), "at": T0 - 90, "motion_at": T0 + 9}, "slashed", T0),
    ],
)  # fmt: skip
def test_an_incident_began_with_what_it_reports(
    fields: dict[str, Any], kind: str, at: float
) -> None:
    incident = opened(**fields).incident
    assert incident and (incident.kind, incident.at) == (kind, at)


@pytest.mark.parametrize(
    ("fields", "op", "after"),
    [
        (CARRIED, "seen_there", ["closed moved_by_us"]),
        (CARRIED, "moved_by_us", ["closed moved_by_us"]),
        ({"fall": fall_of(**CUT)}, "moved_by_us", ["closed moved_by_us"]),
        ({"fall": fall_of(to_l=40, taps_ratio=1.6)}, "seen_there", ["closed unknown"]),
    ],
)
def test_what_a_person_says_is_evidence_and_closes(
    fields: dict[str, Any], op: str, after: list[str]
) -> None:
    handled = opened(**fields)
    handled.tank.tilted = TiltedSpell(T0, [])
    assert handled.incident
    removal.apply_operator_action(handled.context, handled.incident, saved_word(op))
    assert [" ".join(change) for change in handled.changes][-1:] == after
    assert handled.tank.tilted is None
    assert handled.tank.episode and handled.tank.episode.operator_action == op
    assert closed_why(handled) == op


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"to_l": 40, "emptied": True}, "drained"), ({"plateau": True, "slowing": 0.5}, "slashed"),
        ({}, "lid_open"),
    ],
)  # fmt: skip
def test_a_tank_that_is_seen_there_may_still_be_cut_or_open(
    fields: dict[str, Any], kind: str
) -> None:
    fall = fall_of(taps_ratio=1.6, use_ratio=2.5, **fields)
    handled = opened(lid_at=T0, lid_stayed=True, fall=fall, motion_ms=20_000, motion_mg=900)
    assert handled.incident
    removal.apply_operator_action(handled.context, handled.incident, "seen_there")
    assert handled.incident and handled.incident.kind == kind
    removal.apply_operator_action(handled.context, handled.incident, "moved_by_us")
    assert handled.incident is None


def test_what_a_person_says_of_an_incident_without_an_episode_closes_it() -> None:
    handled = opened(**CARRIED)
    assert handled.incident
    handled.tank.episode = None
    removal.apply_operator_action(handled.context, handled.incident, "seen_there")
    assert handled.changes == [("opened", "seized"), ("closed", "seized")]
    handled = opened(**CARRIED)
    assert handled.incident and handled.tank.episode
    handled.tank.episode.device = "node-9"  # of which nothing is known
    removal.apply_operator_action(handled.context, handled.incident, "seen_there")
    assert handled.changes == [("opened", "seized"), ("closed", "seized")]


def test_what_a_person_said_is_kept_when_a_person_closes_it() -> None:
    for said, kept in (("", "close"), ("seen_there", "seen_there")):
        handled = opened(**CARRIED)
        assert handled.incident and handled.tank.episode
        handled.tank.episode.operator_action = said
        removal.mark_closed(handled.context, handled.incident)
        assert handled.tank.episode.operator_action == kept
        handled.tank.episode = None
        removal.mark_closed(handled.context, handled.incident)


def test_an_episode_ends_with_the_tilt_of_its_tank() -> None:
    handled = handled_tank()
    removal.end_episode(handled.context, handled.tank)
    episode = episode_of(resumed_at=T0 + 900.0, **SHAKEN)  # else its silence is waited for
    handled.tank.episode, handled.tank.tilted = episode, TiltedSpell(T0, [])
    removal.end_episode(handled.context, handled.tank)
    assert (handled.tank.episode, handled.tank.tilted) == (None, None)
    handled = opened(**CARRIED)
    handled.device.presence = saved_word("speaking")
    handled.tank.tilted, handled.context.now = TiltedSpell(T0, []), T0 + 6 * HOUR
    removal.end_episode(handled.context, handled.tank)
    assert (handled.tank.episode, handled.tank.tilted) == (None, None)
    assert closed_why(handled) == "calm"


def test_an_episode_whose_node_is_unknown_does_not_become_calm() -> None:
    handled = opened(**CARRIED)
    assert handled.tank.episode
    handled.tank.episode.device, handled.context.now = "node-9", T0 + 6 * HOUR
    removal.end_episode(handled.context, handled.tank)
    assert handled.changes == [("opened", "seized")]
    assert handled.tank.due["episode"] == T0 + 7 * HOUR


def test_evidence_from_before_an_episode_does_not_replace_its_handling() -> None:
    for fields, is_kept in ((SHAKEN, True), ({"tilt_deg": 1}, True), ({"lid_at": T0}, False)):
        handled = handled_tank()
        handled.context.now = T0
        first = handled.tank.episode = episode_of(**fields)
        found = removal.episode_at(handled.context, handled.tank, handled.device, T0 - 2 * HOUR)
        assert (found.at, found.last_at, found.late) == (T0 - 2 * HOUR, T0 - 2 * HOUR, True)
        assert (handled.tank.episode is first) == is_kept
        assert (handled.tank.episode is found) != is_kept


def test_evidence_from_before_belongs_to_an_open_incident() -> None:
    handled = opened(**CARRIED)
    found = removal.episode_at(handled.context, handled.tank, handled.device, T0 - 5 * HOUR)
    assert found is handled.tank.episode
    assert (found.at, found.last_at) == (T0 - 5 * HOUR, T0)


def test_while_a_lid_is_open_its_episode_goes_on() -> None:
    handled = handled_tank()
    first = handled.tank.episode = episode_of(lid_at=T0)
    at = handled.context.now = T0 + HOUR
    assert removal.episode_at(handled.context, handled.tank, handled.device, at) is first
    at = handled.context.now = T0 + 5 * HOUR  # a later episode, of which the lid is evidence, too
    assert removal.episode_at(handled.context, handled.tank, handled.device, at).lid_at == T0
    assert handled.tank.due["episode"] == at + HOUR


def test_a_new_episode_knows_its_node_the_level_before_and_when_it_ends() -> None:
    handled = handled_tank()
    handled.tank.level.volume_l = 701.0
    handled.context.now = T0 + 100
    found = removal.episode_at(handled.context, handled.tank, handled.device, T0 + 50)
    assert found == replace(episode_of(at=T0 + 50, last_at=T0 + 50), before_l=701.0)
    assert handled.tank.due["episode"] == T0 + 100 + HOUR
    removal.episode_at(handled.context, handled.tank, handled.device, T0 + 200)
    assert handled.tank.due["episode"] == T0 + 200 + HOUR


def test_the_node_of_an_episode_is_the_one_that_sent_its_evidence() -> None:
    handled = handled_tank()
    other = handled.context.device("node-2", "north-1")
    assert removal.episode_device(handled.context, handled.tank) is handled.device
    handled.tank.episode = episode_of(device="node-2")
    assert removal.episode_device(handled.context, handled.tank) is other


def test_a_person_who_closed_an_incident_that_goes_on_hears_no_more_of_it() -> None:
    handled = opened(**CARRIED)
    assert handled.incident and handled.tank.episode
    removal.mark_closed(handled.context, handled.incident)
    incidents.close(handled.context, handled.incident, why="person")
    handled.context.now = T0 + 2820
    assert not removal.explains_silence(handled.context, handled.device)
    assert len(handled.changes) == 2
