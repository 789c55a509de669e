"""What is refused, repeated, malformed or mistimed, through a real Mosquitto and the command."""

import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.integration.running_gateway import RunningGateway
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until
from tests.wire_node.sealed import Ring, mac

KEY, GONE_KEY = secrets.token_bytes(32), secrets.token_bytes(32)
ACK = "noria/1/k7f3q5/ack"


class Wire:
    """A gateway on a real broker, and a client that publishes any payload."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.gateway = RunningGateway(folder, f'broker = "{broker.url}"\n')
        self.gateway.enrol({"k7f3q5": KEY, "gone22": GONE_KEY})
        self.gateway.start()
        # Until then, the gateway may publish all acks a second time.
        until(lambda: '"drained"' in self.gateway.noria("journal", "export"), 15, "drained")
        self.ring = Ring("k7f3q5", KEY)
        self.acks: list[dict[str, Any]] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._keep
        self._client.on_connect = self._connected
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def _connected(self, client: paho.Client, *_: object) -> None:
        client.subscribe("noria/1/+/ack", 1)

    def publish(self, payload: str, topic: str = "noria/1/k7f3q5/up") -> None:
        self._client.publish(topic, payload, qos=1).wait_for_publish(5)

    def counted(self, part: str, name: str, count: int) -> None:
        until(lambda: self.gateway.glance()[part][name] == count, 10, f"{count} {name}")

    def _keep(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        text, proof = message.payload.decode().split("\n")
        key = GONE_KEY if "gone22" in message.topic else KEY
        assert proof == mac(key, message.topic, text)
        self.acks.append({"topic": message.topic, **json.loads(text)})

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self.gateway.stop()


@pytest.fixture
def wire(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Wire]:
    made = Wire(tmp_path / "noria", mosquitto)
    yield made
    made.close()


def test_wrong_mac_unknown_device_and_9_kib_are_refused_counted_and_not_acknowledged(
    wire: Wire,
) -> None:
    message = wire.ring.seal(time.time())
    wire.publish(message.text + "\n" + "A" * 43)
    stranger = Ring("none22", KEY)
    wire.publish(stranger.payload(stranger.seal(time.time())), stranger.topic)
    large = Ring("k7f3q5", KEY)
    wire.publish(large.payload(large.seal(time.time(), x="x" * 9216)))
    for reason in ("bad_mac", "unknown_device", "oversize"):
        wire.counted("refused", reason, 1)
    wire.gateway.enrol({"gone22": GONE_KEY}, "revoked = true")
    gone = Ring("gone22", GONE_KEY)

    def refused() -> bool:
        wire.publish(gone.payload(gone.seal(time.time())), gone.topic)
        return wire.gateway.glance()["refused"]["revoked"] > 0

    until(refused, 10, "the revoked device is refused")
    assert wire.gateway.glance()["journal"]["messages"] == len(
        [line for line in wire.gateway.exported() if "gone22" in line["topic"]]
    )
    assert not [ack for ack in wire.acks if "gone22" not in ack["topic"]]


def test_the_same_message_twice_is_stored_once_and_acknowledged_twice(wire: Wire) -> None:
    message = wire.ring.seal(time.time())
    for _ in range(2):
        wire.publish(wire.ring.payload(message))
        wire.counted("journal", "messages", 1)
    wire.counted("received", "duplicate", 1)
    until(lambda: len(wire.acks) == 2, 5, "both acks")
    assert {(a["boot"], a["seq"], a["h"]) for a in wire.acks} == {(1, 1, message.h)}
    assert len(wire.gateway.exported()) == 1
    assert len(wire.gateway.readings()) == 1
    assert wire.gateway.status()["received"] == wire.gateway.glance()["received"]


def test_malformed_json_under_a_right_mac_is_kept_flagged_and_acknowledged(wire: Wire) -> None:
    first = wire.ring.seal(time.time())
    wire.publish(wire.ring.payload(first))
    broken = f'{{"v":1,"era":"{wire.ring.era}","boot":1,"seq":2,"prev":"{first.h}","r":[{{'
    wire.publish(f"{broken}\n{mac(KEY, wire.ring.topic, broken)}")
    wire.counted("received", "flagged", 1)
    until(lambda: bool(wire.acks) and wire.acks[-1]["seq"] == 2, 5, "the ack goes past it")
    assert wire.gateway.exported()[-1]["payload"].startswith(broken)
    assert [r["seq"] for r in wire.gateway.readings()] == [1]


def test_a_clock_ten_years_off_is_stored_at_an_estimated_time(wire: Wire) -> None:
    begun = time.time()
    wire.publish(wire.ring.payload(wire.ring.seal(time.time() + 315_360_000)))
    wire.counted("received", "stored", 1)
    until(lambda: bool(wire.acks), 5, "the ack")
    (reading,) = wire.gateway.readings()
    assert begun - 60 <= reading["at"] <= time.time() + 60


def test_a_broker_that_lost_everything_gets_every_ack_again(
    wire: Wire, mosquitto: Mosquitto
) -> None:
    message = wire.ring.seal(time.time())
    wire.publish(wire.ring.payload(message))
    until(lambda: len(wire.acks) == 1, 5, "the ack")
    mosquitto.kill()
    for kept in mosquitto.folder.glob("*.db*"):
        kept.unlink()
    mosquitto.start()
    until(lambda: len(wire.acks) >= 2, 20, "the ack, again")
    assert (wire.acks[-1]["seq"], wire.acks[-1]["h"]) == (1, message.h)


def test_a_started_gateway_publishes_every_ack_since_its_journal_may_be_restored(
    wire: Wire,
) -> None:
    message = wire.ring.seal(time.time())
    wire.publish(wire.ring.payload(message))
    until(lambda: len(wire.acks) == 1, 5, "the ack")
    wire.gateway.kill()
    wire.gateway.start()
    until(lambda: len(wire.acks) == 2, 10, "the ack, again")
    assert (wire.acks[-1]["seq"], wire.acks[-1]["h"]) == (1, message.h)
