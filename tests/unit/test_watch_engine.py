"""The engine: order of timers and inputs, operators' actions, and what a restart must keep."""

from dataclasses import replace

import pytest

from gateway.domain.inputs import RegistryChanged, Tick
from gateway.domain.outputs import IncidentChange
from gateway.domain.registry import Registry
from tests.unit.tank_story import HOUR, T0, Story, ibc, motion, registry_of, tilt

SILENT_S = 900 + 3 * 900 + 120


def revoked(registry: Registry) -> Registry:
    """The same registry after its first node was revoked."""
    rows = registry.devices["node-1"]
    return replace(
        registry, devices={**registry.devices, "node-1": (*rows, replace(rows[-1], revoked=True))}
    )


def change_registry(story: Story, registry: Registry) -> None:
    """The watch gets new rows."""
    story.watch.set_registry(registry)
    story.outputs += story.watch.step(RegistryChanged(T0 + story.at), T0 + story.at)


def test_a_timer_fires_at_its_own_time_whenever_the_next_input_comes() -> None:
    story = Story()
    story.levels(700)
    story.passes(50 * HOUR)
    assert story.incidents[0].received == T0 + SILENT_S
    assert story.watch.now("north-1").presence_since == T0 + SILENT_S


def test_timers_fire_without_an_input_and_do_not_count_as_one() -> None:
    story = Story()
    story.sends(silent=True, at=900)
    assert story.watch.fire(T0 + SILENT_S - 1) == []
    due = story.watch.due()
    assert due == T0 + SILENT_S
    found = story.watch.fire(due)
    assert [o.kind for o in found if isinstance(o, IncidentChange)] == ["silent"]
    assert story.watch.fire(due) == []
    ears = story.watch.dirty()["ears"]
    assert ears is not None
    assert ears["heard_at"] == T0 + 900


def test_a_watch_without_anything_has_no_timer() -> None:
    assert Story().watch.due() is None


def test_time_never_goes_back() -> None:
    story = Story()
    story.passes(5000)
    story.sends(700, at=4000)
    assert story.watch.now("north-1").presence_since == T0 + 5000


def test_a_revoked_node_is_never_silent() -> None:
    story = Story()
    story.levels(700)
    change_registry(story, revoked(story.registry))
    story.passes(24 * HOUR)
    assert story.incidents == []


def test_a_node_that_is_gone_from_the_registry_is_never_silent() -> None:
    story = Story()
    story.levels(700)
    change_registry(story, replace(story.registry, devices={}))
    story.passes(24 * HOUR)
    assert story.incidents == []


def test_a_node_that_is_no_longer_revoked_is_judged_again() -> None:
    story = Story()
    story.levels(700)
    change_registry(story, revoked(story.registry))
    story.passes(24 * HOUR)
    change_registry(story, story.registry)
    story.passes(1)
    assert story.summary == ["opened silent!"]


def test_an_action_about_no_open_incident_changes_nothing() -> None:
    story = Story()
    story.operator("close", "none")
    assert story.incidents == []


@pytest.mark.parametrize("op", ["close", "moved_by_us"])
def test_an_operator_closes_a_silence(op: str) -> None:
    story = Story()
    story.levels(700)
    story.passes(HOUR)
    story.operator(op, story.incidents[0].id)
    assert story.summary == ["opened silent!", "closed silent"]
    assert story.incidents[-1].figures["closed_why"] == "person"


@pytest.mark.parametrize("op", ["seen_there", "claim"])
def test_other_actions_leave_a_silence_open(op: str) -> None:
    story = Story()
    story.levels(700)
    story.passes(HOUR)
    story.operator(op, story.incidents[0].id)
    assert story.summary == ["opened silent!"]


def test_a_tick_only_passes_time() -> None:
    story = Story()
    assert story.watch.step(Tick(T0 + 60), T0 + 60) == []


def test_a_handled_node_is_not_called_silent_after_an_outage_of_its_network() -> None:
    story = Story(registry_of([ibc(tank) for tank in "abc"], uplink="router"))
    for node in (1, 2, 3, 1, 2, 3):
        story.sends(700, node=f"node-{node}", at=story.at + 300)
    story.sends(700, at=story.at + 60, events=(motion(20_000), tilt(50)), next_s=30)
    story.passes(3 * HOUR)
    for _ in range(40):
        for node in (2, 3):
            story.sends(silent=True, node=f"node-{node}", at=story.at + 450)
    assert "network_out" in {i.kind for i in story.incidents}
    assert "silent" not in {i.kind for i in story.incidents}


def test_an_alert_about_water_that_waited_for_the_queue_is_sent_when_it_has_drained() -> None:
    story = Story()
    story.levels(330, 320)
    story.listening("lost", at=2000)
    story.listening("back", at=2010)
    story.levels(290, 280, 270, 265, every=300)
    assert story.alerts == []
    story.listening("drained")
    assert [i.kind for i in story.alerts] == ["low"]
