"""The evidence for the cause of a silence, and how probable it makes an outage of the network."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.domain.registry import Registry
from gateway.domain.watch.memory.context import WatchContext
from gateway.domain.watch.memory.state import DeviceState, ListeningState, Promise
from gateway.domain.watch.rules import silence
from gateway.domain.watch.tracks.cause import Term, weigh
from gateway.evaluation.assumed import ASSUMED
from tests.unit.tank_story import HOUR, T0, Story, ibc, registry_of

SILENCE = {"battery": 1.0, "network_out": 1.0, "sensor_fault": 0.3, "seized": 0.3}


def network(*last_s: float, silent: tuple[int, ...], outages: Any = ()) -> WatchContext:
    """Nodes of one uplink by the seconds after T0 of their last messages."""
    tanks = [ibc(f"tank-{n}") for n, _ in enumerate(last_s, 1)]
    context = WatchContext(registry_of(tanks, uplink="router"), None, ASSUMED)
    context.now = T0 + 3000
    context.listening = ListeningState(outages=[[T0 + a, T0 + b] for a, b in outages])
    for number, last in enumerate(last_s, 1):
        device = context.device(f"node-{number}", f"tank-{number}")
        device.battery_mv = 3600
        device.promises = [Promise("aaaaaaaa", 1, 1, T0, T0 + last, 900, 0.0)]
        device.presence = "silent" if number in silent else "speaking"
    return context


def evidence(context: WatchContext) -> list[tuple[str, dict[str, float], dict[str, Any]]]:
    """The terms about ``node-1``."""
    device: DeviceState = context.devices["node-1"]
    return [(t.name, dict(t.towards), dict(t.values)) for t in silence.terms(context, device)]


def test_a_silence_alone_names_the_broken_promise() -> None:
    values = {"last_word_at": T0 + 100, "promised_s": 900}
    assert evidence(network(100, silent=(1,))) == [("silence", SILENCE, values)]


def test_neighbours_that_kept_sending_speak_against_the_network() -> None:
    found = evidence(network(100, 1121, 2000, 1120, silent=(1,)))
    assert found[1:] == [("neighbours_speaking", {"network_out": -3.0}, {"devices": 2})]


def test_neighbours_that_fell_silent_at_the_same_time_speak_for_the_network() -> None:
    found = evidence(network(100, 200, 300, 400, silent=(1, 2, 4)))
    assert found[1:] == [("neighbours_silent", {"network_out": 4.0}, {"devices": 2})]


def test_neighbours_that_fell_silent_long_before_say_nothing() -> None:
    assert len(evidence(network(1500, 100, silent=(1, 2)))) == 1


def test_the_gateways_outages_since_the_last_message_count_with_their_length() -> None:
    outages = [(0, 99), (0, 100), (200, 260), (500, 600)]
    found = evidence(network(100, silent=(1,), outages=outages))
    assert found[1:] == [("own_downtime", {"network_out": 0.7}, {"seconds": 160})]


def stops_after(story: Story, active: tuple[int, ...], silent: tuple[int, ...]) -> Story:
    """All send four times each quarter of an hour; then only the ``active`` for three hours."""
    for quarter in range(16):
        story.at = 900.0 * quarter
        for node in (*active, *silent) if quarter < 4 else active:
            story.sends(silent=True, node=f"node-{node}", at=story.at + 1)
    return story


def network_out(together: float, speaking: float = 0.0) -> float:
    """The probability that these weights make."""
    return weigh(
        [
            Term("silent_together", "measured", {"network_out": together, "theft": -1.0}),
            Term("neighbours_speaking", "measured", {"network_out": speaking}),
        ]
    )[0]["network_out"]


def on_router(number: int) -> Story:
    """So many nodes on one uplink."""
    return Story(registry_of([ibc(f"t{n}") for n in range(number)], uplink="router"))


def test_two_that_fall_silent_together_are_probably_the_network() -> None:
    story = stops_after(on_router(2), (), (1, 2))
    story.passes(4 * HOUR)
    found = story.incidents[0]
    assert (found.kind, found.causes["network_out"]) == ("network_out", found.probability)
    assert found.probability == network_out(5.5)
    assert [(b.term, dict(b.values)) for b in found.because] == [
        ("silent_together", {"devices": 2})
    ]


def test_more_that_fall_silent_together_make_it_more_probable() -> None:
    story = stops_after(on_router(5), (), (1, 2, 3, 4, 5))
    story.passes(4 * HOUR)
    assert story.incidents[0].probability == network_out(7.0)


def test_neighbours_that_kept_sending_make_an_outage_of_most_less_probable() -> None:
    story = stops_after(on_router(6), (1,), (2, 3, 4, 5, 6))
    found = story.incidents[0]
    assert found.kind == "network_out"
    assert found.probability == network_out(7.0, -1.5)
    assert dict(found.because[1].values) == {"devices": 1}


@pytest.mark.parametrize(
    ("active", "silent", "kinds"),
    [
        ((1,), (2, 3), ["silent", "silent"]),
        ((1,), (2, 3, 4), ["network_out"]),
        ((1, 2), (3, 4, 5), ["silent", "silent", "silent"]),
        ((1, 2), (3, 4, 5, 6), ["silent"] * 4),
        ((1, 2), (3, 4, 5, 6, 7), ["network_out"]),
    ],
)
def test_more_than_two_and_twice_the_active_are_an_outage_of_most(
    active: tuple[int, ...], silent: tuple[int, ...], kinds: list[str]
) -> None:
    story = stops_after(on_router(len(active) + len(silent)), active, silent)
    assert [i.kind for i in story.alerts] == kinds


@pytest.mark.parametrize(("last_at", "kinds"), [(1019.0, ["network_out"]), (1020.0, ["silent"])])
def test_a_silence_that_began_when_the_promise_of_another_ended_has_another_moment(
    last_at: float, kinds: list[str]
) -> None:
    story = on_router(4)
    for node in (1, 2, 3):
        story.sends(silent=True, node=f"node-{node}", at=0)
    story.sends(silent=True, node="node-4", at=1)
    story.sends(silent=True, node="node-4", at=850)
    story.sends(silent=True, node="node-3", at=last_at)
    for at in range(1100, 4900, 300):
        story.sends(silent=True, node="node-4", at=at)
    assert [i.kind for i in story.alerts][:1] == kinds


def test_the_network_takes_over_a_silence_that_was_reported_before_it_was_known() -> None:
    story = on_router(3)
    story.sends(silent=True, node="node-1", at=1, next_s=6 * HOUR)
    story.sends(silent=True, node="node-2", at=2, next_s=6 * HOUR)
    story.sends(silent=True, node="node-3", at=3)
    story.passes(48 * HOUR)
    assert story.summary == ["opened silent!", "opened network_out!", "closed silent"]
    assert story.incidents[0].tank == "t2"
    assert story.incidents[2].figures["closed_why"] == "network_out"


@pytest.mark.parametrize(
    ("proofs", "weakest"),
    [(("sig", "sig"), "sig"), (("sig", "mac"), "mac"), (("mac", "sig"), "mac")],
)
def test_an_outage_is_as_well_proved_as_its_weakest_message(proofs: Any, weakest: str) -> None:
    story = on_router(2)
    for node, auth in enumerate(proofs, 1):
        story.sends(silent=True, node=f"node-{node}", at=node, auth=auth)
    story.passes(4 * HOUR)
    assert (story.incidents[0].kind, story.incidents[0].auth) == ("network_out", weakest)


def with_feed(registry: Registry, device: str) -> Registry:
    """The registry with one of its nodes a third party's, which signs nothing."""
    row = replace(registry.devices[device][0], key=None, unsigned=True)
    return replace(registry, devices={**registry.devices, device: (row,)})


