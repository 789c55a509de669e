"""Verdicts on handling that wait for the node's network: an open lid, and handled, then silent."""

from typing import Any

import pytest

from gateway.domain.registry import Registry
from gateway.domain.watch.memory.state import DeviceState, Promise
from gateway.domain.watch.rules import handling, removal
from tests.unit.handled_tank import HandledTank, episode_of, handled_tank
from tests.unit.tank_story import HOUR, T0, Story, ibc, motion, registry_of

PROMISE_S = 3600
SLACK_S = 180  # 5 % of the promise
NOW = T0 + 2 * HOUR
ASKED_S = 600


def on_router(neighbours: int = 1) -> HandledTank:
    """A tank and its neighbours, whose nodes share an uplink."""
    handled = handled_tank(neighbours=neighbours)
    rows = [tanks[-1] for tanks in handled.context.registry.tanks.values()]
    registry: Registry = registry_of(rows, uplink="router")
    handled.context.set_registry(registry)
    handled.context.now = NOW
    return handled


def speaks(handled: HandledTank, node: str, at: float) -> DeviceState:
    """The node's only message so far was received at ``at``."""
    device = handled.context.device(node, f"north-{node[-1]}")
    device.promises = [Promise("aaaaaaaa", 1, 1, T0, at, PROMISE_S, 0.0)]
    return device


def with_open_lid(handled: HandledTank) -> HandledTank:
    """Its lid was opened at T0, and two readings since show no water."""
    handled.tank.episode = episode_of(lid_at=T0)
    rows = [(-600, 700), (-300, 700), (301, 700), (1800, 700)]
    handled.tank.flow.recent = [[T0 + at, litres] for at, litres in rows]
    return handled


def is_judged(handled: HandledTank) -> bool:
    """Whether the lid is judged now; otherwise the question must be asked again."""
    handling.lid_stayed_open(handled.context, handled.tank)
    stayed = handled.tank.episode is not None and handled.tank.episode.lid_stayed
    assert stayed or handled.tank.due["lid"] == NOW + ASKED_S
    return stayed


@pytest.mark.parametrize(("age_s", "judged"), [(600, True), (601, False)])
def test_an_open_lid_waits_while_nothing_came_over_its_uplink_for_ten_minutes(
    age_s: float, judged: bool
) -> None:
    handled = with_open_lid(on_router())
    speaks(handled, "node-1", NOW - age_s)
    speaks(handled, "node-2", NOW - age_s - 1)
    assert is_judged(handled) == judged


@pytest.mark.parametrize(("after_s", "judged"), [(0, False), (0.5, True)])
def test_a_neighbours_later_message_shows_that_the_network_works(
    after_s: float, judged: bool
) -> None:
    handled = with_open_lid(on_router())
    speaks(handled, "node-1", NOW - 1800)
    speaks(handled, "node-2", NOW - 1800 + after_s)
    assert is_judged(handled) == judged


@pytest.mark.parametrize(("early_s", "judged"), [(0, True), (1, False)])
def test_a_neighbour_that_was_silent_by_then_could_show_nothing(
    early_s: float, judged: bool
) -> None:
    handled = with_open_lid(on_router())
    since = NOW - 1800
    speaks(handled, "node-1", since)
    speaks(handled, "node-2", since - 3 * PROMISE_S - SLACK_S + early_s)
    assert is_judged(handled) == judged


def test_a_node_that_has_its_uplink_to_itself_is_judged_without_a_neighbour() -> None:
    handled = with_open_lid(on_router(0))
    speaks(handled, "node-1", NOW - 1800)
    assert is_judged(handled)


@pytest.mark.parametrize(
    ("outage", "judged"),
    [((-1900, -1801), True), ((-1900, -1800), False), ((-900, -60), False), ((-1, 0), False)],
)
def test_an_outage_of_the_gateway_since_the_nodes_last_message_delays_the_lid(
    outage: tuple[float, float], judged: bool
) -> None:
    handled = with_open_lid(on_router(0))
    speaks(handled, "node-1", NOW - 1800)
    handled.context.listening.outages = [[NOW + at for at in outage]]
    assert is_judged(handled) == judged


def test_a_node_without_a_message_is_waited_for() -> None:
    handled = with_open_lid(on_router(0))
    handled.device.promises = []
    assert not is_judged(handled)


