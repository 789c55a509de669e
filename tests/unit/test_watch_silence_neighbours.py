"""Which neighbours decide whether a silence is a device's or its uplink's, and when again."""

import pytest

from tests.unit.tank_story import HOUR, T0, Story, ibc, registry_of


def on_router(number: int) -> Story:
    """So many nodes on one uplink."""
    return Story(registry_of([ibc(f"t{n}") for n in range(1, number + 1)], uplink="router"))


def one_round(story: Story, *nodes: int, next_s: int = 900) -> None:
    """A message of each node, one second apart."""
    for node in nodes:
        story.sends(silent=True, node=f"node-{node}", at=story.at + 1, next_s=next_s)


def three_hours(story: Story, *nodes: int) -> None:
    """These nodes go on sending each quarter of an hour for three hours."""
    start = story.at
    for quarter in range(1, 13):
        story.at = start + 900 * quarter
        one_round(story, *nodes)


def test_one_message_ends_an_outage_and_the_others_are_judged_after_their_back_off() -> None:
    story = on_router(3)
    one_round(story, 1, 2, 3)
    story.passes(4 * HOUR)
    assert story.summary == ["opened network_out!"]
    one_round(story, 1, next_s=24 * HOUR)
    story.passes(3 * HOUR)
    assert story.summary == ["opened network_out!", "closed network_out"]
    story.passes(2 * HOUR)
    assert story.summary == ["opened network_out!", "closed network_out", "opened network_out!"]
    assert story.incidents[-1].because[0].values == {"devices": 2}


def test_one_message_ends_an_outage_that_a_person_closed() -> None:
    story = on_router(3)
    one_round(story, 1, 2, 3)
    story.passes(4 * HOUR)
    story.operator("close", story.incidents[0].id)
    story.passes(4 * HOUR)
    assert story.summary == ["opened network_out!", "closed network_out"]
    one_round(story, 1, next_s=24 * HOUR)
    story.passes(9 * HOUR)
    assert story.summary[2:] == ["opened network_out!"]


def test_a_device_whose_silence_a_person_closed_is_not_reported_after_the_outage() -> None:
    story = on_router(4)
    one_round(story, 1, 2, 3, 4)
    three_hours(story, 1, 2, 3)
    assert story.summary == ["opened silent!"]
    story.operator("close", story.incidents[0].id)
    story.passes(4 * HOUR)
    one_round(story, 1, 2, 3)
    story.passes(1)
    assert story.summary[2:] == ["opened network_out!", "closed network_out"]


def test_a_slow_neighbour_whose_promise_still_runs_is_not_counted_as_silent() -> None:
    story = on_router(4)
    one_round(story, 4, next_s=12 * HOUR)
    one_round(story, 1, 2, 3)
    three_hours(story, 1)
    assert story.summary == ["opened silent!", "opened silent!"]
    assert {i.tank for i in story.incidents} == {"t2", "t3"}


def test_a_neighbour_that_sent_later_and_is_silent_too_shows_that_the_uplink_worked() -> None:
    story = on_router(3)
    one_round(story, 1, 2)
    for at in range(60, 1201, 60):
        story.sends(silent=True, node="node-3", at=at, next_s=60)
    story.passes(4 * HOUR)
    assert story.summary == ["opened silent!"] * 3


def test_all_evidence_of_a_silence_is_measured() -> None:
    story = on_router(6)
    one_round(story, *range(1, 7))
    three_hours(story, 1)
    assert [(b.term, b.basis) for b in story.incidents[0].because] == [
        ("silent_together", "measured"), ("neighbours_speaking", "measured"),
    ]  # fmt: skip


def test_once_every_neighbour_is_silent_the_last_one_waits_for_nobody() -> None:
    story = on_router(2)
    one_round(story, 1, next_s=60)
    story.passes(6 * HOUR)
    before = len(story.incidents)
    one_round(story, 2)
    story.passes(3 * 900 + 119)
    assert len(story.incidents) == before
    story.passes(2)
    assert story.incidents[-1].tank == "t2"
    assert story.incidents[-1].received == story.at - 1 + T0


@pytest.mark.parametrize(
    ("silent", "kinds"), [(6, ["silent"] * 6), (7, ["network_out"])], ids=("twice", "more")
)
def test_twice_three_active_nodes_are_no_majority(silent: int, kinds: list[str]) -> None:
    story = on_router(3 + silent)
    one_round(story, *range(1, 4 + silent))
    three_hours(story, 1, 2, 3)
    assert [i.kind for i in story.alerts] == kinds