def test_an_unsigned_feed_does_not_end_the_outage_of_nodes_that_sign() -> None:
    story = Story(with_feed(registry_of([ibc(t) for t in "abc"], uplink="router"), "node-3"))
    for node in (1, 2):
        story.sends(silent=True, node=f"node-{node}", at=node)
    story.passes(4 * HOUR)
    story.sends(silent=True, node="node-3", auth="unsigned")
    assert story.summary == ["opened network_out!"]
    story.sends(silent=True, node="node-1")
    assert story.summary == ["opened network_out!", "closed network_out"]


def test_an_unsigned_feed_ends_the_outage_of_unsigned_feeds() -> None:
    registry = registry_of([ibc(t) for t in "ab"], uplink="router")
    story = Story(with_feed(with_feed(registry, "node-1"), "node-2"))
    for node in (1, 2):
        story.sends(silent=True, node=f"node-{node}", at=node, auth="unsigned")
    story.passes(4 * HOUR)
    assert (story.incidents[0].kind, story.incidents[0].auth) == ("network_out", "unsigned")
    story.sends(silent=True, node="node-1", auth="unsigned")
    assert story.summary == ["opened network_out!", "closed network_out"]


def test_the_evidence_of_a_silence_makes_the_probability_that_is_told() -> None:
    story = stops_after(on_router(3), (1, 2), (3,))
    found = story.incidents[0]
    assert found.kind == "silent"
    assert found.probability == pytest.approx(1 - found.causes["network_out"])
    assert found.probability > 0.98
    assert weigh([])[0]["network_out"] > 1 - found.probability