def test_the_lid_is_judged_at_the_first_question_after_the_network_is_back() -> None:
    handled = with_open_lid(on_router())
    for node in ("node-1", "node-2"):
        speaks(handled, node, NOW - 1800)
    assert not is_judged(handled)
    speaks(handled, "node-2", NOW + 300)
    handled.context.now = NOW + ASKED_S
    handling.lid_stayed_open(handled.context, handled.tank)
    assert handled.changes == [("opened", "lid_open")]


LAST = 4 * 900
SILENT = LAST + 3 * 900 + 120
DECIDED = SILENT + 3600
"""A node that nobody speaks for is judged an hour after it fell silent."""


def handled_then_gone(slow_s: int = 4 * HOUR) -> Story:
    """Two nodes on an uplink: one is shaken for six seconds with its last message; the other has
    sent just before and promised its next in ``slow_s``.
    """
    story = Story(registry_of([ibc(), ibc("north-2")], uplink="router"))
    for at in range(900, LAST, 900):
        story.sends(700, at=at)
    story.sends(700, node="node-2", at=LAST - 10, next_s=slow_s)
    story.sends(700, at=LAST, events=(motion(6000),))
    assert story.summary == []
    return story


def opened(story: Story) -> list[tuple[str, float]]:
    """The incidents that were opened about the shaken tank, with their seconds after T0."""
    return [
        (i.kind, i.received - T0)
        for i in story.incidents
        if i.change == "opened" and i.tank == "north-1"
    ]


def test_handled_then_silent_is_judged_an_hour_later_while_the_network_shows_nothing() -> None:
    story = handled_then_gone()
    story.passes(DECIDED - 1 - LAST)
    assert opened(story) == []
    story.passes(1)
    assert opened(story) == [("seized", DECIDED)]


@pytest.mark.parametrize("at", [SILENT + 1, DECIDED - 1])
def test_handled_then_silent_is_judged_when_a_neighbour_shows_that_the_network_works(
    at: int,
) -> None:
    story = handled_then_gone()
    story.passes(at - 1 - LAST)
    assert opened(story) == []
    story.sends(700, node="node-2", at=at, next_s=4 * HOUR)
    story.passes(0)
    assert opened(story) == [("seized", at)]


def test_a_neighbour_that_spoke_since_lets_the_silence_count_at_once() -> None:
    story = handled_then_gone()
    story.sends(700, node="node-2", at=LAST + 1, next_s=4 * HOUR)
    story.passes(SILENT - 1 - story.at)
    assert opened(story) == []
    story.passes(1)
    assert opened(story) == [("seized", SILENT)]


def test_handled_then_silent_together_with_the_network_is_no_theft() -> None:
    story = handled_then_gone(slow_s=900)
    story.passes(DECIDED + HOUR)
    assert "network_out" in {i.kind for i in story.incidents}
    assert not {kind for kind, _ in opened(story)} & {"seized", "drained", "slashed"}


def test_handled_then_back_in_time_is_not_judged_for_the_silence() -> None:
    story = handled_then_gone()
    story.passes(SILENT + 1800 - LAST)
    story.sends(700, at=story.at)
    story.sends(700, node="node-2", at=story.at + 1, next_s=4 * HOUR)
    story.passes(600)
    assert opened(story) == []


@pytest.mark.parametrize(
    ("presence", "waiting", "fields", "is_kept"),
    [
        ("speaking", False, {"motion_ms": 6000}, True), ("late", False, {"tilt_deg": 30}, True),
        ("silent", True, {"motion_ms": 6000}, True), ("silent", False, {"motion_ms": 6000}, False),
        ("speaking", False, {"motion_ms": 6000, "resumed_at": T0 + 900.0}, False),
        ("late", False, {}, False),
    ],
)  # fmt: skip
def test_handling_is_remembered_until_the_nodes_silence_is_judged(
    presence: Any, waiting: bool, fields: dict[str, Any], is_kept: bool
) -> None:
    handled = on_router()
    handled.device.presence, handled.device.waiting = presence, waiting
    handled.tank.episode = episode_of(**fields)
    removal.end_episode(handled.context, handled.tank)
    assert (handled.tank.episode is not None) == is_kept
    assert handled.tank.due == ({"episode": NOW + HOUR} if is_kept else {})
