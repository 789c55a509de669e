"""A database that comes back from a backup: a new log, and the nodes fill what it lost."""

import json
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gateway import settings
from gateway.domain import merkle
from tests.integration.backup import NOTE, Backup
from tests.integration.running_gateway import RunningGateway
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until
from tests.wire_node.node import Node
from tests.wire_node.sealed import Ring, drawn, mac


def connect(node: Node, times: int) -> bool:
    """Seal so many messages; what the ack shows as lost is sent again after a second."""
    return node.connection(times, time.time, wait_s=60.0, resend_after_s=1.0)


class Place:
    """A gateway on a real broker, with nodes that follow WIRE.md."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.gateway = RunningGateway(folder, f'broker = "{broker.url}"\n')
        self.data = folder / "data"
        self.nodes = [Node(drawn(7), secrets.token_bytes(32), broker.port, "any") for _ in range(3)]
        self.gateway.enrol({node.ring.device: node.ring.key for node in self.nodes})
        self.gateway.start()

    def send(self, times: int) -> None:
        """Each node seals so many messages and all are acknowledged."""
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            assert all(pool.map(lambda node: connect(node, times), self.nodes))

    def back_up(self) -> Backup:
        return Backup(self.data, self.gateway.folder / "backup")

    def leaves(self) -> list[tuple[str, bytes]]:
        """(origin of its log, leaf) of every entry, as anybody could have copied them."""
        with closing(sqlite3.connect(self.data / "journal.db")) as raw:
            rows = raw.execute(
                "SELECT e.kind, CAST(e.leaf AS BLOB), b.body FROM entry e"
                " JOIN body b ON b.entry = e.id ORDER BY e.id"
            ).fetchall()
        origin, found = "", list[tuple[str, bytes]]()
        for kind, leaf, body in rows:
            origin = json.loads(body)["origin"] if kind == "open" else origin
            found.append((origin, leaf))
        return found

    def leaves_to_the_last_message(self) -> int:
        with closing(sqlite3.connect(self.data / "journal.db")) as raw:
            return raw.execute(
                "SELECT count(*) FROM entry"
                " WHERE id <= (SELECT max(id) FROM entry WHERE kind = 'msg')"
            ).fetchone()[0]

    def openings(self) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.data / "journal.db")) as raw:
            rows = raw.execute(
                "SELECT body FROM body JOIN entry ON id = entry WHERE kind = 'open' ORDER BY id"
            )
            return [json.loads(body) for (body,) in rows]

    def assert_all_there_once(self) -> None:
        sent = Counter(n.ring.payload(m) for n in self.nodes for m in n.ring.sealed)
        assert Counter(line["payload"] for line in self.gateway.exported()) == sent
        stored = Counter(
            (r["device"], r["era"], r["boot"], r["seq"]) for r in self.gateway.readings()
        )
        assert stored == Counter(
            (n.ring.device, n.ring.era, *m.place) for n in self.nodes for m in n.ring.sealed
        )


@pytest.fixture
def place(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Place]:
    made = Place(tmp_path / "noria", mosquitto)
    yield made
    made.gateway.stop()


def _roots(leaves: list[tuple[str, bytes]]) -> dict[str, list[bytes]]:
    logs: dict[str, list[bytes]] = {}
    for origin, leaf in leaves:
        logs.setdefault(origin, []).append(leaf)
    return logs


@pytest.mark.parametrize("note", ["kept", "lost", "put back too"])
@pytest.mark.timeout(120)
def test_a_restored_journal_begins_a_new_log_and_gets_what_nodes_still_have(
    place: Place, note: str
) -> None:
    place.send(8)
    backup = place.back_up()
    place.send(12)
    (shown,) = _roots(place.leaves()).items()
    origin, seen = shown
    place.gateway.kill()
    committed = _roots(place.leaves())[origin]
    acknowledged = place.leaves_to_the_last_message()
    backup.put_back()
    if note == "lost":
        (place.data / NOTE).unlink()
    if note == "put back too":
        backup.put_back_note()
    place.gateway.start()
    place.send(1)
    place.assert_all_there_once()
    logs = _roots(place.leaves())
    assert len(logs) == 2
    assert logs[origin] == seen[: len(logs[origin])], "the log that was shown is not contradicted"
    first, second = place.openings()
    assert first["previous"] is None
    # The kill may come between the commit of own facts, which nobody saw, and its witness.
    size = second["previous"]["size"]
    assert acknowledged <= size <= len(committed)
    frontier = merkle.Frontier().grown(*map(merkle.leaf_hash, committed[:size]))
    assert second["previous"] == {
        "origin": origin,
        "size": size,
        "root": frontier.root().hex(),
        "kept": len(logs[origin]),
    }
    place.gateway.kill()
    place.gateway.start()
    place.send(1)
    assert len(place.openings()) == 2, "one restoration is noticed once"
    place.assert_all_there_once()


@pytest.mark.timeout(120)
def test_a_person_reports_a_machine_that_was_restored_with_its_witness(place: Place) -> None:
    place.send(8)
    backup = place.back_up()
    _, outside = settings.read(place.gateway.config).witness_paths
    noted = outside.read_bytes()
    place.send(12)
    place.gateway.kill()
    shown = place.leaves()
    backup.put_back()
    backup.put_back_note()
    outside.write_bytes(noted)
    output = place.gateway.noria("journal", "set-back")
    assert output.startswith("Noted. The next start begins a new log")
    place.gateway.start()
    place.send(1)
    place.assert_all_there_once()
    first, second = place.openings()
    logs = _roots(place.leaves())
    held = logs[first["origin"]]
    assert second["previous"]["origin"] == first["origin"]
    assert second["previous"]["kept"] == second["previous"]["size"] == len(held)
    assert held == [leaf for _, leaf in shown[: len(held)]], "what was shown is not contradicted"


class LostCounters:
    """What a node with WIRE.md's memory does when its counters are lost: it keeps its flash."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.former = node.ring

    def draw_a_new_era(self) -> None:
        ring = self.node.ring
        self.node.ring = Ring(ring.device, ring.key)

    def obey_resend(self, broker: Mosquitto) -> list[str]:
        """Publish what the retained ``down`` asks for; the orders that it held."""
        asked = _retained(broker, f"noria/1/{self.former.device}/down")
        text, proof = asked.decode().split("\n")
        assert proof == mac(self.former.key, f"noria/1/{self.former.device}/down", text)
        orders = json.loads(text)["once"]
        for order in orders:
            era, boot, seq = order["from"]
            assert (order["do"], era) == ("resend", self.former.era)
            again = [m for m in self.former.sealed if m.place > (boot, seq)]
            publish(broker, self.former.topic, [self.former.payload(m) for m in again])
        return [order["do"] for order in orders]


