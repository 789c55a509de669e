"""The node's MQTT client on MicroPython against a real Mosquitto, and against peers that hang."""

import contextlib
import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from firmware.virtual.host import interpreter
from tests.parts import require
from tests.parts.mosquitto_service import Mosquitto, mosquitto

HERE = Path(__file__).parent
DEVICE = HERE.parents[1] / "firmware" / "device"
TOPIC = "noria/1/k7f3q5/up"

TLS_MOSQUITTO = """\
listener {port} 127.0.0.1
allow_anonymous true
user root
cafile {folder}/ca.pem
certfile {folder}/broker.pem
keyfile {folder}/broker.key
log_dest stdout
"""


def call(port: int, do: str, **more: Any) -> dict[str, Any]:
    """The output of one run of ``mqtt_call.py``."""
    require("micropython")
    found = interpreter.find()
    assert found is not None
    given = {"host": "127.0.0.1", "port": port, "do": do, **more}
    ran = subprocess.run(
        found.command(
            [str(HERE / "on_device" / "mqtt_call.py")],
            heap="320K",
            micropypath=[str(DEVICE)],
        ),
        input=json.dumps(given),  # an argument holds 255 bytes at most on MicroPython
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads(ran.stdout)


@contextlib.contextmanager
def listener(port: int, topic: str) -> Iterator[list[tuple[bytes, bool]]]:
    """What arrives on ``topic``, as (payload, retained)."""
    received: list[tuple[bytes, bool]] = []
    ready = threading.Event()
    client = paho.Client(CallbackAPIVersion.VERSION2)

    def connected(*_: object) -> None:
        client.subscribe(topic, 1)

    client.on_connect = connected
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = lambda _c, _d, message: received.append(
        (bytes(message.payload), message.retain)
    )
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert ready.wait(5)
    try:
        yield received
    finally:
        client.disconnect()
        client.loop_stop()


def until(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not met():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def test_every_message_of_a_window_is_acknowledged_and_arrives(mosquitto: Mosquitto) -> None:
    with listener(mosquitto.port, TOPIC) as received:
        assert call(mosquitto.port, "window", count=200, topic=TOPIC)["acked"] == 200
        until(lambda: len(received) == 200)
    assert [payload for payload, _ in received] == [b"%d" % number for number in range(200)]


def test_what_is_retained_is_here_when_the_ping_is_answered(mosquitto: Mosquitto) -> None:
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", mosquitto.port)
    client.loop_start()
    payload = "x" * 4000
    client.publish("noria/1/k7f3q5/down", payload, 1, True).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()
    result = call(mosquitto.port, "retained", topic="noria/1/k7f3q5/down")
    assert result["received"] == [["noria/1/k7f3q5/down", payload, True]]


def test_a_lost_connection_fires_the_will_and_a_clean_one_does_not(mosquitto: Mosquitto) -> None:
    with listener(mosquitto.port, "noria/1/k7f3q5/status") as received:
        call(mosquitto.port, "connect")
        call(mosquitto.port, "connect", leave=False)
        until(lambda: len(received) == 1)
    assert received == [(b'{"s":"lost"}', False)]


def test_a_broker_that_is_not_there_is_an_error_at_once() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        result = call(free.getsockname()[1], "connect")
    assert "error" in result and result["ms"] < 1000


def test_a_wrong_password_is_reported(tmp_path: Path) -> None:
    config = "listener {port} 127.0.0.1\nallow_anonymous false\nuser root\nlog_dest stdout\n"
    with mosquitto(tmp_path, config) as broker:
        result = call(broker.port, "connect", login="k7f3q5", password="wrong")
    assert "refused" in result["error"]


def _silent(peer: socket.socket) -> None:
    """Accepts and never sends anything."""
    time.sleep(30)


def _trickling(peer: socket.socket) -> None:
    """Begins a long CONNACK and sends one byte of it every half second."""
    peer.sendall(b"\x20\x80\x40")
    with contextlib.suppress(OSError):
        for _ in range(60):
            peer.sendall(b"\x00")
            time.sleep(0.5)


def _half_gone(peer: socket.socket) -> None:
    """Answers the CONNECT, then nothing more."""
    peer.recv(1024)
    peer.sendall(b"\x20\x02\x00\x00")
    time.sleep(30)


def _closing(peer: socket.socket) -> None:
    peer.recv(1024)
    peer.close()


def _babbling(peer: socket.socket) -> None:
    """Claims a packet of 256 MB."""
    peer.recv(1024)
    peer.sendall(b"\x30\xff\xff\xff\x7f")
    time.sleep(30)


@pytest.mark.parametrize("peer", [_silent, _trickling, _half_gone, _closing, _babbling])
def test_no_peer_can_hang_the_node(peer: Callable[[socket.socket], None]) -> None:
    """Each exchange ends within two of its time-outs (here 2 s)."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as connection:
                peer(connection)

        threading.Thread(target=serve, daemon=True).start()
        result = call(server.getsockname()[1], "connect")
    assert "error" in result and result["ms"] < 6000, result


@pytest.fixture
def tls_broker(tmp_path: Path) -> Iterator[tuple[Mosquitto, str]]:
    """A Mosquitto with TLS as ``localhost``, and its CA in PEM."""
    make_certificates(tmp_path)
    with mosquitto(tmp_path, TLS_MOSQUITTO) as broker:
        yield broker, (tmp_path / "ca.pem").read_text(encoding="utf-8")


def make_certificates(folder: Path) -> None:
    """A P-256 CA (as the node's heap wants it) and a broker's certificate for localhost."""
    curve = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650"
    (folder / "names").write_text("subjectAltName=DNS:localhost\n", encoding="utf-8")
    for line in (
        f"req -x509 {curve} -keyout ca.key -out ca.pem -subj /CN=test-ca",
        f"req -new {curve} -keyout broker.key -out broker.csr -subj /CN=localhost",
        "x509 -req -in broker.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out broker.pem"
        " -days 3650 -extfile names",
    ):
        _run([str(require("openssl")), *line.split()], folder)


def _run(command: list[str], folder: Path) -> None:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_tls_with_the_right_ca_carries_messages(tls_broker: tuple[Mosquitto, str]) -> None:
    broker, ca = tls_broker
    result = call(broker.port, "window", host="localhost", ca=ca, count=50, topic=TOPIC)
    assert result.get("acked") == 50, result


def test_tls_receives_retained_messages(tls_broker: tuple[Mosquitto, str]) -> None:
    broker, ca = tls_broker
    result = call(broker.port, "retained", host="localhost", ca=ca, topic="none", wait_ms=100)
    assert result["received"] == []


def test_tls_under_another_ca_is_refused(tls_broker: tuple[Mosquitto, str], tmp_path: Path) -> None:
    broker, _ = tls_broker
    (tmp_path / "other").mkdir()
    make_certificates(tmp_path / "other")
    other = (tmp_path / "other" / "ca.pem").read_text(encoding="utf-8")
    assert "error" in call(broker.port, "connect", host="localhost", ca=other)


def test_tls_under_another_name_is_refused(tls_broker: tuple[Mosquitto, str]) -> None:
    broker, ca = tls_broker
    assert "error" in call(broker.port, "connect", host="127.0.0.1", ca=ca)
