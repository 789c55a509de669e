"""An unsigned feed must not influence the watch of devices that sign."""

from dataclasses import replace

import pytest

from gateway.domain.message import RawEvent
from gateway.domain.registry import Device, Registry
from tests.unit.tank_story import HOUR, Story, ibc, motion, registry_of
from tests.unit.test_watch_removal import THEFT, lived, thefts


def on_one_uplink(unsigned: bool) -> Story:
    """A tank with a device that signs, and two others behind the same router."""
    registry = registry_of([ibc(f"north-{i}") for i in (1, 2, 3)], uplink="router")
    others = {
        node: (Device(node, rows[0].tank, unsigned=unsigned, uplink="router"),)
        for node, rows in registry.devices.items()
        if node != "node-1"
    }
    if unsigned:
        registry = Registry(tanks=registry.tanks, devices={**registry.devices, **others})
    return Story(registry)


def fall_silent(story: Story, unsigned: bool) -> list[str]:
    for _ in range(4):
        story.at += 900
        for node in ("node-1", "node-2", "node-3"):
            feed = unsigned and node != "node-1"
            story.sends(700, node=node, auth="unsigned" if feed else "mac")
    story.passes(3 * HOUR)
    return [i.kind for i in story.incidents if i.change == "opened" and i.tank == "north-1"]


def test_silent_feeds_do_not_explain_the_silence_of_a_device_that_signs() -> None:
    assert fall_silent(on_one_uplink(unsigned=False), False) == []
    assert fall_silent(on_one_uplink(unsigned=True), True) == ["silent"]


def test_an_incident_with_evidence_of_feeds_only_is_marked_unsigned() -> None:
    story = on_one_uplink(unsigned=True)
    fall_silent(story, True)
    by_kind = {i.kind: i.auth for i in story.incidents}
    assert by_kind["silent"] == "mac"
    assert by_kind["network_out"] == "unsigned"


@pytest.mark.parametrize(("kind", "then"), [("slashed", 20.0), ("lid_open", 700.0)])
def test_an_unsigned_feed_that_becomes_the_source_closes_no_theft(kind: str, then: float) -> None:
    story = lived()
    if kind == "slashed":
        story.sends(700, at=story.at + 60, events=(motion(9000),), next_s=30)
        story.levels(500, 300, 250, 250, 250, 250, every=30, next_s=30)
    else:
        story.sends(700, at=story.at + 60, events=(RawEvent(0, "lid", {"open": True}),))
        story.levels(*([700] * 4))
    assert kind in thefts(story)
    signed, fed = (replace_key(story, unsigned) for unsigned in (False, True))
    story.interpreter.registry = fed
    story.watch.set_registry(fed)
    for level in (then, then, *([950] * 9)):
        story.sends(level, node="feed22", at=story.at + 60, auth="unsigned")
    story.passes(1200)
    story.sends(950, node="feed22", auth="unsigned")
    assert story.events("refill")
    shut = RawEvent(0, "lid", {"open": False})
    story.sends(950, node="feed22", at=story.at + 60, events=(shut,), auth="unsigned")
    assert story.watch.now("north-1").volume_l == pytest.approx(950, abs=2)
    assert closed_thefts(story) == []
    story.interpreter.registry = signed
    story.watch.set_registry(signed)
    # Not to 950 again: a level that goes back and forth between two figures is a sensor's fault.
    for level in (then, then, *([900] * 9)):
        story.sends(level, node="feed22", at=story.at + 60)
    story.passes(1200)
    story.sends(900, node="feed22")
    assert closed_thefts(story) == [kind]


def closed_thefts(story: Story) -> list[str]:
    return [i.kind for i in story.incidents if i.change == "closed" and i.kind in THEFT]


def replace_key(story: Story, unsigned: bool) -> Registry:
    """The node was revoked, and another is installed in its tank."""
    gone = replace(story.registry.devices["node-1"][0], revoked=True)
    key = None if unsigned else bytes(32)
    other = Device("feed22", "north-1", unsigned=unsigned, key=key)
    return replace(story.registry, devices={"node-1": (gone,), "feed22": (other,)})
