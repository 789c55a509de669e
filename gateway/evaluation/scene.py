"""The simulation of one story: an event queue, tanks, nodes, networks and the gateway's own times.

Everything follows from ``random``; there is no other clock than the scene's own.
"""

import hashlib
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import msgspec

from gateway.domain.registry import Device, Plan, PlanKind, Registry, Site, Tank
from gateway.evaluation.nodes import Node
from gateway.evaluation.people import Crowd
from gateway.evaluation.physics import Stream, WaterBody, circle_mm2, outflow_lps
from gateway.evaluation.truth import (
    HOUR_S,
    FaultSpell,
    TrueCause,
    TrueRefill,
    Truth,
)

_TICK_S = 6 * HOUR_S
_TAP_MM2 = circle_mm2(15.0)
_PATIENCE_S = 2700.0  # people wait no longer for a free tap


@dataclass(slots=True)
class StoryTank:
    """One tank of the scene with its water and its node; ``is_there`` until it is taken."""

    row: Tank
    body: WaterBody
    node: Node
    share: float = 1.0  # of the site's people
    ease: float = 0.6  # of the open taps' flow that people take: cans change hands
    is_there: bool = True
    free_at: float = 0.0
    closed_until: float = 0.0  # nobody refills it before
    levels: list[tuple[float, float, float, float]] = field(
        default_factory=list[tuple[float, float, float, float]]
    )
    receipts: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    @property
    def name(self) -> str:
        """The tank's id."""
        return self.row.id


