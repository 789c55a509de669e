"""A broker, one or two gateways and all nodes of some stories, on a clock that runs fast."""

import hashlib
import heapq
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import paho.mqtt.client as paho
import sqlalchemy as sa
from paho.mqtt.enums import CallbackAPIVersion

from gateway import settings as settings_module
from gateway.cluster import tables
from gateway.database.engine import open_database
from gateway.database.tables import incident, outbox
from gateway.runtime.clock import Clock
from tests.integration.running_gateway import RunningGateway
from tests.parts.mosquitto_service import Mosquitto
from tests.stories.script import DeviceStory, Wake
from tests.wire_node.sealed import Ring

RESEND_WAIT_S = 0.5
"""How long a node waits for an ack before it resends the messages that the last one left."""


def clock_at(start: float, speed: float) -> Clock:
    """A clock that shows ``start`` (Unix s) now and runs ``speed`` times as fast."""
    return Clock(speed, (time.time() * speed - start) / (speed - 1))


class Fleet:
    """All nodes of a world on one connection; each has its own ring (WIRE.md)."""

    def __init__(
        self, port: int, stories: Sequence[DeviceStory], clock: Clock, start: float
    ) -> None:
        self.nodes = {t.device: _Node(t, start) for t in stories}
        self._clock = clock
        self._start = start
        self._lock = threading.Lock()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="nodes")
        self._client.max_inflight_messages_set(0)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("noria/1/+/ack", 1)
        self._client.loop_start()

    def wake(self, device: str, wake: Wake) -> None:
        """Seal and publish a new message; ``resend`` follows for those without an ack."""
        node = self.nodes[device]
        with self._lock:
            self._publish(node, node.seal(wake))
            node.resend_at = time.monotonic() + RESEND_WAIT_S

    def resend(self) -> None:
        """Resend messages without an ack from nodes whose wait is over, once for each wake."""
        now = time.monotonic()
        with self._lock:
            for node in self.nodes.values():
                if node.resend_at <= now:
                    node.resend_at = float("inf")
                    for message in node.ring.sealed[node.ring.freed : -1]:
                        self._publish(node, message)

    def unacked(self) -> int:
        """How many messages have no ack."""
        with self._lock:
            return sum(len(n.ring.sealed) - n.ring.freed for n in self.nodes.values())

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def _publish(self, node: "_Node", message: object) -> None:
        self._client.publish(node.ring.topic, node.ring.payload(message), qos=1)

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        node = self.nodes[message.topic.split("/")[2]]
        with self._lock:
            node.receive_ack(bytes(message.payload))


class _Node:
    def __init__(self, story: DeviceStory, start: float) -> None:
        key = hashlib.sha256(story.device.encode()).digest()
        self.story = story
        self.start = start
        self.ring = Ring(story.device, key, era=story.device + "a")
        self.resend_at = float("inf")
        self.went_back = 0
        self._acked = (0, 0)
        self._at: dict[tuple[int, int], int] = {}

    def seal(self, wake: Wake) -> object:
        at = wake.at if wake.sealed is None else wake.sealed
        fields = dict(wake.fields) | {"up": int(at) + 1000, "ta": 60, "old": [1, 1]}
        fields |= {} if self.story.clock else {"ts": "none"}
        message = self.ring.seal(self.start + at if self.story.clock else 0, **fields)
        self._at[message.place] = len(self.ring.sealed)
        return message

    def receive_ack(self, payload: bytes) -> None:
        ack = json.loads(payload.split(b"\n")[0])
        place = (ack["boot"], ack["seq"])
        self.went_back += place < self._acked
        self._acked = max(self._acked, place)
        covered = self._at.get(place)
        if covered is not None and self.ring.sealed[covered - 1].h == ack["h"]:
            self.ring.freed = max(self.ring.freed, covered)


@dataclass(frozen=True)
class Alert:
    """A message about this tank or uplink, of this kind: when the watch decided it, and when it
    was sent. Both in real seconds of the run.
    """

    subject: str
    kind: str
    made: float
    sent: float


