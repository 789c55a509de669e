"""The private Mosquitto: logins and topic rules, enrolling and revoking, crashes and restarts."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import CalledProcessError

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from gateway.mqtt.broker import login
from tests.integration.running_gateway import RunningGateway
from tests.parts import require
from tests.parts.errors import PartError
from tests.parts.services import free_port, listening, until
from tests.wire_node.node import Lost, Node
from tests.wire_node.sealed import Ring

KEY = bytes(range(32))


class Place:
    """A gateway with its private broker on a free port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.gateway = RunningGateway(folder, f'broker_listen = "127.0.0.1:{self.port}"\n')
        self.broker_folder = folder / "data" / "broker"
        self.keys = {"aaaaaa": KEY}
        self.gateway.enrol(self.keys)
        self.gateway.start()

    def node(self, device: str = "aaaaaa", key: bytes = KEY) -> Node:
        return Node(device, key, self.port, login(key))

    @property
    def broker_pid(self) -> int:
        return int((self.broker_folder / "broker.pid").read_text("ascii"))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    require("mosquitto")
    made = Place(tmp_path)
    yield made
    made.gateway.stop()
    assert not listening(made.port), "the broker ends with its gateway"


def acknowledged(node: Node, timeout_s: float = 20.0) -> float:
    """Send a message until it has its ack; returns the seconds that it took."""
    begun = time.monotonic()
    while time.monotonic() - begun < timeout_s:
        try:
            if node.connection(1, time.time, wait_s=1.0):
                return time.monotonic() - begun
        except Lost:
            time.sleep(0.05)
    raise TimeoutError(f"{node.ring.device} was not acknowledged within {timeout_s} s")


class Probe:
    """An MQTT client that tries forbidden actions."""

    def __init__(self, port: int, user: str, password: str, client_id: str) -> None:
        self.granted: list[bool] = []
        self.received: list[str] = []
        self.outcome = ""
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, reconnect_on_failure=False
        )
        if user:
            self._client.username_pw_set(user, password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = lambda _c, _d, message: self.received.append(message.topic)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        until(lambda: bool(self.outcome), 5, "an answer to CONNECT")

    def subscribe(self, topic: str) -> bool:
        before = len(self.granted)
        self._client.subscribe(topic, 1)
        until(lambda: len(self.granted) > before, 5, "SUBACK")
        return self.granted[-1]

    def publish(self, topic: str, payload: str) -> None:
        self._client.publish(topic, payload, qos=1).wait_for_publish(5)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, _c: object, _d: object, _f: object, reason: object, _p: object) -> None:
        self.outcome = str(reason)

    def _on_subscribe(self, _c: object, _d: object, _m: object, reasons: list, _p: object) -> None:
        self.granted.append(not reasons[0].is_failure)


def test_a_device_logs_in_with_the_password_of_its_key(place: Place) -> None:
    assert acknowledged(place.node()) < 5


@pytest.mark.parametrize(
    ("user", "password"),
    [("", ""), ("aaaaaa", "wrong"), ("bbbbbb", "x"), ("noria-gateway", "x"), ("noria-admin", "")],
)
def test_other_logins_are_refused(place: Place, user: str, password: str) -> None:
    probe = Probe(place.port, user, password, "probe")
    assert probe.outcome == "Not authorized"
    probe.close()


def test_a_device_reads_and_writes_its_own_topics_only(place: Place) -> None:
    acknowledged(place.node())
    other = Probe(place.port, "aaaaaa", login(KEY), "aaaaaa")
    allowed = [t for t in ("ack", "down", "up", "status") if other.subscribe(f"noria/1/aaaaaa/{t}")]
    assert allowed == ["ack", "down"]
    for topic in ("#", "noria/1/#", "noria/1/+/ack", "noria/1/bbbbbb/ack", "noria/1/live/#",
                  "$CONTROL/dynamic-security/v1/response", "$SYS/#"):  # fmt: skip
        assert not other.subscribe(topic), topic
    before = place.gateway.glance()
    other.publish("noria/1/bbbbbb/up", "not mine")
    other.publish("noria/1/aaaaaa/ack", "forged")
    other.publish("noria/1/aaaaaa/up", "garbage")
    until(lambda: place.gateway.glance()["refused"]["bad_mac"] == 1, 10, "the garbage is counted")
    after = place.gateway.glance()
    assert after["received"] == before["received"]
    assert after["refused"]["unknown_device"] == 0
    assert set(other.received) <= {"noria/1/aaaaaa/ack"}
    other.close()


