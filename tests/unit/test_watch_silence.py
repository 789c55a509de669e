"""Stories of silence: one node, an uplink, the gateway's downtime, a flat battery."""

import pytest

from gateway.domain.registry import Plan
from tests.unit.tank_story import HOUR, T0, Story, ibc, motion, registry_of, tilt

THEFT = {"seized", "drained", "slashed", "lid_open"}


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
            story.sends(650, node=f"node-{i}", at=story.at + 10)
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


@pytest.mark.parametrize("outage_h", [1, 5, 12])
def test_the_gateways_downtime_does_not_count_as_silence(outage_h: int) -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("stop", at=story.at + 600)
    outage = outage_h * HOUR
    story.listening("start", at=story.at + outage)
    grace = min(outage, 8 * HOUR)
    silent_after = 3 * 900 + 120 - 600 + grace
    story.passes(silent_after - 1)
    assert story.watch.now("north-1").presence == "late"
    assert story.incidents == []
    story.passes(2)
    assert story.watch.now("north-1").presence == "silent"


def test_a_crash_without_a_stop_counts_from_the_last_line() -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("start", at=story.at + 20 * HOUR)
    assert story.incidents == []
    assert story.events("silent") == []
    story.sends(690, at=story.at + 60)
    assert story.incidents == []


def test_after_a_reconnect_nothing_is_judged_before_the_queue_has_drained() -> None:
    story = Story()
    story.levels(700, 700)
    story.listening("lost", at=story.at + 2700)
    story.listening("back", at=story.at + 60)
    story.passes(1000)
    assert story.watch.now("north-1").presence != "silent"
    story.sends(690)
    story.listening("drained", at=story.at + 1)
    assert story.incidents == []
    story.passes(2818)
    assert story.watch.now("north-1").presence == "late"
    story.passes(3)
    assert story.watch.now("north-1").presence == "silent"


def test_a_step_of_the_gateways_clock_does_not_count_as_silence() -> None:
    story = Story()
    story.levels(700, 700)
    story.at += 1
    story.listening("clock", at=story.at, step_s=5 * HOUR)
    story.at += 5 * HOUR
    story.passes(600)
    assert story.watch.now("north-1").presence == "speaking"


def test_old_messages_do_not_renew_a_promise() -> None:
    story = Story()
    story.levels(700, 700)
    for _ in range(6):
        story.at += 600
        story.sends(690, newest=False, sealed=0)
    assert story.watch.now("north-1").presence == "silent"


def test_a_fading_battery_alerts_before_the_silence_and_explains_it() -> None:
    story = Story()
    for millivolts in range(3700, 3380, -20):
        story.at += 900
        story.sends(700, mv=millivolts)
    assert story.summary == ["opened battery!"]
    story.passes(2 * HOUR)
    assert story.summary == ["opened battery!", "closed battery", "opened battery!"]
    assert story.incidents[-1].probability > 0.7
    assert not {i.kind for i in story.incidents} & THEFT


def test_a_charged_battery_closes_the_warning() -> None:
    story = Story()
    for millivolts in (3480, 3480, 3600, 3700, 3700, 3480):
        story.at += 900
        story.sends(700, mv=millivolts)
    assert story.summary == ["opened battery!", "closed battery"]


def test_during_a_planned_move_silence_waits() -> None:
    plan = Plan("north-1", T0, T0 + 4 * HOUR, "move")
    story = Story(registry_of(plans=[plan]))
    story.levels(700, 700)
    story.passes(3 * HOUR)
    assert story.incidents == []
    story.passes(3 * HOUR)
    assert story.summary == ["opened silent!"]


def test_a_new_era_replaces_the_old_ones_promise() -> None:
    story = Story()
    story.levels(700, 700, next_s=900)
    for _ in range(8):
        story.at += 900
        story.sends(690, era="bbbbbbbb")
    assert story.incidents == []


def test_a_backlog_of_a_former_era_is_no_clone() -> None:
    story = Story()
    story.levels(700, 700)
    story.sends(690, at=story.at + 900, era="bbbbbbbb")
    for ago in (500, 400, 300):
        story.sends(690, at=story.at + 1, sealed=story.at - ago)
    assert story.incidents == []


def test_two_active_eras_are_a_clone_and_alert_once() -> None:
    story = Story()
    for _ in range(6):
        story.sends(700, at=story.at + 450)
        story.sends(690, at=story.at + 450, era="bbbbbbbb")
    assert story.summary == ["opened clone!"]
    assert story.incidents[0].probability > 0.9


def test_a_number_used_twice_is_a_clone_and_alerts_once_for_each_era() -> None:
    story = Story()
    story.levels(700, 700)
    for _ in range(3):
        story.at += 900
        story.forks()
        story.sends(690)
    assert story.summary == ["opened clone!"]
    assert [b.term for b in story.incidents[0].because] == ["number_used_twice"]
    assert 0.6 < story.incidents[0].probability < 0.9, "its counters may have gone back"
    story.operator("close", story.incidents[0].id)
    story.forks()
    assert story.summary[1:] == ["closed clone"], "what a person closed stays closed"
    story.forks(era="bbbbbbbb")
    assert story.summary[2:] == ["opened clone!"]


def test_a_fork_before_any_message_alerts_and_the_watch_continues() -> None:
    story = Story()
    story.forks(era="")
    story.listening("stop")
    story.listening("start", at=60)
    story.listening("drained")
    story.passes(3600)
    assert story.summary == ["opened clone!"]
    assert story.watch.now("north-1").presence is not None
    story.levels(700, 700)
    assert story.summary == ["opened clone!"]


def test_forks_of_an_unsigned_feed_prove_nothing() -> None:
    story = Story()
    story.forks(auth="unsigned")
    assert story.incidents == []


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