@dataclass(slots=True)
class Scene:
    """One story in the making, from ``start`` to ``end`` (Unix s)."""

    random: Random
    start: float
    end: float
    places: dict[str, StoryTank] = field(default_factory=dict[str, StoryTank])
    plans: list[Plan] = field(default_factory=list[Plan])
    causes: list[TrueCause] = field(default_factory=list[TrueCause])
    refills: list[TrueRefill] = field(default_factory=list[TrueRefill])
    outages: dict[str, list[tuple[float, float]]] = field(
        default_factory=dict[str, list[tuple[float, float]]]
    )
    gateway_stops: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    now: float = 0.0
    _lines: list[tuple[float, int, bytes]] = field(default_factory=list[tuple[float, int, bytes]])
    _queue: list[tuple[float, int, Callable[[], None]]] = field(
        default_factory=list[tuple[float, int, Callable[[], None]]]
    )
    _count: int = 0

    def __post_init__(self) -> None:
        """The clock starts at the beginning."""
        self.now = self.start

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Run ``action`` at ``when``; nothing happens after the end."""
        self._count += 1
        heapq.heappush(self._queue, (max(when, self.now), self._count, action))

    def run(self) -> None:
        """Let all of it happen."""
        for place in self.places.values():
            self._wake_after(place, self.random.uniform(5, place.node.interval_s))
        while self._queue and self._queue[0][0] < self.end:
            self.now, _, action = heapq.heappop(self._queue)
            action()
        self.now = self.end
        tick = self.start + _TICK_S
        while tick < self.end:
            self.line(tick, {"tick": True})
            tick += _TICK_S
        self.line(self.end, {"tick": True})

    # Water

    def gather(self, crowd: Crowd, names: list[str]) -> None:
        """Let ``crowd`` draw at these tanks from now on, hour by hour."""

        def hour() -> None:
            for at, litres in crowd.bursts(self.now):
                self.at(at, lambda litres=litres: self._draw(names, litres))
            self.at(self.now + HOUR_S, hour)

        self.at(self.start // HOUR_S * HOUR_S + HOUR_S, hour)

    def _draw(self, names: list[str], litres: float) -> None:
        """A burst at one of the tanks that have water."""
        for place in (places := [self.places[n] for n in names]):
            place.body.advance(self.now)
        wet = [p for p in places if p.is_there and p.body.litres > p.row.empty_l + 5]
        if not wet:
            return
        place = self.random.choices(wet, [p.share for p in wet])[0]
        begin = max(self.now, place.free_at)
        if begin - self.now < _PATIENCE_S:
            head = max(place.body.level_mm, 150.0)
            lps = place.row.taps * outflow_lps(_TAP_MM2, head) * place.ease
            lps = min(lps, litres / 40.0)  # one can takes at least 40 s
            place.free_at = begin + litres / lps
            self.stream(place, begin, litres / lps, lps, into=False)

    def stream(
        self, place: StoryTank, begin: float, seconds: float, lps: float, *, into: bool
    ) -> None:
        """A steady flow into or out of a tank."""

        def start() -> None:
            place.body.advance(self.now)
            if place.is_there:
                place.body.streams.append(Stream(self.now + seconds, lps, into))

        self.at(begin, start)

    def all_taps_lps(self, place: StoryTank) -> float:
        """The flow of all open taps of a tank at its level now."""
        return place.row.taps * outflow_lps(_TAP_MM2, max(place.body.level_mm, 10.0))

    # Nodes and networks

    def _wake_after(self, place: StoryTank, seconds: float) -> None:
        place.node.wake_number += 1
        number = place.node.wake_number
        self.at(self.now + seconds, lambda: self._wake(place, number))

    def _wake(self, place: StoryTank, number: int) -> None:
        node = place.node
        if not node.alive or number != node.wake_number:
            return
        place.body.advance(self.now)
        body = place.body
        node.measure(self.now, body.level_mm)
        place.levels.append((self.now, body.litres, body.drawn_l, body.lost_l))
        if node.wants_to_report(self.now):
            self.publish(place)
        self._wake_after(place, max(node.next_wake_s(self.now), 10.0))

    def switch_on(self, place: StoryTank) -> None:
        """Start a node that belongs to no tank of the registry's own."""
        self._wake_after(place, 5.0)

    def wake_now(self, place: StoryTank, after_s: float = 0.5) -> None:
        """An event wakes the node: it measures and speaks at once."""
        place.node.urgent = True
        self._wake_after(place, after_s)

    def publish(self, place: StoryTank) -> None:
        """Send what the node has, if its network is there."""
        node = place.node
        if self.is_out(node.device) or self.is_out(node.uplink) or self.is_out("broker"):
            node.fail(self.now)
            return
        sent_at = self.now + self.random.uniform(1.0, 6.0)
        newest = node.newest_at
        for payload in node.seal(self.now):
            received = self._received(sent_at)
            place.receipts.append((received, newest))
            self.write(received, node.line(received, payload))
            if self.random.random() < 0.005:  # no PUBACK arrived: sent again, byte for byte
                again = self._received(sent_at + self.random.uniform(5, 60))
                self.write(again, node.line(again, payload))
            sent_at += self.random.uniform(0.05, 0.4)

    def is_out(self, what: str | None) -> bool:
        """Whether an uplink, a node's own radio or the broker is out of order now."""
        spells = self.outages.get(what or "", ())
        return any(start <= self.now < end for start, end in spells)

    def cut_off(self, what: str, start: float, end: float) -> None:
        """An outage of an uplink, of one node's radio, or of the broker."""
        self.outages.setdefault(what, []).append((start, end))

    def _received(self, sent_at: float) -> float:
        """While the gateway is down, the broker keeps messages for it."""
        for start, end in self.gateway_stops:
            if start <= sent_at < end:
                return end + 1.0 + (sent_at - start) / max(end - start, 1.0) * 20.0
        return sent_at

    def write(self, received: float, line: bytes) -> None:
        """Add a line of the recording."""
        self._count += 1
        if received <= self.end:
            self._lines.append((received, self._count, line))

    def line(self, received: float, fields: dict[str, object]) -> None:
        """Add a line that is no message."""
        self.write(received, msgspec.json.encode({"received": round(received, 3), **fields}))

    def lines(self) -> list[bytes]:
        """The recording, in order of receipt."""
        return [line for _, _, line in sorted(self._lines)]

    # Truth

    def plan(self, tank: str, start: float, end: float, kind: PlanKind) -> None:
        """A row in the registry's plans."""
        self.plans.append(Plan(tank, round(start), round(end), kind))

    def registry(self) -> Registry:
        """The rows that describe the scene's tanks and nodes."""
        sites = {p.row.site: (Site(p.row.site, "aaaaaaaa"),) for p in self.places.values()}
        devices = {
            p.node.device: (
                Device(
                    p.node.device, p.name, key=_key_of(p.node.device), uplink=p.node.uplink,
                    sensor="jsn-sr04t" if p.node.sensor.blind_mm > 100 else "a02yyuw",
                    temp_comp="sensor" if p.node.sensor.declared else "gateway",
                ),
            )
            for p in self.places.values()
        }  # fmt: skip
        plans: dict[str, tuple[Plan, ...]] = {}
        for plan in sorted(self.plans, key=lambda p: p.start):
            plans[plan.tank] = (*plans.get(plan.tank, ()), plan)
        tanks = {p.name: (p.row,) for p in self.places.values()}
        return Registry(sites=sites, tanks=tanks, devices=devices, plans=plans)

    def truth(self) -> Truth:
        """All that happened."""
        places = self.places.values()
        spells = [
            FaultSpell(p.name, kind, start, end)
            for p in places
            for start, end, kind in p.node.sensor.faults
        ]
        limits = {
            p.name: (p.row.capacity_l * p.row.low_pct / 100, p.row.empty_l) for p in places
        }  # fmt: skip
        return Truth(
            self.start, self.end, list(self.causes), list(self.refills), spells,
            {p.name: p.levels for p in places}, limits,
            {p.name: p.body.drawn_by_hour for p in places},
            {p.name: p.receipts for p in places},
        )  # fmt: skip


def _key_of(device: str) -> bytes:
    """A key of its own for each device, as a registry requires; the messages are unsigned."""
    return hashlib.sha256(device.encode()).digest()
