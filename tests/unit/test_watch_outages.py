"""Random outages of uplinks, broker and gateway: who is reported, and who must not be."""

import random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.domain.outputs import IncidentChange, WatchOutput
from tests.unit.outage_world import HEARTBEAT_S, Node, World, opened, watched
from tests.unit.tank_story import HOUR, T0

EXAMPLES = settings(max_examples=12)
LENGTHS = [30, 300, 1200, 2400, HOUR, 3 * HOUR, 6 * HOUR, 14 * HOUR]
STEPS = [5, 60, HOUR, 5 * HOUR]
WITNESS_S = HOUR
"""How long an outage that nothing proves may delay a report."""
SEEDS = st.integers(0, 2**32)


def nodes_on_uplinks(chance: random.Random) -> list[Node]:
    """Two to eight nodes on each of one or two uplinks; some are gone one day."""
    next_s = chance.choice([600, 900, 3600])
    return [
        Node(f"n{uplink}{n}", f"up{uplink}", next_s)
        for uplink in range(chance.choice([1, 2]))
        for n in range(chance.choice([2, 3, 5]))
    ]


def world_of(seed: int, clock: bool = False) -> World:
    """Some outages, with the time to come back from each; ``clock``: also steps of the clock.

    An outage that begins while a node still backs off after another one, and is too short to
    make any other node late, cannot be known.
    """
    chance = random.Random(seed)
    nodes = nodes_on_uplinks(chance)
    next_s, world = nodes[0].next_s, World(chance, nodes)
    at = end = chance.uniform(4, 8) * next_s
    for _ in range(chance.choice([2, 3, 4])):
        lasts = chance.choice(LENGTHS) * chance.uniform(0.7, 1.3)
        what = chance.choice([*(node.uplink for node in nodes), "broker", "gateway", "gateway"])
        world.outage(what, at, at + lasts, crash=chance.random() < 0.4)
        if clock and chance.random() < 0.5:
            step = chance.choice([-1, 1]) * chance.choice(STEPS)
            world.step_clock(chance.uniform(at, at + lasts + 600), step)
        end = at + lasts
        at = end + 1.1 * min(lasts, 8 * HOUR) + 4 * next_s + chance.uniform(0, 3 * HOUR)
    for node in nodes:
        if chance.random() < 0.1:
            node.gone_at = chance.uniform(4 * next_s, at)
    world.run(end + 16 * HOUR)
    return world


def wrongly_silent(world: World, outputs: list[WatchOutput]) -> list[IncidentChange]:
    """Silences reported of nodes that are there, and had a neighbour that could show it."""
    found: list[IncidentChange] = []
    for incident in opened(outputs, "silent", "battery"):
        node = next(n for n in world.nodes if incident.tank == f"tank-{n.name}")
        others = [n for n in world.nodes if n.uplink == node.uplink and n is not node]
        alone = all(other.gone_at < incident.received - T0 + 6 * HOUR for other in others)
        if not node.is_gone and not alone:
            found.append(incident)
    return found


@EXAMPLES
@example(seed=78882149, clock=True)  # the clock is set back while an uplink is out
@example(seed=418, clock=True)  # it is set ahead while a node backs off
@given(SEEDS, st.booleans())
def test_a_node_that_backs_off_by_the_contract_is_never_called_silent(
    seed: int, clock: bool
) -> None:
    world = world_of(seed, clock)
    assert wrongly_silent(world, watched(world)) == []


@EXAMPLES
@given(SEEDS)
def test_a_node_that_is_gone_is_reported_in_time(seed: int) -> None:
    world = world_of(seed)
    outputs = watched(world)
    changes = [o for o in outputs if isinstance(o, IncidentChange)]
    for node in (n for n in world.nodes if n.is_gone):
        since = T0 + node.last_sent
        about = [i for i in changes if i.tank == f"tank-{node.name}" or i.uplink == node.uplink]
        of_it = (node.uplink, "broker", "gateway")
        met = [b - a for what, a, b in world.outages if what in of_it and b > node.last_sent]
        credit = sum(2 * HEARTBEAT_S + lasted + min(lasted, 8 * HOUR) for lasted in met)
        by = since + 3 * node.next_s + max(120, 0.05 * node.next_s) + credit + WITNESS_S
        assert any(since < i.received <= by for i in about), (node, by - T0, world.outages)


@EXAMPLES
@given(SEEDS)
def test_one_outage_of_an_uplink_is_at_most_one_incident(seed: int) -> None:
    world = world_of(seed)
    reported = opened(watched(world), "network_out")
    for what, start, end in world.outages:
        during = [i for i in reported if i.uplink == what and start < i.received - T0 < end]
        assert len(during) <= 1
        of_two = sum(not n.is_gone for n in world.nodes if n.uplink == what) >= 2
        if of_two and end - start > 3.1 * world.nodes[0].next_s + 1020 + WITNESS_S:
            assert len(during) == 1


@EXAMPLES
@given(SEEDS, st.integers(1, 40))
def test_a_state_saved_and_restored_anywhere_reports_the_same(seed: int, every: int) -> None:
    world = world_of(seed, clock=True)
    assert watched(world) == watched(world, restore_every=every)
