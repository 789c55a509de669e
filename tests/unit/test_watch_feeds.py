"""What an unsigned feed may not do to the watch of those that sign."""

from gateway.domain.registry import Device, Registry
from tests.unit.tank_story import HOUR, Story, ibc, registry_of


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
            story.says(700, node=node, auth="unsigned" if feed else "mac")
    story.passes(3 * HOUR)
    return [i.kind for i in story.incidents if i.change == "opened" and i.tank == "north-1"]


def test_the_silence_of_feeds_does_not_excuse_that_of_a_device_that_signs() -> None:
    assert fall_silent(on_one_uplink(unsigned=False), False) == []
    assert fall_silent(on_one_uplink(unsigned=True), True) == ["silent"]


def test_what_rests_on_feeds_alone_is_marked_so() -> None:
    story = on_one_uplink(unsigned=True)
    fall_silent(story, True)
    by_kind = {i.kind: i.auth for i in story.incidents}
    assert by_kind["silent"] == "mac"
    assert by_kind["network_out"] == "unsigned"
