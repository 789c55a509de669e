"""An attacker with a device's credentials on the real private Mosquitto.

With any client id, MQTT version or trick, the attacker reads and writes no topic of others, and
costs neither messages nor the gateway's session.
"""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.mqtt.broker import login
from tests.integration.running_gateway import RunningGateway
from tests.parts import require
from tests.parts.services import free_port, until
from tests.wire_node.node import Node
from tests.wire_node.sealed import Ring

OURS, THEIRS = bytes(range(32)), bytes(range(32, 64))
V311, V5 = MQTTProtocolVersion.MQTTv311, MQTTProtocolVersion.MQTTv5
FOREIGN = (
    "#", "+/#", "noria/#", "noria/1/#", "noria/1/+/up", "noria/1/+/ack", "noria/1/+/down",
    "+/+/+/+",
    "noria/1/bbbbbb/#", "noria/1/bbbbbb/up", "noria/1/bbbbbb/ack", "noria/1/bbbbbb/down",
    "noria/1/bbbbbb/status", "noria/1/live/#", "noria/1/gw/#", "noria/1/gw/g1/drained", "$SYS/#",
    "$SYS/broker/clients/connected", "$CONTROL/#", "$CONTROL/dynamic-security/v1/response",
    "$share/g/noria/1/+/up", "$share/g/noria/1/bbbbbb/up", "$share/noria-gateway/noria/1/+/up",
    "$share/g/noria/1/bbbbbb/ack", "$share/g/#", "noria/1/aaaaaa/up", "noria/1/aaaaaa/#",
)  # fmt: skip
CLIENT_IDS = (
    "aaaaaa", "bbbbbb", "noria-gateway", "noria-gateway-g1", "noria-admin", "noria-reader", "",
    "$SYS", "$noria", "#", "a/b", "x" * 65_535, "naïve-💧",
)  # fmt: skip


