"""Gateway and broker are killed with -9 several times; every message is kept, each once.

The nodes follow WIRE.md and share no code with the gateway. ``NORIA_KILL_MESSAGES=10000`` makes the
run longer.
"""

import json
import os
import secrets
import shutil
import threading
import time
from collections import Counter
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.integration.running_gateway import RunningGateway
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until
from tests.wire_node.node import Lost, Node
from tests.wire_node.sealed import drawn, mac

MESSAGES = int(os.environ.get("NORIA_KILL_MESSAGES", "2000"))
NODES = 10
KILLS = 5
UNACKED = 100
BURST = 15


class Fleet:
    """Nodes that seal and connect until ``finish``, each on its own thread."""

    def __init__(self, port: int) -> None:
        self.nodes = [Node(drawn(7), secrets.token_bytes(32), port, "any") for _ in range(NODES)]
        self.finishing = threading.Event()
        self._threads = [threading.Thread(target=self._live, args=(n,)) for n in self.nodes]
        self._failed: list[BaseException] = []
        self.kills: list[tuple[str, int]] = []  # what died, and how much was unacknowledged

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def sealed(self) -> int:
        return sum(len(node.ring.sealed) for node in self.nodes)

    def unacked(self) -> int:
        return sum(node.unacked for node in self.nodes)

    def finish(self, timeout_s: float) -> None:
        """End the bursts; returns when an ack covers every node's last message."""
        self.finishing.set()
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.1, deadline - time.monotonic()))
        assert not self._failed
        assert [node.unacked for node in self.nodes] == [0] * NODES

    def _live(self, node: Node) -> None:
        try:
            while not (self.finishing.is_set() and node.unacked == 0 and node.ring.sealed):
                burst = 1 if self.finishing.is_set() else BURST
                try:
                    node.connection(burst, time.time, pace_s=0.002, wait_s=1.0)
                    if secrets.randbelow(4) == 0:
                        node.ring.reboot()
                except Lost:
                    time.sleep(0.1)
        except BaseException as error:
            self._failed.append(error)
            raise


@pytest.mark.timeout(600)
def test_five_kills_of_each_lose_nothing_and_repeat_nothing(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    gateway = RunningGateway(tmp_path / "noria", f'broker = "{mosquitto.url}"\n')
    fleet = Fleet(mosquitto.port)
    gateway.enrol({node.ring.device: node.ring.key for node in fleet.nodes})
    gateway.start()
    try:
        fleet.start()
        for kill in range(KILLS):
            reach = MESSAGES * (2 * kill + 1) // (2 * KILLS + 1)
            _kill_gateway(gateway, fleet, reach)
            reach = MESSAGES * (2 * kill + 2) // (2 * KILLS + 1)
            _kill_broker(mosquitto, gateway, fleet, reach, with_folder=kill == KILLS // 2)
        until(lambda: fleet.sealed() >= MESSAGES, 300, f"{MESSAGES} messages")
        fleet.finish(120)
        assert Counter(what for what, _ in fleet.kills) == {
            "gateway": KILLS, "broker": KILLS - 1, "broker, its folder deleted": 1,
        }  # fmt: skip
        assert min(unacked for _, unacked in fleet.kills) >= UNACKED
        _all_once(gateway, fleet)
        _every_last_ack_covers_the_last_message(mosquitto, fleet)
    finally:
        fleet.finishing.set()
        gateway.resume()
        gateway.stop()


def _hang(gateway: RunningGateway, fleet: Fleet, reach: int, what: str) -> None:
    """Pause the gateway until enough messages are unacknowledged."""
    until(lambda: fleet.sealed() >= reach, 240, f"{reach} messages")
    gateway.pause()
    until(lambda: fleet.unacked() >= UNACKED, 60, f"{UNACKED} unacknowledged")
    fleet.kills.append((what, fleet.unacked()))


def _kill_gateway(gateway: RunningGateway, fleet: Fleet, reach: int) -> None:
    _hang(gateway, fleet, reach, "gateway")
    gateway.kill()
    gateway.start()


def _kill_broker(
    broker: Mosquitto, gateway: RunningGateway, fleet: Fleet, reach: int, *, with_folder: bool
) -> None:
    _hang(gateway, fleet, reach, "broker, its folder deleted" if with_folder else "broker")
    broker.kill()
    if with_folder:
        config = (broker.folder / "mosquitto.conf").read_text("utf-8")
        shutil.rmtree(broker.folder)
        broker.folder.mkdir()
        (broker.folder / "mosquitto.conf").write_text(config, "utf-8")
    gateway.resume()
    broker.start()


def _all_once(gateway: RunningGateway, fleet: Fleet) -> None:
    sent = Counter(
        (node.ring.topic, node.ring.payload(message))
        for node in fleet.nodes
        for message in node.ring.sealed
    )
    kept = Counter((line["topic"], line["payload"]) for line in gateway.exported())
    assert kept == sent
    assert set(kept.values()) == {1}
    stored = Counter((r["device"], r["era"], r["boot"], r["seq"]) for r in gateway.readings())
    assert len(stored) == len(sent)
    assert set(stored.values()) == {1}
    received = gateway.status()["received"]
    assert received["stored"] + received["late"] == len(sent)
    assert (received["fork"], received["flagged"]) == (0, 0)


def _follow_acks(client: paho.Client, *_given: object) -> None:
    client.subscribe("noria/1/+/ack", 1)


def _every_last_ack_covers_the_last_message(broker: Mosquitto, fleet: Fleet) -> None:
    """Reads the retained acks at the broker, not what the nodes received."""
    acks: dict[str, bytes] = {}
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _c, _d, m: acks.__setitem__(m.topic, bytes(m.payload))
    client.on_connect = _follow_acks
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    until(lambda: len(acks) >= NODES, 10, "every node's retained ack")
    client.disconnect()
    client.loop_stop()
    for node in fleet.nodes:
        ring, last = node.ring, node.ring.sealed[-1]
        text, proof = acks[f"noria/1/{ring.device}/ack"].decode().split("\n")
        assert proof == mac(ring.key, f"noria/1/{ring.device}/ack", text)
        ack = json.loads(text)
        assert (ack["era"], ack["boot"], ack["seq"], ack["h"]) == (ring.era, *last.place, last.h)
