"""Which of several eras of one node counts: former or not, in force, and when one is dropped."""

import pytest

from gateway.domain.inputs import JournaledMessage
from gateway.domain.outputs import TankEvent
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, Promise
from gateway.domain.watch.rules import clone, presence
from gateway.domain.watch.tracks.cause import Term, weigh
from tests.unit.tank_story import T0, Story, ibc, registry_of

REGISTRY = registry_of([ibc("a"), ibc("b")], uplink="router")


def context_at(at: float) -> WatchContext:
    context = WatchContext(REGISTRY, None)
    context.now = T0 + at
    return context


def node(context: WatchContext, *eras: tuple[str, float, float, int]) -> DeviceState:
    """A node's eras in order: name, first and newest message (seconds after T0), promise."""
    device = context.device("node-1", "a")
    device.promises = [
        Promise(era * 8, 1, 1, T0 + began, T0 + received, next_s, 0.0)
        for era, began, received, next_s in eras
    ]
    return device


def message(era: str) -> JournaledMessage:
    return JournaledMessage("node-1", "a", era * 8, 1, 2, T0, 900, True, "mac", 3900, -60)


@pytest.mark.parametrize(
    ("eras", "of", "former"),
    [
        ("a", "a", False),
        ("ac", "c", False),
        ("ac", "a", True),
        ("ca", "a", False),
        ("ca", "c", True),
        ("ac", "b", False),
        ("ac", "d", False),
        ("abc", "b", True),
    ],
)
def test_a_message_is_of_a_former_era_when_a_newer_one_followed(
    eras: str, of: str, former: bool
) -> None:
    device = node(context_at(0), *((era, n, n, 900) for n, era in enumerate(eras)))
    assert clone.is_former(device, message(of)) is former


@pytest.mark.parametrize(
    ("newest", "in_force"),
    [
        ((1000, 600), "a"),  # broken at 2920; the first one is at 2820
        ((1150, 500), "b"),  # broken at 2770
        ((1000, 566), "b"),  # broken at 2818
        ((1000, 567), "a"),  # broken at 2821
    ],
)
def test_of_two_active_eras_the_one_that_three_promises_break_first_is_in_force(
    newest: tuple[float, int], in_force: str
) -> None:
    context = context_at(1200)
    received, next_s = newest
    device = node(context, ("a", -9000, 0, 900), ("b", -5000, received, next_s))
    assert presence.promise_in_force(context, device).era[0] == in_force


def test_a_former_era_counts_while_it_is_live_and_sent_after_the_newest_began() -> None:
    device = node(context_at(0), ("a", 0, 500, 900), ("b", 500, 700, 900), ("c", 499, 900, 900))
    assert [p.era[0] for p in presence.active_promises(device)] == ["a", "b", "c"]
    device.promises[0].live = False
    assert [p.era[0] for p in presence.active_promises(device)] == ["b", "c"]
    device.promises[-1].began = T0 + 700.0
    assert [p.era[0] for p in presence.active_promises(device)] == ["c"]


def test_a_broken_era_beside_one_that_keeps_its_promise_is_no_silence() -> None:
    context = context_at(3000)
    device = node(context, ("a", -9000, 0, 900), ("b", -5000, 2000, 900))
    device.presence = "late"
    assert presence.mark_silent(context, device) is False
    assert [p.era[0] for p in device.promises] == ["b"]
    assert (device.presence, context.outputs) == ("speaking", [])


def test_when_no_era_is_live_the_newest_one_stays() -> None:
    context = context_at(3000)
    device = node(context, ("a", -9900, -9000, 900), ("b", -9000, 0, 900), ("c", -5000, 2000, 900))
    device.promises[0].live = device.promises[2].live = False
    assert presence.mark_silent(context, device) is False
    assert [p.era[0] for p in device.promises] == ["c"]


def test_a_broken_promise_is_a_silence_since_the_last_message() -> None:
    context = context_at(3000)
    device = node(context, ("b", -5000, 100, 900))
    assert presence.mark_silent(context, device) is True
    assert (device.presence, device.presence_since) == ("silent", T0 + 3000)
    assert context.outputs == [TankEvent(T0 + 100, T0 + 3000, "a", "silent")]


def test_three_active_eras_are_told_with_their_number_and_the_newest_ones_beginning() -> None:
    story = Story()
    for era in "abcab":
        story.sends(700, at=story.at + 300, era=era * 8)
    assert story.summary[0] == "opened clone!"
    found = story.incidents[0]
    assert found.at == T0 + 900
    assert found.probability == weigh([Term("", "measured", {"clone": 9.0})])[0]["clone"]


@pytest.mark.parametrize(("pause", "kept"), [(59.0, False), (60.0, False), (61.0, True)], ids=str)
def test_pauses_of_up_to_a_minute_on_an_uplink_are_not_kept(pause: float, kept: bool) -> None:
    story = Story(REGISTRY)
    story.sends(700, at=100, next_s=30)
    story.sends(700, at=100 + pause, node="node-2", next_s=30)
    uplink = story.watch.dirty()["uplink:router"]
    assert uplink is not None
    assert bool(uplink["quiet"]) is kept


def test_a_neighbour_that_was_silent_long_before_does_not_make_its_uplink_suspect() -> None:
    context = context_at(9000)
    device = node(context, ("a", 0, 5000, 900))
    other = context.device("node-2", "b")
    other.promises = [Promise("a" * 8, 1, 1, T0, T0, 900, 0.0)]  # silent since 2820
    assert not presence.uplink_is_suspect(context, device, T0 + 5000)
