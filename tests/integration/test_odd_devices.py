"""What came under a device's name and should not have: counted, and shown to coordinators."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from gateway.devices import anomalies, faults
from gateway.domain import rate_limit
from gateway.journal.messages import Arrival
from gateway.registry import rows
from server.app import create
from tests.browser import scenes
from tests.committing import commit
from tests.integration.signing_device import T0, Gateway, SigningDevice, distance
from tests.integration.test_server_access import sign_in


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    made = Gateway(tmp_path)
    yield made
    made.close()


def marked(gateway: Gateway) -> dict[str, tuple[int, int]]:
    marks = gateway.journal.counters.marks()
    assert {mark.device for mark in marks} <= {"k7f3q5"}
    return {mark.what: (mark.count, mark.last) for mark in marks}


def counts(gateway: Gateway) -> dict[str, int]:
    reader = gateway.reader()
    found = {n: c for n, c in reader.counts().items() if "@" not in n and c}
    reader.close()
    return found


def test_forks_new_eras_and_forgeries_are_counted_by_device(gateway: Gateway) -> None:
    node = SigningDevice()
    twin = replace(node)
    gateway.receive(node.send(T0, distance(500)), twin.send(T0 + 60, distance(600)))
    assert marked(gateway) == {"fork": (1, T0 + 62)}
    new = SigningDevice(era="bbbbbbbb")
    gateway.receive(new.send(T0 + 120, distance(500)), new.send(T0 + 180, distance(500)))
    assert marked(gateway)["era"] == (1, T0 + 122)
    forged = node.send(T0 + 240)
    unknown = Arrival("noria/1/none22/up", forged.payload, T0 + 240.0)
    gateway.receive(forged._replace(payload=forged.payload[:-1] + b"!"), unknown)
    assert marked(gateway)["bad_mac"] == (1, T0 + 242)
    assert counts(gateway)["unknown_device"] == 1


def test_messages_that_a_device_deleted_before_they_came_are_counted(gateway: Gateway) -> None:
    node = SigningDevice()
    messages = [node.send(T0 + n, distance(500)) for n in range(4)]
    gateway.receive(*messages[:2])
    newest = node.send(T0 + 10, distance(500), old=[1, 3])
    gateway.receive(newest)  # the newest comes first, the rest is still held
    gateway.receive(*messages[2:])
    assert marked(gateway) == {}
    node.send(T0 + 20, distance(500))  # overwritten by the next ones
    gateway.receive(node.send(T0 + 30, distance(500), old=[1, 7]))
    assert marked(gateway) == {"gap": (1, T0 + 32)}
    node.send(T0 + 40, distance(500))
    kept = node.send(T0 + 50, distance(500), old=[1, 9])
    gateway.receive(node.send(T0 + 60, distance(500), old=[1, 9]))
    assert marked(gateway) == {"gap": (1, T0 + 32)}
    gateway.receive(kept)
    assert marked(gateway) == {"gap": (2, T0 + 52)}
    assert gateway.journal.eras.all()[0].line.end.place == (1, 10)


def test_a_flood_is_counted_and_not_acknowledged_and_the_node_may_send_it_again(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limit, "BURST", 50)
    node = SigningDevice()
    sent = [node.send(T0 + n, distance(500)) for n in range(60)]
    at_once = [arrival._replace(received=T0 + 100.0) for arrival in sent]
    acks = commit(gateway.ingest, at_once, T0 + 100.0)
    assert counts(gateway) == {"stored": 50, "flood": 10}
    assert marked(gateway)["flood"] == (10, T0 + 100)
    assert b'"seq":50' in acks[0].payload
    again = [arrival._replace(received=T0 + 110.0) for arrival in sent]
    acks = commit(gateway.ingest, again, T0 + 110.0)
    assert counts(gateway) == {"stored": 60, "flood": 10, "duplicate": 50}
    assert b'"seq":60' in acks[0].payload


def test_coordinators_read_of_a_devices_anomalies(tmp_path: Path) -> None:
    scene = scenes.make(tmp_path)
    device = next(iter(rows.load(scene.engine).devices))
    node = [anomalies.Mark(device, what, 3, int(scene.now) - 600)
            for what in ("fork", "era", "gap", "flood", "bad_mac")]  # fmt: skip
    anomalies.save(scene.engine, "g1", node[:2])
    anomalies.save(scene.engine, "g1", node)
    anomalies.save(scene.engine, "g2", node[:1])
    reported = faults.DeviceFault(device, "sensor", "no_echo", 1, scene.now - 60, "a", 1, 1, 0)
    with scene.engine.begin() as connection:
        faults.save_newer(connection, reported)
    with TestClient(create(scene.settings, scene.engine), follow_redirects=False) as client:
        sign_in(client, "sam")
        page = client.get("/devices").text.replace("\u00a0", " ")
    assert "6 in all): a second device speaks under this name, or its counters went back" in page
    assert "Check that it looks straight down at the water. Since" in page
    assert "It began to count anew" in page
    assert "It let go of messages that had not come here" in page
    assert "3 dropped in all" in page
    assert "not made with its key" in page
