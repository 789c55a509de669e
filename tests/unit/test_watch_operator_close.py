"""A person closes an incident: what its family then does not report again, and until when."""

from typing import Any

import pytest

from gateway.domain.inputs import OperatorAction
from gateway.domain.outputs import IncidentChange
from gateway.domain.watch import Watch
from tests.unit.tank_story import DAY, HOUR, T0, Story, ibc, registry_of


def saved_incident(family: str, subject: str, kind: str, tank: str | None) -> dict[str, Any]:
    """An open incident as the database keeps it."""
    return {
        "id": "aaaaaaaaaa", "family": family, "subject": subject, "number": 1, "at": T0,
        "opened": T0, "tank": tank, "uplink": None if tank else subject, "kind": kind,
        "probability": 0.9, "causes": {}, "because": [], "auth": "mac", "learned_late": False,
        "figures": {}, "told": [kind],
    }  # fmt: skip


def closed(op: str, **incident: Any) -> tuple[list[str], dict[str, Any]]:
    """The changes after an action on such an incident, and the state that changed with it."""
    registry = registry_of([ibc("north-1"), ibc("north-2")], uplink="router")
    state: Any = {"incident:aaaaaaaaaa": saved_incident(**incident)}
    watch = Watch(registry, state)
    found = watch.step(OperatorAction("aaaaaaaaaa", op, T0 + 60), T0 + 60)
    changes = [o for o in found if isinstance(o, IncidentChange)]
    return [f"{c.change} {c.kind} {c.figures.get('closed_why')}" for c in changes], watch.dirty()


@pytest.mark.parametrize("op", ["close", "moved_by_us"])
@pytest.mark.parametrize(
    ("family", "subject", "kind", "record", "field", "value"),
    [
        ("water", "north-1", "critical", "tank:north-1", "muted", "critical"),
        ("uplink", "router", "network_out", "uplink:router", "muted", True),
        ("silent", "node-1", "silent", "device:node-1", "silence_muted", True),
        ("battery", "node-1", "battery", "device:node-1", "battery_muted", True),
    ],
)
def test_the_subject_of_a_closed_incident_is_muted(
    op: str, family: str, subject: str, kind: str, record: str, field: str, value: object
) -> None:
    tank = None if family == "uplink" else "north-1"
    changes, dirty = closed(op, family=family, subject=subject, kind=kind, tank=tank)
    assert changes == [f"closed {kind} person"]
    assert set(dirty) == {"ears", "incident:aaaaaaaaaa", record}
    assert dirty["incident:aaaaaaaaaa"] is None
    assert dirty[record][field] == value
    muted = {"muted", "silence_muted", "battery_muted"}
    assert [name for name in muted if dirty[record].get(name)] == [field]
    assert dirty[record].get("tank", "north-1") == "north-1"


def test_a_closed_incident_of_a_sensor_mutes_its_health() -> None:
    changes, dirty = closed(
        "close", family="sensor", subject="north-1", kind="sensor_fault", tank="north-1"
    )
    assert changes == ["closed sensor_fault person"]
    assert dirty["tank:north-1"]["health"].muted is True
    assert dirty["tank:north-1"]["muted"] == ""


@pytest.mark.parametrize(
    ("family", "subject", "kind"),
    [("access", "north-1", "access_blocked"), ("clone", "node-1", "clone")],
)
def test_other_incidents_close_without_muting_anything(
    family: str, subject: str, kind: str
) -> None:
    changes, dirty = closed("close", family=family, subject=subject, kind=kind, tank="north-1")
    assert changes == [f"closed {kind} person"]
    assert set(dirty) == {"ears", "incident:aaaaaaaaaa"}


@pytest.mark.parametrize("op", ["seen_there", "claim", ""])
@pytest.mark.parametrize("family", ["water", "sensor", "silent", "battery", "uplink", "access"])
def test_other_actions_change_nothing(op: str, family: str) -> None:
    changes, dirty = closed(op, family=family, subject="north-1", kind="low", tank="north-1")
    assert changes == []
    assert set(dirty) == {"ears"}


def without_echo(story: Story, hours: int) -> None:
    """Readings without an echo, four an hour."""
    for _ in range(hours * 4):
        story.sends(None, at=story.at + 900)


def test_a_sensor_fault_that_a_person_closed_comes_back_only_after_a_good_spell() -> None:
    story = Story()
    story.levels(*[700] * 4)
    without_echo(story, 24)
    assert story.summary == ["opened sensor_fault!"]
    story.operator("close", story.incidents[0].id)
    without_echo(story, 24)
    assert story.summary == ["opened sensor_fault!", "closed sensor_fault"]
    story.levels(*[700, 702] * 48)
    without_echo(story, 24)
    assert story.summary[2:] == ["opened sensor_fault!"]


def test_an_outage_that_a_person_closed_is_not_reported_again_until_a_message() -> None:
    story = Story(registry_of([ibc("a"), ibc("b"), ibc("c")], uplink="router"))
    for node in (1, 2, 3):
        story.sends(700, node=f"node-{node}", next_s=900 if node < 3 else 6 * HOUR)
    story.passes(4 * HOUR)
    story.operator("close", story.incidents[0].id)
    story.passes(3 * DAY)
    assert story.summary == ["opened network_out!", "closed network_out"]
    for node in (1, 2, 3):
        story.sends(700, node=f"node-{node}", at=story.at + 1)
    story.passes(3 * DAY)
    assert story.summary[2:] == ["opened network_out!"]
