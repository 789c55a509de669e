"""What other rules ask of presence: is the gateway deaf, is a node late, may its uplink be dead."""

from typing import Any

import pytest

from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, ListeningState, Promise
from gateway.domain.watch.rules import presence
from tests.unit.tank_story import T0, Story, ibc, registry_of

REGISTRY = registry_of([ibc("a"), ibc("b"), ibc("c")], uplink="router")


def context_at(at: float, registry: Any = REGISTRY, **listening: Any) -> WatchContext:
    """A context ``at`` seconds after T0; the fields of its listening are Unix s."""
    context = WatchContext(registry, None)
    context.now = T0 + at
    context.listening = ListeningState(last_input_at=T0, **listening)
    return context


def node(context: WatchContext, number: int, last: float, next_s: int = 900) -> DeviceState:
    """A node whose last message came ``last`` seconds after T0."""
    device = context.device(f"node-{number}", "abc"[number - 1])
    device.promises = [Promise("aaaaaaaa", 1, 1, T0, T0 + last, next_s, 0.0)]
    return device


@pytest.mark.parametrize(
    ("listening", "deaf"),
    [({}, False), ({"offline_since": T0}, True), ({"settling": True}, True)],
)
def test_a_gateway_is_deaf_while_it_is_offline_or_its_queue_drains(
    listening: dict[str, Any], deaf: bool
) -> None:
    assert presence.is_deaf(context_at(60, **listening)) is deaf


@pytest.mark.parametrize(
    ("start", "end", "listened"),
    [
        (0, 99, True),
        (0, 100, False),
        (120, 130, False),
        (200, 299, False),
        (201, 299, True),
        (201, 300, False),
        (350, 360, False),
        (401, 999, True),
    ],
)
def test_a_gateway_listened_in_a_span_that_none_of_its_outages_touches(
    start: float, end: float, listened: bool
) -> None:
    context = context_at(999, outages=[[T0 + 100, T0 + 200], [T0 + 300, T0 + 400]])
    assert presence.was_listening(context, T0 + start, T0 + end) is listened


@pytest.mark.parametrize(("end", "listened"), [(499, True), (500, False), (600, False)])
def test_an_outage_that_lasts_counts_from_its_beginning(end: float, listened: bool) -> None:
    context = context_at(999, offline_since=T0 + 500.0)
    assert presence.was_listening(context, T0, T0 + end) is listened


def test_a_node_is_late_only_after_its_promise_and_the_slack() -> None:
    for at, late in ((900, False), (1020, False), (1021, True)):
        context = context_at(at)
        assert presence.is_late(context, node(context, 1, 0)) is late


def test_an_outage_of_the_gateway_makes_no_node_late() -> None:
    context = context_at(1500, credit_s=480.0)
    assert not presence.is_late(context, node(context, 1, 0))
    context.now += 1
    assert presence.is_late(context, node(context, 1, 0))


def test_a_node_that_has_never_sent_is_not_late() -> None:
    context = context_at(9999)
    assert not presence.is_late(context, context.device("node-1", "a"))


def test_an_uplink_is_suspect_until_a_neighbour_sends() -> None:
    context = context_at(1000)
    device = node(context, 1, 0)
    neighbour = node(context, 2, 400)
    node(context, 3, 300)
    assert presence.uplink_is_suspect(context, device, T0 + 400)
    neighbour.promises[0].received += 1
    assert not presence.uplink_is_suspect(context, device, T0 + 400)


def test_a_neighbour_that_was_silent_by_then_cannot_show_that_the_uplink_works() -> None:
    context = context_at(9000)
    device = node(context, 1, 5000)
    node(context, 2, 0)  # silent since 2820
    assert presence.uplink_is_suspect(context, device, T0 + 2819)
    assert not presence.uplink_is_suspect(context, device, T0 + 2820)


@pytest.mark.parametrize("uplink", [None, "router"])
def test_the_uplink_of_a_node_without_known_neighbours_is_not_suspect(uplink: str | None) -> None:
    context = context_at(1000, registry_of([ibc("a"), ibc("b")], uplink=uplink))
    assert not presence.uplink_is_suspect(context, node(context, 1, 0), T0)


def test_the_last_eight_outages_are_remembered() -> None:
    story = Story()
    for number in range(10):
        story.listening("stop", at=1000.0 * number)
        story.listening("start", at=1000.0 * number + 60 + number)
    ears = story.watch.dirty()["ears"]
    assert ears is not None
    expected = [[T0 + 1000.0 * n, T0 + 1000.0 * n + 60 + n] for n in range(2, 10)]
    assert ears["outages"] == expected


@pytest.mark.parametrize(
    ("quiet", "attempt", "silent", "decided"),
    [
        ([], 1020, 2820, 6420),
        ([[500, 1500, 0.0]], 1020, 2820, 6420),
        ([[500, 2000, 0.0]], 1020, 3620, 6420),
        ([[500, 4000, 0.0]], 1020, 6420, 6420),
        ([[500, 2000, 1.0]], 3620, 5420, 6420),
        ([[500, 9000, 1.0]], 17_925, 19_725, 19_725),
        ([[1020, 2000, 1.0]], 3100, 4900, 6420),
        ([[1021, 2000, 1.0]], 1020, 2820, 6420),
    ],
)
def test_pauses_of_the_uplink_postpone_the_attempt_and_the_silence(
    quiet: list[list[float]], attempt: float, silent: float, decided: float
) -> None:
    context = context_at(1000)
    device = node(context, 1, 0)
    assert presence.silent_at(context, device) == T0 + 2820, "no memory of the uplink yet"
    context.uplink("router").quiet = [[T0 + a, T0 + b, proven] for a, b, proven in quiet]
    assert presence.attempt_due(context, device) == T0 + attempt
    assert presence.silent_at(context, device) == T0 + silent
    assert presence.decided_by(context, device) == T0 + decided


def test_the_next_message_is_due_after_the_promise_and_the_gateways_outages() -> None:
    context = context_at(1000, credit_s=500.0)
    device = node(context, 1, 100)
    device.promises[0].credit_s = 200.0
    assert presence.next_message_due(context, device) == T0 + 100 + 900 + 300
    assert presence.next_message_due(context, context.device("node-2", "b")) is None


def test_four_eras_are_remembered() -> None:
    story = Story()
    for era in "abcdef":
        story.sends(700, at=story.at + 900, era=era * 8)
    record: Any = story.watch.dirty()["device:node-1"]
    assert [promise.era[0] for promise in record["promises"]] == ["c", "d", "e", "f"]