@dataclass
class Thief:
    """A client with the credentials of device ``aaaaaa``; ``received`` are all its messages."""

    port: int
    client_id: str
    version: MQTTProtocolVersion = V311
    will: tuple[str, bytes, bool] | None = None
    received: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    granted: dict[int, bool] = field(default_factory=dict[int, bool])
    outcome: str = ""
    done: set[int] = field(default_factory=set[int])

    def __enter__(self) -> "Thief":
        # A persistent session is worth more to a thief; an empty client id does not allow one.
        clean = None if self.version == V5 else not self.client_id
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2, self.client_id, clean, protocol=self.version,
            reconnect_on_failure=False,
        )  # fmt: skip
        self.client.username_pw_set("aaaaaa", login(OURS))
        if self.will:
            self.client.will_set(self.will[0], self.will[1], qos=1, retain=self.will[2])
        self.client.on_connect = self._connected
        self.client.on_message = lambda _c, _d, m: self.received.append((m.topic, bytes(m.payload)))
        self.client.on_subscribe = self._subscribed
        self.client.on_publish = lambda _c, _d, mid, _r, _p: self.done.add(mid)
        self.client.on_disconnect = self._disconnected
        self.client.connect("127.0.0.1", self.port)
        self.client.loop_start()
        until(lambda: bool(self.outcome), 5, "an answer to CONNECT")
        return self

    def __exit__(self, *_given: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    @property
    def is_in(self) -> bool:
        return self.outcome == "Success"

    def may_read(self, topic: str) -> bool:
        _, mid = self.client.subscribe(topic, 1)
        assert mid is not None
        until(lambda: mid in self.granted or not self.is_in, 5, f"SUBACK for {topic}")
        return self.granted.get(mid, False)

    def write(self, topic: str, payload: bytes, properties: Properties | None = None) -> None:
        for retain in (False, True):
            info = self.client.publish(topic, payload, 1, retain, properties)
            until(lambda mid=info.mid: mid in self.done or not self.is_in, 5, "PUBACK")

    def vanish(self) -> None:
        """Cut the connection, so that the broker publishes the will."""
        sock = self.client.socket()
        assert isinstance(sock, socket.socket)
        sock.shutdown(socket.SHUT_RDWR)

    def _connected(self, _c: object, _d: object, _f: object, reason: object, _p: object) -> None:
        self.outcome = str(reason)

    def _subscribed(self, _c: object, _d: object, mid: int, reasons: list[Any], _p: object) -> None:
        self.granted[mid] = not reasons[0].is_failure

    def _disconnected(self, *_given: object) -> None:
        self.outcome = self.outcome if self.outcome not in ("", "Success") else "cut"


class Place:
    """A gateway with its private broker, a stolen device and another one."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.gateway = RunningGateway(folder, f'broker_listen = "127.0.0.1:{self.port}"\n')
        self.gateway.enrol({"aaaaaa": OURS, "bbbbbb": THEIRS})
        self.gateway.start()
        password = (folder / "data" / "broker" / "noria-gateway.password").read_text("ascii")
        self._gateway_password = password.strip()
        self.other = Node("bbbbbb", THEIRS, self.port, login(THEIRS))
        assert self.other.connection(1, time.time)

    def untouched(self) -> dict[str, Any]:
        """Assert that the thief had no effect, and return the status."""
        glance = self.gateway.glance()
        assert glance["broker"]["connected"]
        assert "was lost" not in self.gateway.log.read_text("utf-8")
        assert self.other.connection(1, time.time), "the other device is acknowledged"
        kept = self.gateway.exported()
        assert {line["topic"] for line in kept} == {"noria/1/bbbbbb/up"}
        assert len(kept) == len(self.other.ring.sealed)
        return glance

    def retained(self) -> dict[str, bytes]:
        """All retained messages, read with the gateway's login."""
        found: dict[str, bytes] = {}
        ended = threading.Event()
        # This ends the gateway's session, so it comes last.
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="noria-gateway")
        client.username_pw_set("noria-gateway", self._gateway_password)

        def receive(_c: object, _d: object, message: paho.MQTTMessage) -> None:
            if message.topic == "noria/1/test/end":
                ended.set()
            elif message.retain:
                found[message.topic] = bytes(message.payload)

        client.on_message = receive
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        client.subscribe("noria/1/#", 1)
        client.publish("noria/1/test/end", b"x", 1)
        assert ended.wait(5)
        client.disconnect()
        client.loop_stop()
        return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    require("mosquitto")
    made = Place(tmp_path / "noria")
    yield made
    made.gateway.stop()


@pytest.mark.parametrize("version", [V311, V5], ids=["3.1.1", "5"])
@pytest.mark.timeout(120)
def test_with_any_client_id_it_reads_no_foreign_topic_and_takes_no_session(
    place: Place, version: MQTTProtocolVersion
) -> None:
    admitted = 0
    for client_id in CLIENT_IDS:
        with contextlib.suppress(OSError, ValueError), Thief(place.port, client_id, version) as it:
            if not it.is_in:
                continue
            admitted += 1
            granted = [topic for topic in FOREIGN if it.may_read(topic)]
            assert granted == [], client_id[:40]
            assert place.other.connection(1, time.time), client_id[:40]
            assert it.received == [], client_id[:40]
    assert admitted >= len(CLIENT_IDS) - 3
    place.untouched()