def _retained(broker: Mosquitto, topic: str) -> bytes:
    found: list[bytes] = []
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _c, _d, message: found.append(bytes(message.payload))
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    client.subscribe(topic, 1)
    until(lambda: bool(found), 10, f"something retained on {topic}")
    client.disconnect()
    client.loop_stop()
    return found[-1]


def publish(broker: Mosquitto, topic: str, payloads: list[str]) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for payload in payloads:
        client.publish(topic, payload, 1).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()


@pytest.mark.timeout(120)
def test_what_was_acknowledged_in_a_former_era_and_lost_is_ordered_again(
    place: Place, mosquitto: Mosquitto
) -> None:
    place.send(5)
    backup = place.back_up()
    place.send(4)
    lost = LostCounters(place.nodes[0])
    lost.draw_a_new_era()
    assert connect(place.nodes[0], 3)
    place.gateway.kill()
    backup.put_back()
    place.gateway.start()
    place.send(1)
    assert lost.obey_resend(mosquitto) == ["resend"]
    place.nodes.append(_as_node(lost.former))
    until(lambda: _received(place) == _sealed(place), 10, "the former era's messages")
    place.assert_all_there_once()


def _as_node(ring: Ring) -> Node:
    held = Node(ring.device, ring.key, 0, "any")
    held.ring = ring
    return held


def _received(place: Place) -> int:
    return place.gateway.glance()["journal"]["messages"]


def _sealed(place: Place) -> int:
    return sum(len(node.ring.sealed) for node in place.nodes)
