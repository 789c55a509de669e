"""A request to close a theft: the incident stays open until somebody else agrees."""

import json
from typing import Any

import msgspec
import pytest

from gateway.domain.message import RawEvent
from gateway.domain.watch import Watch
from gateway.domain.watch.rules.closing import CONFIRM_S
from tests.unit.tank_story import T0, Story, ibc, motion, registry_of, tilt


def taken() -> tuple[Story, str]:
    """A tank that is tilted, whose node goes on speaking, and the incident of it."""
    story = Story(registry_of([ibc()]))
    story.levels(*([700] * 8))
    story.sends(700, at=story.at + 60, events=(motion(41_000, ago=41), tilt(64, ago=30)))
    assert story.summary == ["opened seized!"]
    return story, story.incidents[-1].id


def asked(story: Story, incident: str, why: str = "moved_by_us") -> None:
    story.operator("close_asked", incident, why=why)


def figures(story: Story) -> dict[str, Any]:
    return dict(story.incidents[-1].figures)


def test_a_request_alerts_people_and_leaves_the_incident_open() -> None:
    story, incident = taken()
    asked(story, incident)
    assert story.summary[1:] == ["updated seized!"]
    at = T0 + story.at
    assert (figures(story)["closing"], figures(story)["closing_until"]) == (
        "moved_by_us", at + CONFIRM_S,
    )  # fmt: skip
    assert story.incidents[-1].probability == story.incidents[0].probability


def test_an_hour_without_agreement_ends_the_request_and_alerts_once() -> None:
    story, incident = taken()
    asked(story, incident)
    for _ in range(3):  # the node speaks on, so that nothing else happens
        story.sends(700, at=story.at + 900)
    assert "closing_ended_at" not in figures(story)
    story.passes(CONFIRM_S - 2700 - 1)
    assert figures(story)["closing"] == "moved_by_us"
    story.passes(2)
    assert story.summary[-1] == "updated seized!"
    assert (figures(story)["closing"], figures(story)["closing_ended"]) == (None, "unconfirmed")
    before = len(story.alerts)
    for _ in range(8):
        story.sends(700, at=story.at + 900)
    assert len(story.alerts) == before


@pytest.mark.parametrize("event", [motion(30_000), tilt(70)])
def test_newer_evidence_ends_the_request_at_once(event: RawEvent) -> None:
    story, incident = taken()
    asked(story, incident)
    story.sends(700, at=story.at + 300, events=(event,))
    assert figures(story)["closing_ended"] == "evidence"
    assert figures(story)["closing_ended_at"] == T0 + story.at
    assert story.incidents[-1].id == incident
    assert story.summary[-1].startswith("updated")


def test_evidence_of_before_and_ordinary_messages_do_not_end_it() -> None:
    story, incident = taken()
    asked(story, incident)
    story.sends(700, at=story.at + 300, events=(motion(30_000, ago=301),))
    assert figures(story)["closing"] == "moved_by_us"


def test_silence_ends_the_request() -> None:
    story, incident = taken()
    story.sends(700, at=story.at + 30, next_s=30)
    asked(story, incident)
    story.passes(600)
    assert figures(story)["closing_ended"] == "evidence"


def test_a_person_withdraws_or_refuses_it() -> None:
    story, incident = taken()
    asked(story, incident)
    story.operator("keep_open", incident)
    assert figures(story)["closing_ended"] == "kept"
    assert len(story.alerts) == 3
    story.operator("keep_open", incident)
    assert len(story.alerts) == 3
    asked(story, incident)
    assert (figures(story)["closing"], figures(story)["closing_ended"]) == ("moved_by_us", None)


def test_a_second_request_changes_neither_the_first_nor_its_hour() -> None:
    story, incident = taken()
    asked(story, incident)
    until = figures(story)["closing_until"]
    story.sends(700, at=story.at + 900)
    asked(story, incident, why="mistaken")
    assert len(story.alerts) == 2
    assert figures(story)["closing_until"] == until


@pytest.mark.parametrize("op", ["moved_by_us", "close"])
def test_agreement_closes_it_and_the_hour_passes_unnoticed(op: str) -> None:
    story, incident = taken()
    asked(story, incident)
    story.operator(op, incident)
    assert story.incidents[-1].change == "closed"
    before = len(story.incidents)
    for _ in range(8):
        story.sends(700, at=story.at + 900)
    assert len(story.incidents) == before


def test_a_request_survives_a_restart() -> None:
    story, incident = taken()
    asked(story, incident)
    state: Any = story.watch.dirty()
    story.watch = Watch(registry_of([ibc()]), saved(state))
    for _ in range(5):
        story.sends(700, at=story.at + 900)
    assert figures(story)["closing_ended"] == "unconfirmed"


def saved(state: dict[str, Any]) -> dict[str, Any]:
    """As the database gives it back."""

    return json.loads(msgspec.json.encode(state))