def test_a_device_cannot_take_the_gateways_session(place: Place) -> None:
    thief = Probe(place.port, "aaaaaa", login(KEY), "noria-gateway")
    assert place.gateway.glance()["broker"]["connected"]
    thief.close()
    assert acknowledged(place.node()) < 5
    assert "was lost" not in place.gateway.log.read_text("utf-8")


def test_enrolling_and_revoking_take_effect_within_two_seconds(place: Place) -> None:
    key = secrets.token_bytes(32)
    place.gateway.enrol({"bbbbbb": key})
    imported = time.monotonic()
    node = place.node("bbbbbb", key)
    until(lambda: _logs_in(place, "bbbbbb", key), 5, "the login")
    assert time.monotonic() - imported < 2
    acknowledged(node)
    place.gateway.enrol({"bbbbbb": key}, "revoked = true")
    imported = time.monotonic()
    until(lambda: not _logs_in(place, "bbbbbb", key), 5, "the login's end")
    assert time.monotonic() - imported < 2


def _logs_in(place: Place, device: str, key: bytes) -> bool:
    probe = Probe(place.port, device, login(key), device)
    probe.close()
    return probe.outcome == "Success"


def test_a_killed_broker_is_restarted_even_without_its_folder(place: Place) -> None:
    node = place.node()
    acknowledged(node)
    os.kill(place.broker_pid, signal.SIGKILL)
    acknowledged(node)
    os.kill(place.broker_pid, signal.SIGKILL)
    shutil.rmtree(place.broker_folder, ignore_errors=True)
    acknowledged(node)
    assert node.unacked == 0


def test_the_broker_of_a_killed_gateway_is_replaced(place: Place) -> None:
    node = place.node()
    acknowledged(node)
    leftover = place.broker_pid
    place.gateway.kill()
    assert listening(place.port)
    place.gateway.start()
    assert place.broker_pid != leftover
    acknowledged(node)


def test_a_busy_port_is_named_with_the_remedy(tmp_path: Path) -> None:
    require("mosquitto")
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        gateway = RunningGateway(tmp_path, f'broker_listen = "127.0.0.1:{port}"\n')
        with pytest.raises(PartError, match=f"broker_listen = 127.0.0.1:{port}: .*in use"):
            gateway.start()


def test_with_a_certificate_devices_need_tls_and_the_gateway_still_listens(tmp_path: Path) -> None:
    openssl = require("openssl")
    require("mosquitto")
    key, certificate = tmp_path / "broker.key", tmp_path / "broker.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", key]
    command += ["-addext", "subjectAltName=DNS:localhost", "-out", certificate]
    subprocess.run(command, check=True, capture_output=True)
    port = free_port()
    gateway = RunningGateway(
        tmp_path,
        f'broker_listen = "127.0.0.1:{port}"\n'
        f'broker_certificate = "{certificate}"\nbroker_key = "{key}"\n',
    )
    gateway.enrol({"aaaaaa": KEY})
    gateway.start()
    try:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="aaaaaa")
        client.username_pw_set("aaaaaa", login(KEY))
        client.tls_set(ca_certs=str(certificate))
        client.connect("localhost", port)
        client.loop_start()
        ring = Ring("aaaaaa", KEY)
        client.publish(ring.topic, ring.payload(ring.seal(time.time())), qos=1)
        until(lambda: gateway.glance()["received"]["stored"] == 1, 10, "the message by TLS")
        client.disconnect()
        client.loop_stop()
        with pytest.raises(Lost):
            Node("aaaaaa", KEY, port, login(KEY)).connection(1, time.time)
    finally:
        gateway.stop()


def test_only_their_owner_may_read_the_secrets(place: Place) -> None:
    for name in ("dynamic-security.json", "mosquitto.conf", "noria-gateway.password"):
        assert (place.broker_folder / name).stat().st_mode & 0o077 == 0, name
    assert place.broker_folder.stat().st_mode & 0o077 == 0
    with pytest.raises(CalledProcessError):
        place.gateway.noria("gateway")  # the folder is in use