class World:
    """Gateways with the same clock on one broker, and the nodes of the stories."""

    def __init__(
        self, folder: Path, broker: Mosquitto, stories: Sequence[DeviceStory],
        database: Iterable[str], clock: Clock, start: float,
    ) -> None:  # fmt: skip
        self.clock, self.start = clock, start
        self.broker = broker
        self._stories = stories
        self.gateways = [
            RunningGateway(
                folder / f"g{n}",
                f'gateway_id = "g{n}"\nbroker = "{broker.url}"\nchannels = ["log"]\n'
                f"clock_speed = {clock.speed!r}\nclock_origin = {clock.origin!r}\n{lines}",
            )
            for n, lines in enumerate(database, 1)
        ]
        self._enrol()
        self.fleet: Fleet | None = None

    def begin(self) -> Fleet:
        """Start the gateways, then connect the nodes."""
        for gateway in self.gateways:
            gateway.start()
        self.fleet = Fleet(self.broker.port, self._stories, self.clock, self.start)
        return self.fleet

    def end(self) -> None:
        """Stop everything."""
        if self.fleet is not None:
            self.fleet.close()
        for gateway in self.gateways:
            gateway.stop()

    def alerts(self) -> list[Alert]:
        """All alerts, in order."""
        engine = self._engine()
        columns = outbox.c.change, outbox.c.made, outbox.c.sent
        query = sa.select(*columns).where(outbox.c.channel == "log").order_by(outbox.c.made)
        with engine.connect() as connection:
            rows = connection.execute(query).all()
        engine.dispose()
        return [
            Alert(
                row.change["tank"] or row.change["uplink"],
                row.change["kind"],
                self._real(row.made),
                self._real(row.made if row.sent is None else row.sent),
            )
            for row in rows
        ]

    def has_finished_until(self, at: float) -> bool:
        """Whether all entries up to ``at`` (Unix s) are applied and all alerts are sent."""
        found = self.gateways[0].glance()
        if found["projections"].get("watch", {"lag": 1})["lag"] or found["outbox"]["waiting"]:
            return False
        if "gateways" not in found:
            return True
        engine = self._engine()
        with engine.connect() as connection:
            reached = connection.execute(sa.select(tables.horizon.c.at)).scalar() or 0.0
        engine.dispose()
        return reached >= at

    def _real(self, at: float) -> float:
        return (at - self.start) / self.clock.speed

    def acks_back(self) -> int:
        """How often a node received an ack below an earlier one."""
        return sum(n.went_back for n in self.fleet.nodes.values()) if self.fleet else 0

    def incidents(self, until_s: float) -> Counter[tuple[str, str]]:
        """(tank or uplink, kind) of every incident that opened by then (real s of the run)."""
        engine = self._engine()
        with engine.connect() as connection:
            made = self.start + until_s * self.clock.speed
            rows = connection.execute(sa.select(incident).where(incident.c.opened <= made)).all()
        engine.dispose()
        return Counter((row.tank or row.uplink, row.kind) for row in rows)

    def _engine(self) -> sa.Engine:
        return open_database(settings_module.read(self.gateways[0].config))

    def _enrol(self) -> None:
        lines = ['[[site]]\nid = "north"']
        for story in self._stories:
            key = hashlib.sha256(story.device.encode()).hexdigest()
            lines.append(
                f'[[tank]]\nid = "{story.tank}"\nsite = "north"\nshape = "ibc1000"\n'
                "sensor_height_mm = 1100\nempty_l = 20\ntaps = 4\n"
                f'[[device]]\nid = "{story.device}"\ntank = "{story.tank}"\nkey = "{key}"\n'
                + (f'uplink = "{story.uplink}"' if story.uplink else "")
            )
        file = self.gateways[0].folder / "registry.toml"
        file.write_text("\n".join(lines), "utf-8")
        self.gateways[0].noria("registry", "import", str(file))


@dataclass(frozen=True)
class Kill:
    """At ``at`` (seconds of the stories) gateway number ``gateway`` of the last world is killed
    with -9, and started again ``away_s`` real seconds later.
    """

    at: float
    gateway: int
    away_s: float = 3.0


def play(
    worlds: Sequence[World],
    stories: Sequence[DeviceStory],
    clock: Clock,
    start: float,
    kills: Sequence[Kill] = (),
) -> None:
    """Send every wake to every world at the same moment; returns after the last one."""
    coming = [(w.at, one.device, n) for one in stories for n, w in enumerate(one.wakes)]
    heapq.heapify(coming)
    wakes = {one.device: one.wakes for one in stories}
    fleets = [world.fleet for world in worlds if world.fleet is not None]
    killers = [_killer(worlds[-1], kill, clock, start) for kill in kills]
    while coming:
        at, device, n = coming[0]
        wait_s = clock.real_s(start + at - clock.now())
        for fleet in fleets:
            fleet.resend()
        if wait_s > 0:
            time.sleep(min(wait_s, 0.02))  # the stories' own time, no synchronisation
            continue
        heapq.heappop(coming)
        for fleet in fleets:
            fleet.wake(device, wakes[device][n])
    for killer in killers:
        killer.join()


def _killer(world: World, kill: Kill, clock: Clock, start: float) -> threading.Thread:
    def run() -> None:
        time.sleep(max(0.0, clock.real_s(start + kill.at - clock.now())))
        gateway = world.gateways[kill.gateway]
        gateway.kill()
        time.sleep(kill.away_s)
        gateway.start()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread
