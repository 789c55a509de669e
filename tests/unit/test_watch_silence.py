"""Stories of silence: one node, an uplink, the gateway's downtime, a flat battery."""

from gateway.domain.registry import Plan
from tests.unit.tank_story import HOUR, T0, Story, ibc, motion, registry_of, tilt


def three(uplink: str | None = "router") -> Story:
    story = Story(registry_of([ibc("a"), ibc("b"), ibc("c")], uplink=uplink))
    for _ in range(6):
        for i in (1, 2, 3):
            story.sends(700, node=f"node-{i}", at=story.at + 10)
        story.at += 870
    return story


def test_a_node_is_late_after_its_promise_and_silent_after_three() -> None:
    story = Story()
    story.levels(700, 700)
    story.passes(1019)
    assert story.watch.now("north-1").presence == "speaking"
    story.passes(2)
    assert story.watch.now("north-1").presence == "late"
    assert story.watch.now("north-1").state == "ok"
    story.passes(1798)
    assert story.watch.now("north-1").presence == "late"
    story.passes(2)
    now = story.watch.now("north-1")
    assert (now.presence, now.state) == ("silent", "unknown")
    assert now.volume_l is not None  # what it was, with its age
    assert story.summary == ["opened silent!"]


def test_silence_alone_is_never_theft_and_ends_with_the_next_message() -> None:
    story = Story()
    story.levels(700, 690, 680)
    story.passes(30 * 24 * HOUR)
    assert story.summary == ["opened silent!"]
    assert story.incidents[0].causes["seized"] < 0.2
    story.sends(500)
    assert story.summary == ["opened silent!", "closed silent"]
    assert [e.kind for e in story.events("silent", "back")] == ["silent", "back"]


def test_one_dead_network_is_one_message() -> None:
    story = three()
    story.passes(6 * HOUR)
    assert story.summary[0] == "opened network_out!"
    assert len(story.alerts) == 1
    assert story.incidents[0].uplink == "router"
    assert story.incidents[0].tank is None
    assert story.incidents[0].probability > 0.7
    assert {i.kind for i in story.incidents} == {"network_out"}
    assert all(story.watch.now(t).state == "unknown" for t in "abc")


def test_a_network_that_comes_back_closes_its_one_incident() -> None:
    story = three()
    story.passes(6 * HOUR)
    for i in (1, 2, 3):
        story.sends(650, node=f"node-{i}", at=story.at + 30)
    story.levels(650, 650, node="node-1")
    assert story.summary[-1] == "closed network_out"
    assert len(story.alerts) == 1


def test_a_node_still_silent_after_the_outage_alerts_alone() -> None:
    story = three()
    story.passes(2 * HOUR)
    for _ in range(30):
        for i in (1, 2):
            story.sends(silent=True, node=f"node-{i}", at=story.at + 10)
        story.at += 880
    assert [s for s in story.summary if "silent" in s] == ["opened silent!"]
    assert story.incidents[-1].tank == "c"


def test_one_silent_node_with_active_neighbours_alerts_alone() -> None:
    story = three()
    for _ in range(12):
        for i in (1, 2):
            story.sends(650, node=f"node-{i}", at=story.at + 10)
        story.at += 880
    assert story.summary == ["opened silent!"]
    assert story.incidents[0].tank == "c"


def test_nodes_without_a_shared_uplink_alert_one_by_one() -> None:
    story = three(uplink=None)
    story.passes(6 * HOUR)
    assert story.summary == ["opened silent!"] * 3


def test_a_neighbour_with_a_long_promise_does_not_hide_a_dead_network() -> None:
    story = Story(registry_of([ibc("a"), ibc("b"), ibc("c")], uplink="router"))
    for _ in range(4):
        story.sends(700, node="node-1", at=story.at + 10)
        story.sends(700, node="node-2", at=story.at + 10)
        story.sends(700, node="node-3", at=story.at + 10, next_s=6 * HOUR)
        story.at += 870
    story.passes(4 * HOUR)
    assert story.summary[0] == "opened network_out!"
    assert len(story.alerts) == 1


def test_thirty_tanks_behind_one_router_are_one_message() -> None:
    story = Story(registry_of([ibc(f"t{i}") for i in range(30)], uplink="router"))
    for _ in range(3):
        for i in range(1, 31):
            story.sends(700, node=f"node-{i}", at=story.at + 1)
        story.at += 870
    story.passes(12 * HOUR)
    assert len(story.alerts) == 1


def test_old_messages_do_not_renew_a_promise() -> None:
    story = Story()
    story.levels(700, 700)
    for _ in range(6):
        story.at += 600
        story.sends(690, newest=False, sealed=0)
    assert story.watch.now("north-1").presence == "silent"


def test_during_a_planned_move_silence_waits() -> None:
    plan = Plan("north-1", T0, T0 + 4 * HOUR, "move")
    story = Story(registry_of(plans=[plan]))
    story.levels(700, 700)
    story.passes(3 * HOUR)
    assert story.incidents == []
    story.passes(3 * HOUR)
    assert story.summary == ["opened silent!"]


def test_a_network_with_slow_and_quick_nodes_is_still_one_message() -> None:
    story = Story(registry_of([ibc("a"), ibc("b")], uplink="router"))
    for _ in range(8):
        story.sends(700, node="node-1", at=story.at + 900)
        if round(story.at) % 3600 == 0:
            story.sends(700, node="node-2", next_s=3600)
    story.passes(24 * HOUR)
    assert [i.kind for i in story.alerts] == ["network_out"]


def test_silence_after_handling_is_weaker_evidence_when_neighbours_are_silent_too() -> None:
    alone, together = (
        Story(registry_of([ibc("a"), ibc("b"), ibc("c")], uplink="router")) for _ in range(2)
    )
    for story in (alone, together):
        for i in (1, 2, 3, 1, 2, 3):
            story.sends(700, node=f"node-{i}", at=story.at + 300)
        story.sends(700, at=story.at + 60, events=(motion(20_000), tilt(50)), next_s=30)
    for _ in range(12):
        for i in (2, 3):
            alone.sends(700, node=f"node-{i}", at=alone.at + 450)
    together.passes(3 * HOUR)
    sure, less_sure = ([i for i in s.incidents if i.tank == "a"][-1] for s in (alone, together))
    assert sure.causes["seized"] > less_sure.causes["seized"]
    assert len([a for a in together.alerts if a.kind == "network_out"]) == 1
