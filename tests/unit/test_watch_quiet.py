"""The memory of pauses on an uplink: which are kept, and which are proven outages."""

from typing import Any

import pytest

from tests.unit.tank_story import T0, Story, ibc, registry_of


def quiet_of(story: Story) -> list[list[float]]:
    """The pauses that the watch remembers, seconds after T0."""
    record: Any = story.watch.dirty().get("uplink:router")
    assert record is not None
    return [[start - T0, end - T0, proven] for start, end, proven in record["quiet"]]


def shared(tanks: str = "abc") -> Story:
    """Nodes on one uplink."""
    return Story(registry_of([ibc(tank) for tank in tanks], uplink="router"))


def sends(story: Story, node: int, at: float, next_s: int = 900, **fields: Any) -> None:
    """A message without a reading."""
    story.sends(silent=True, node=f"node-{node}", at=at, next_s=next_s, **fields)


@pytest.mark.parametrize(
    ("next_s", "pause_s", "kept"),
    [(900, 450, False), (900, 451, True), (60, 60, False), (60, 61, True), (124, 63, True)],
)
def test_a_pause_longer_than_half_the_shortest_promise_is_kept(
    next_s: int, pause_s: float, kept: bool
) -> None:
    story = shared()
    sends(story, 1, 100, next_s)
    sends(story, 2, 100, 3600)
    sends(story, 2, 100 + pause_s, 3600)
    assert quiet_of(story) == ([[100, 100 + pause_s, 0.0]] if kept else [])


def test_before_the_first_message_there_is_no_pause() -> None:
    story = shared()
    sends(story, 1, 5000, 60)
    assert quiet_of(story) == []


def test_the_promise_of_a_node_that_was_reported_does_not_count() -> None:
    story = shared()
    sends(story, 1, 0, 60)
    for at in range(0, 3000, 100):
        sends(story, 2, at)
    assert story.summary == ["opened silent!"]
    sends(story, 2, 3200)
    assert quiet_of(story)[-1][1] < 3200


def test_the_promise_of_a_node_that_is_not_decided_counts() -> None:
    story = shared()
    story.sends(700, at=0, next_s=60)
    sends(story, 2, 0)
    story.passes(310)
    assert story.watch.now("a").presence == "silent"
    assert story.incidents == []
    sends(story, 2, 400)
    assert quiet_of(story) == [[0, 400, 0.0]]


def test_unsigned_messages_neither_end_nor_begin_a_pause() -> None:
    story = shared()
    sends(story, 1, 0)
    sends(story, 2, 400, auth="unsigned")
    sends(story, 1, 800)
    assert quiet_of(story) == [[0, 800, 0.0]]


def test_a_node_of_no_shared_uplink_keeps_no_pauses() -> None:
    story = Story(registry_of([ibc("a")], uplink="router"))
    story.levels(700, 700, every=5000)
    assert not [key for key in story.watch.dirty() if key.startswith("uplink")]


def test_a_node_that_comes_in_time_proves_nothing_and_one_that_is_late_does() -> None:
    for back, proven in ((1120, 0.0), (1121, 1.0)):
        story = shared()
        sends(story, 1, 100)
        sends(story, 2, 200)
        sends(story, 2, 1000, 3600)
        sends(story, 1, back)
        assert quiet_of(story) == [[200, 1000, proven]]


def test_a_late_node_proves_only_the_pauses_in_which_it_must_have_tried() -> None:
    story = shared()
    sends(story, 2, 0, 3600)
    sends(story, 2, 600, 3600)
    sends(story, 1, 700)
    sends(story, 2, 1719, 3600)
    sends(story, 2, 2300, 3600)
    sends(story, 2, 2900, 3600)
    sends(story, 1, 3000)
    assert [proven for _, _, proven in quiet_of(story)] == [1.0, 1.0, 0.0]


def test_a_node_that_stayed_away_longer_than_its_back_off_met_the_next_outage_too() -> None:
    for back, proven in ((3819, 0.0), (3821, 1.0)):
        story = shared()
        sends(story, 1, 100)
        sends(story, 3, 200, 36_000)
        sends(story, 2, 300)
        sends(story, 2, 2000)
        sends(story, 3, 2001, 36_000)
        sends(story, 3, 3700, 36_000)
        sends(story, 1, back)
        assert [p for start, _, p in quiet_of(story) if start in (300, 2001)] == [1.0, proven]


def test_the_clock_set_back_within_a_pause_makes_it_longer() -> None:
    story = shared()
    sends(story, 1, 5000)
    story.listening("clock", at=2000, step_s=-3000)
    sends(story, 2, 2500)
    sends(story, 1, 3200)
    sends(story, 1, 6000)
    record: Any = story.watch.dirty()["uplink:router"]
    still, ended = T0 + 5000, T0 + 6000
    assert record["quiet"] == [
        [still, still, 0.0, 500], [still, still, 0.0, 700], [still, ended, 0.0, 1800]
    ]  # fmt: skip
