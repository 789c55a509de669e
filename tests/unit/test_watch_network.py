"""Stories of an uplink: when it is out, when it is back, and who is judged after that."""

import pytest

from gateway.domain.inputs import Auth
from gateway.domain.registry import Plan
from tests.unit.tank_story import HOUR, T0, Story, ibc, registry_of


def at_work(tanks: str = "abc") -> Story:
    """Nodes on one uplink, which have sent each quarter of an hour, ten seconds after another."""
    story = Story(registry_of([ibc(tank) for tank in tanks], uplink="router"))
    for _ in range(4):
        all_send(story, range(1, len(tanks) + 1))
    return story


def all_send(story: Story, nodes: range | tuple[int, ...], auth: Auth = "mac") -> None:
    """A quarter of an hour passes; then these nodes send."""
    story.at += 900 - 10 * len(nodes)
    for node in nodes:
        story.sends(silent=True, node=f"node-{node}", at=story.at + 10, auth=auth)


def reports(story: Story) -> list[tuple[str, str | None, float]]:
    """Kind, tank, and seconds after T0 of each silence that was opened."""
    return [
        (i.kind, i.tank, i.received - T0)
        for i in story.incidents
        if i.change == "opened" and i.kind in ("silent", "battery")
    ]


def test_a_node_that_still_backs_off_when_its_neighbour_returns_is_not_silent() -> None:
    story = at_work("ab")
    out_since = story.at
    story.sends(700, node="node-1", at=out_since + 40 * 60)
    story.passes(39 * 60)
    assert story.incidents == []
    story.sends(700, node="node-2", at=out_since + 79 * 60)
    assert story.incidents == []


def test_a_node_that_is_gone_since_an_outage_is_reported_after_back_off_and_two_promises() -> None:
    story = at_work("ab")
    last, out_since = story.at, story.at
    story.at = out_since + 40 * 60
    for _ in range(12):
        all_send(story, (1,))
    back = out_since + 55 * 60
    back_off = back - last
    assert reports(story) == [("silent", "b", back + back_off + 0.05 * back_off + 1800)]


def test_an_outage_that_nobody_missed_delays_a_report_by_an_hour_at_most() -> None:
    story = Story(registry_of([ibc("a"), ibc("b")], uplink="router"))
    for _ in range(3):
        story.sends(700, node="node-1", at=story.at + 900, next_s=4 * HOUR)
        story.sends(700, node="node-2")
    silent = story.at + 3 * 900 + 120
    story.passes(12 * HOUR)
    assert reports(story)[0] == ("silent", "b", silent + HOUR)


def test_after_a_reported_outage_nobody_is_judged_before_the_back_off_is_over() -> None:
    story = at_work()
    last, out = story.at, 3 * HOUR
    story.at += out
    for _ in range(20):
        all_send(story, (1,))
    assert story.summary == ["opened network_out!", "closed network_out", *["opened silent!"] * 2]
    back = last + out + 900
    back_off = back - last
    assert reports(story)[0][2] == pytest.approx(back + 1.05 * back_off + 1800)


def test_the_longest_back_off_is_eight_hours() -> None:
    story = at_work()
    last, out = story.at, 30 * HOUR
    story.at += out
    for _ in range(60):
        all_send(story, (1,))
    back = last + out + 900
    assert reports(story)[0][2] == pytest.approx(back + 1.05 * 8 * HOUR + 1800)


def test_a_node_that_met_two_outages_in_a_row_has_failed_since_the_first() -> None:
    story = at_work()
    first = story.at
    story.at += 2 * HOUR
    all_send(story, (1,))
    all_send(story, (1,))
    story.at += HOUR
    all_send(story, (1,))
    back = story.at
    for _ in range(40):
        all_send(story, (1,))
    assert {s for s in story.summary if "silent" in s} == {"opened silent!"}
    assert reports(story)[0][2] == pytest.approx(back + 1.05 * (back - first) + 1800, abs=60)


def test_a_node_that_failed_before_the_outage_is_not_excused_by_it() -> None:
    story = at_work()
    all_send(story, (1, 2))
    all_send(story, (1, 2))
    silent = story.at - 1800 + 3 * 900 + 120
    story.passes(5 * HOUR)
    assert reports(story)[0] == ("silent", "c", pytest.approx(silent, abs=30))
    assert [i.kind for i in story.alerts] == ["silent", "network_out"]


