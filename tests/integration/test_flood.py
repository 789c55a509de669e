"""One device floods through a real broker: it is dropped and counted, the others are not."""

import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gateway.domain.rate_limit import BURST
from tests.integration.running_gateway import RunningGateway
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until
from tests.wire_node.node import Node
from tests.wire_node.sealed import Ring, drawn

BEYOND = 6000
OTHERS = 4
ANSWER_S = 10.0


class Flooder:
    """An authentic device that invents readings as fast as the broker takes them."""

    def __init__(self, port: int) -> None:
        self.ring = Ring(drawn(7), secrets.token_bytes(32))
        now = time.time()
        self._payloads = [self.ring.payload(self.ring.seal(now)) for _ in range(BURST + BEYOND)]
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.max_inflight_messages_set(500)
        self._client.max_queued_messages_set(0)
        self._client.connect("127.0.0.1", port)
        self._acknowledged = 0
        self._client.on_publish = self._puback
        self._thread = threading.Thread(target=self._pour)
        self._client.loop_start()

    def start(self) -> None:
        self._thread.start()

    def _pour(self) -> None:
        for payload in self._payloads:
            self._client.publish(self.ring.topic, payload, 1)

    def _puback(self, *_given: object) -> None:
        self._acknowledged += 1

    @property
    def done(self) -> bool:
        return self._acknowledged == len(self._payloads)

    def close(self) -> None:
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def gateway(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[RunningGateway]:
    made = RunningGateway(tmp_path / "noria", f'broker = "{mosquitto.url}"\n')
    yield made
    made.stop()


@pytest.mark.timeout(180)
def test_a_flood_is_dropped_and_counted_and_does_not_stop_the_others(
    gateway: RunningGateway, mosquitto: Mosquitto
) -> None:
    flooder = Flooder(mosquitto.port)
    others = [Node(drawn(7), secrets.token_bytes(32), mosquitto.port, "any") for _ in range(OTHERS)]
    keys = {node.ring.device: node.ring.key for node in others}
    gateway.enrol({flooder.ring.device: flooder.ring.key, **keys})
    gateway.start()
    flooder.start()
    waits: list[float] = []
    try:
        while not flooder.done or not waits:
            for node in others:
                began = time.monotonic()
                assert node.connection(1, time.time, wait_s=ANSWER_S), "acknowledged all the same"
                waits.append(time.monotonic() - began)
        sent = OTHERS + BURST + BEYOND
        until(lambda: sum(_counts(gateway).values()) >= sent, 30, "all was read")
    finally:
        flooder.close()
    counts = _counts(gateway)
    assert counts["stored"] + counts["late"] >= BURST + sum(len(n.ring.sealed) for n in others)
    assert counts["flood"] >= BEYOND / 2  # a few come back each second
    assert counts["stored"] + counts["late"] + counts["flood"] == BURST + BEYOND + sum(
        len(node.ring.sealed) for node in others
    )
    assert [node.unacked for node in others] == [0] * OTHERS
    assert max(waits) < ANSWER_S


def _counts(gateway: RunningGateway) -> dict[str, int]:
    glance = gateway.glance()
    return {**glance["received"], **glance["refused"]}
