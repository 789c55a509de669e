"""Nodes that back off by WIRE.md behind uplinks, a broker and a gateway that fail at random.

What really happened is known here, so that a test can tell a right report from a wrong one.
"""

import heapq
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gateway.domain.inputs import JournaledMessage, ListeningChange, Tick, WatchInput
from gateway.domain.outputs import IncidentChange, WatchOutput
from gateway.domain.registry import Device, Registry, Tank
from gateway.domain.watch import Watch
from tests.unit.tank_story import T0, ibc

LONGEST_BACK_OFF_S = 8 * 3600
FIRST_RETRY_S = 120
HEARTBEAT_S = 600
"""After a crash, the gateway knows only that it ran until its last heartbeat."""


@dataclass
class Node:
    """A node: it sends in time, and doubles the wait after each attempt that fails."""

    name: str
    uplink: str
    next_s: int
    gone_at: float = float("inf")
    seq: int = 0
    failing_since: float | None = None
    last_sent: float = 0.0

    @property
    def is_gone(self) -> bool:
        """Whether it stops for ever at some time."""
        return self.gone_at < float("inf")


@dataclass(order=True)
class _Due:
    at: float
    number: int
    action: Callable[[], None] = field(compare=False)


class World:
    """Runs ``until`` a time; ``journal`` has what the gateway wrote, with its own clock's times.

    Times are true seconds since T0, until they are written by the gateway's clock.
    """

    def __init__(self, chance: random.Random, nodes: list[Node]) -> None:
        self.chance, self.nodes = chance, nodes
        self.down: set[str] = set()  # uplinks by name, "broker", "gateway"
        self.journal: list[tuple[float, WatchInput]] = []
        self.outages: list[tuple[str, float, float]] = []
        self.clock_error = 0.0
        self.now = 0.0
        self._queue: list[JournaledMessage] = []
        self._due: list[_Due] = []
        self._number = 0
        for node in nodes:
            self.at(chance.uniform(0, node.next_s), lambda n=node: self._attempt(n))

    def at(self, at: float, action: Callable[[], None]) -> None:
        """Let something happen at a time."""
        self._number += 1
        heapq.heappush(self._due, _Due(at, self._number, action))

    def outage(self, what: str, start: float, end: float, crash: bool = False) -> None:
        """An uplink, "broker" or "gateway" fails from ``start`` to ``end``."""
        self.outages.append((what, start, end))
        self.at(start, lambda: self._fail(what, crash))
        self.at(end, lambda: self._repair(what))

    def step_clock(self, at: float, seconds: float) -> None:
        """The gateway's clock is stepped; while the gateway is off it only shows another time."""
        self.at(at, lambda: self._step(seconds))

    def run(self, until: float) -> None:
        """Run, with the gateway's heartbeats."""
        beat = 0.0
        while beat < until:
            self.at(beat, lambda: self._write(Tick(0.0)))
            beat += HEARTBEAT_S
        while self._due and self._due[0].at <= until:
            due = heapq.heappop(self._due)
            self.now = due.at
            due.action()

    def _attempt(self, node: Node) -> None:
        if self.now >= node.gone_at:
            return
        if self.down & {node.uplink, "broker"}:
            if node.failing_since is None:
                node.failing_since = self.now
            wait = min(self.now - node.failing_since + FIRST_RETRY_S, LONGEST_BACK_OFF_S)
            self.at(self.now + wait, lambda: self._attempt(node))
            return
        node.failing_since, node.last_sent, node.seq = None, self.now, node.seq + 1
        message = JournaledMessage(
            node.name, f"tank-{node.name}", "aaaaaaaa", 1, node.seq, 0.0, node.next_s, True, "mac",
            3900, -60,
        )  # fmt: skip
        if "gateway" in self.down:
            self._queue.append(message)
        else:
            self._write(message)
        wait = node.next_s * self.chance.choice([0.97, 0.97, 0.97, self.chance.uniform(0.2, 1)])
        self.at(self.now + wait, lambda: self._attempt(node))

    def _fail(self, what: str, crash: bool) -> None:
        if what == "gateway" and not crash:
            self._change("stop")
        if what == "broker" and "gateway" not in self.down:
            self._change("lost")
        self.down.add(what)

    def _repair(self, what: str) -> None:
        self.down.discard(what)
        if what == "gateway":
            self._change("start")
            if "broker" in self.down:
                self._change("lost")
        if what in ("gateway", "broker") and not self.down & {"gateway", "broker"}:
            self._change("back")
            queue, self._queue = self._queue, []
            for message in queue:
                self._write(message)
            self._change("drained")

    def _step(self, seconds: float) -> None:
        if "gateway" in self.down:
            self.clock_error += seconds
            return
        before = self.label()
        self.clock_error += seconds
        change = ListeningChange("clock", 0.0, seconds)
        self.journal.append((min(before, self.label()), change))

    def label(self) -> float:
        """The time of the gateway's clock, Unix s."""
        return T0 + self.now + self.clock_error

    def _change(self, change: Any) -> None:
        self._write(ListeningChange(change, 0.0))

    def _write(self, event: WatchInput) -> None:
        if "gateway" not in self.down:
            self.journal.append((self.label(), event))

    def registry(self) -> Registry:
        """The nodes, each in its own tank."""
        tanks: dict[str, tuple[Tank, ...]] = {}
        devices: dict[str, tuple[Device, ...]] = {}
        for node in self.nodes:
            tank = f"tank-{node.name}"
            tanks[tank] = (ibc(tank),)
            row = Device(node.name, tank, key=bytes(32), uplink=node.uplink)
            devices[node.name] = (row,)
        return Registry(tanks=tanks, devices=devices)


def watched(world: World, restore_every: int = 0) -> list[WatchOutput]:
    """The watch's outputs; with ``restore_every``, saved and restored after so many entries."""
    registry, saved, outputs = world.registry(), dict[str, Any](), list[WatchOutput]()
    watch = Watch(registry)
    for count, (at, entry) in enumerate(world.journal, 1):
        event = entry._replace(received=at) if isinstance(entry, JournaledMessage) else entry
        if isinstance(event, ListeningChange):
            event = ListeningChange(event.change, at, event.step_s)
        outputs += watch.step(event, at)
        if restore_every and count % restore_every == 0:
            changed = json.loads(msgspec.json.encode(watch.dirty()))
            saved = {k: v for k, v in (saved | changed).items() if v is not None}
            watch = Watch(registry, saved)
    return outputs


def opened(outputs: list[WatchOutput], *kinds: str) -> list[IncidentChange]:
    """The incidents of these kinds that were opened."""
    found = [o for o in outputs if isinstance(o, IncidentChange) and o.change == "opened"]
    return [i for i in found if i.kind in kinds]