def test_a_neighbour_that_was_silent_before_is_no_part_of_an_outage() -> None:
    story = at_work("abc")
    for _ in range(8):
        all_send(story, (1, 2))
    story.passes(6 * HOUR)
    assert story.summary == ["opened silent!", "opened network_out!"]
    assert story.incidents[-1].figures == {"devices": 3, "tanks": 3}
    assert dict(story.incidents[-1].because[0].values) == {"devices": 2}


def test_what_a_person_closed_as_network_is_judged_again_when_a_neighbour_sends() -> None:
    story = at_work()
    story.passes(2 * HOUR)
    story.operator("close", story.incidents[0].id)
    assert story.summary == ["opened network_out!", "closed network_out"]
    story.passes(20 * HOUR)
    assert len(story.summary) == 2
    for _ in range(60):
        all_send(story, (1,))
    assert story.summary[2:] == ["opened silent!"] * 2


def test_a_silence_that_a_person_closed_is_not_reported_after_the_next_outage() -> None:
    story = at_work()
    for _ in range(8):
        all_send(story, (1, 2))
    assert story.summary == ["opened silent!"]
    story.operator("close", story.incidents[0].id)
    story.passes(4 * HOUR)
    for _ in range(50):
        all_send(story, (1, 2))
    assert story.summary[2:] == ["opened network_out!", "closed network_out"]
    all_send(story, (1, 2, 3))
    for _ in range(8):
        all_send(story, (1, 2))
    assert story.summary[4:] == ["opened silent!"], "it has sent since"


def test_an_unsigned_message_does_not_end_the_outage_of_nodes_that_sign() -> None:
    story = at_work()
    story.passes(2 * HOUR)
    all_send(story, (1,), auth="unsigned")
    assert story.summary == ["opened network_out!"]
    all_send(story, (2,))
    assert story.summary == ["opened network_out!", "closed network_out"]


def test_an_outage_of_most_neighbours_ends_with_one_of_theirs() -> None:
    story = at_work("abcdef")
    for _ in range(6):
        all_send(story, (1,))
    assert story.summary == ["opened network_out!"]
    assert [b.term for b in story.incidents[0].because] == [
        "silent_together", "neighbours_speaking",
    ]  # fmt: skip
    all_send(story, (1, 2))
    assert story.summary == ["opened network_out!", "closed network_out"]


def test_two_of_four_are_no_outage_of_most() -> None:
    story = at_work("abcd")
    for _ in range(6):
        all_send(story, (1, 2))
    assert story.summary == ["opened silent!"] * 2


def test_a_neighbours_message_does_not_shorten_the_wait_for_a_planned_move() -> None:
    plan = Plan("b", T0 + HOUR, T0 + 9 * HOUR, "move")
    story = Story(registry_of([ibc("a"), ibc("b")], uplink="router", plans=[plan]))
    for _ in range(4):
        all_send(story, (1, 2))
    for _ in range(60):
        all_send(story, (1,))
    assert reports(story) == [("silent", "b", 9 * HOUR + 1800)]


def test_an_outage_of_all_ends_with_a_node_whose_promise_still_ran() -> None:
    story = Story(registry_of([ibc(tank) for tank in "abc"], uplink="router"))
    story.sends(silent=True, node="node-1", at=1, next_s=6 * HOUR)
    for node in (2, 3):
        story.sends(silent=True, node=f"node-{node}", at=node)
    story.passes(2 * HOUR)
    assert story.summary == ["opened network_out!"]
    story.sends(silent=True, node="node-1")
    assert story.summary == ["opened network_out!", "closed network_out"]
    assert story.incidents[-1].figures["lasted_s"] == 2 * HOUR


def test_a_slow_neighbours_message_decides_on_a_node_that_waits() -> None:
    story = Story(registry_of([ibc("a"), ibc("b")], uplink="router"))
    story.sends(silent=True, node="node-1", at=1, next_s=6 * HOUR)
    story.sends(silent=True, node="node-2", at=3)
    story.sends(silent=True, node="node-1", at=3003, next_s=6 * HOUR)
    story.passes(HOUR)
    pause = 3000
    assert reports(story) == [("silent", "b", 3003 + 1.05 * pause)]