@pytest.mark.timeout(120)
def test_it_writes_no_foreign_topic_by_publish_alias_or_will(place: Place) -> None:
    foreign = ("noria/1/bbbbbb/up", "noria/1/bbbbbb/ack", "noria/1/bbbbbb/down",
               "noria/1/bbbbbb/status", "noria/1/aaaaaa/ack", "noria/1/aaaaaa/down",
               "noria/1/live/north-1", "noria/1/gw/g1/drained", "$SYS/broker/uptime",
               "$CONTROL/dynamic-security/v1", "noria/1/none22/up")  # fmt: skip
    command = {"commands": [{"command": "createClient", "username": "eve", "password": "eve"}]}
    payload_sent = json.dumps(command).encode()
    for version in (V311, V5):
        with Thief(place.port, "aaaaaa", version) as it:
            for topic in foreign:
                it.write(topic, payload_sent)
        for topic in foreign:
            with Thief(place.port, "aaaaaa", version, will=(topic, payload_sent, True)) as it:
                it.vanish()
    _by_alias(place, payload_sent)
    glance = place.untouched()
    assert sum(glance["refused"].values()) == 0, "the gateway received none of it"
    for user, password in (("eve", "eve"), ("bbbbbb", "eve")):
        with socket.create_connection(("127.0.0.1", place.port)):
            assert not _logs_in(place.port, user, password)
    kept = place.retained()
    assert {topic for topic, payload in kept.items() if payload == payload_sent} == set()
    assert set(kept) <= {"noria/1/bbbbbb/ack", "noria/1/live/north-1"}


def _by_alias(place: Place, payload_sent: bytes) -> None:
    """MQTT 5: an alias made on its own topic, and one that was never made."""
    with Thief(place.port, "aaaaaa", V5) as it:
        properties = Properties(PacketTypes.PUBLISH)
        properties.TopicAlias = 1
        it.client.publish("noria/1/bbbbbb/up", payload_sent, 1, False, properties)
        it.client.publish("noria/1/aaaaaa/status", b"{}", 1, False, properties)
        it.client.publish("noria/1/bbbbbb/ack", payload_sent, 1, True, properties)
        properties = Properties(PacketTypes.PUBLISH)
        properties.TopicAlias = 9
        properties.ResponseTopic = "noria/1/bbbbbb/ack"
        it.client.publish("noria/1/bbbbbb/down", payload_sent, 1, True, properties)
        until(lambda: len(it.done) >= 4 or not it.is_in, 5, "four answers, or the end")


def _logs_in(port: int, user: str, password: str) -> bool:
    outcome: list[str] = []
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=user)
    client.username_pw_set(user, password)
    client.on_connect = lambda _c, _d, _f, reason, _p: outcome.append(str(reason))
    client.connect("127.0.0.1", port)
    client.loop_start()
    until(lambda: bool(outcome), 5, "an answer")
    client.disconnect()
    client.loop_stop()
    return outcome[0] == "Success"


@pytest.mark.timeout(120)
def test_a_thief_loses_no_message_that_waits_for_the_gateway(place: Place) -> None:
    place.gateway.pause()
    ring = place.other.ring
    node = Node("bbbbbb", THEIRS, place.port, login(THEIRS))
    node.ring = ring
    node.connection(20, time.time, wait_s=0.2)
    for version in (V311, V5):
        for client_id in ("noria-gateway", "noria-gateway-g1"):
            with Thief(place.port, client_id, version) as it:
                assert it.received == []
                it.client.unsubscribe("noria/1/+/up")
    place.gateway.resume()
    until(lambda: place.gateway.glance()["received"]["stored"] == len(ring.sealed), 10, "all of it")
    place.untouched()


@pytest.mark.timeout(120)
def test_a_password_is_refused_with_another_user(place: Place) -> None:
    for user in ("bbbbbb", "noria-gateway", "noria-admin", "noria-reader", "", "aaaaaa "):
        assert not _logs_in(place.port, user, login(OURS)), user
    assert _logs_in(place.port, "aaaaaa", login(OURS))
    stolen = Ring("bbbbbb", OURS)  # signed for another device, on its own topic
    with Thief(place.port, "aaaaaa") as it:
        it.write("noria/1/aaaaaa/up", stolen.payload(stolen.seal(time.time())).encode())
    until(lambda: place.gateway.glance()["refused"]["bad_mac"] == 2, 10, "both are refused")
    place.untouched()
