"""TLS of the private broker, from ``noria init`` to a node on real MicroPython and a renewal."""

import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from gateway.errors import NoriaError
from gateway.mqtt.broker import login
from tests.firmware.board_at_work import DEVICE, KEY, board
from tests.integration.running_gateway import RunningGateway
from tests.integration.tls_devices import client_of, run, waiting
from tests.parts import require
from tests.parts.commands import noria
from tests.parts.services import free_port, until
from tests.wire_node.sealed import Ring

OTHER = "bbbbbb"
ACK = f"noria/1/{DEVICE}/ack"


class Place:
    """An installation of ``noria init --name localhost``, on a free port of every interface."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        noria("init", str(folder / "made"), "--name", "localhost")
        text = (folder / "made" / "noria.toml").read_text("utf-8")
        assert '\nbroker_listen = "0.0.0.0:8883"\n' in text
        self.gateway = RunningGateway(folder / "made", text.replace(":8883", f":{self.port}"))
        self.gateway.enrol({DEVICE: KEY, OTHER: bytes(32)})
        self.gateway.start()
        self.folder = folder / "made" / "data" / "certificates"

    def until_stored_more(self, what: str) -> None:
        """Wait for another message."""
        before = self.gateway.glance()["received"]["stored"]
        until(lambda: self.gateway.glance()["received"]["stored"] > before, 40, what)

    @property
    def ca(self) -> str:
        """The CA, PEM."""
        return (self.folder / "ca.pem").read_text("ascii")

    def retained_down(self) -> bytes:
        """The ``down`` that a device receives."""
        client, received = client_of(self.ca), list[bytes]()
        client.on_message = lambda _c, _d, message: received.append(bytes(message.payload))
        client.connect("localhost", self.port)
        client.loop_start()
        client.subscribe(f"noria/1/{DEVICE}/down", 1)
        until(lambda: bool(received), 5, "the retained down")
        client.disconnect()
        client.loop_stop()
        return received[0]

    def serial(self, ca: str | None = None) -> int:
        """The number of the certificate that the broker shows. Raises SSLError."""
        context = ssl.create_default_context(cadata=ca or self.ca)
        with (
            socket.create_connection(("127.0.0.1", self.port), 5) as raw,
            context.wrap_socket(raw, server_hostname="localhost") as wrapped,
        ):
            shown = wrapped.getpeercert(binary_form=True)
            assert shown is not None
            return x509.load_der_x509_certificate(shown).serial_number


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    require("mosquitto")
    made = Place(tmp_path_factory.mktemp("tls"))
    yield made
    made.gateway.stop()


def test_a_node_connects_with_the_ca_that_device_new_writes(place: Place, tmp_path: Path) -> None:
    require("micropython")
    run(place.gateway, "device", "new", "--tank", "north-1", "--out", str(tmp_path / "new"))
    config = json.loads((tmp_path / "new" / "config.json").read_text())
    assert "1 of 3 answered" in run(place.gateway, "certificates", "show")
    run(place.gateway, "device", "revoke", config["device"])
    made = config["broker"]
    assert (made["host"], made["port"], made["ca"]) == ("localhost", place.port, place.ca)
    for host in ("localhost", "127.0.0.1"):
        broker = {**made, "host": host, "login": DEVICE, "password": login(KEY)}
        with board(tmp_path / host, place.port, broker=broker) as work:
            place.until_stored_more(f"a message by TLS to {host}")
            assert "MqttError" not in work.console


def test_a_device_is_not_made_for_a_name_that_the_certificate_lacks(
    place: Place, tmp_path: Path
) -> None:
    words = ("device", "new", "--tank", "north-1", "--out", str(tmp_path / "new"))
    with pytest.raises(NoriaError) as failed:
        run(place.gateway, *words, "--broker-host", "elsewhere.example")
    assert not (tmp_path / "new").exists()
    assert "elsewhere.example" in str(failed.value)
    assert "add it to broker_names" in str(failed.value)


def test_neither_another_ca_nor_a_plain_connection_is_taken(place: Place, tmp_path: Path) -> None:
    noria("init", str(tmp_path / "other"))
    other = (tmp_path / "other" / "data" / "certificates" / "ca.pem").read_text("ascii")
    with pytest.raises(ssl.SSLCertVerificationError):
        place.serial(other)
    client = client_of()
    client.connect("127.0.0.1", place.port)
    refused: list[int] = []
    client.on_disconnect = lambda *_: refused.append(1)
    until(lambda: client.loop(0.1) is None or bool(refused), 5, "the end of a plain connection")


def test_status_says_until_when_and_that_nothing_is_plain(place: Place) -> None:
    known = place.gateway.status()["broker"]
    assert (known["tls"], known["plain"]) == (True, [])
    lines = run(place.gateway, "status").splitlines()
    assert any(
        re.fullmatch(r"TLS +yes, its certificate until 20\d\d-\d\d-\d\d", one) for one in lines
    )
    shown = run(place.gateway, "certificates", "show")
    assert f"TLS          0.0.0.0:{place.port}\nPlain        this machine alone\n" in shown
    assert "for localhost" in shown


def test_the_ca_is_changed_without_a_cable_when_every_device_holds_the_new_one(
    place: Place, tmp_path: Path
) -> None:
    require("micropython")
    old = place.ca
    assert "2 devices are given both CAs" in run(place.gateway, "certificates", "roll")
    broker = {
        "host": "localhost", "port": place.port, "ca": old, "login": DEVICE, "password": login(KEY),
    }  # fmt: skip
    with board(tmp_path / "board", place.port, broker=broker) as work:
        until(lambda: waiting(place.gateway) == [OTHER], 60, "the node holds both")
        with pytest.raises(NoriaError) as failed:
            run(place.gateway, "certificates", "roll", "--finish")
        assert f"{OTHER}: not known to hold the new CA" in str(failed.value)
        assert place.ca == old
        run(place.gateway, "device", "revoke", OTHER)
        run(place.gateway, "certificates", "roll", "--finish")
        assert place.ca != old
        until(lambda: _is_refused(place, old), 5, "the new CA's certificate")
        until(lambda: waiting(place.gateway) == [], 60, "the node holds the new one")
        place.until_stored_more("a message under the new CA alone")
        assert "MqttError" not in work.console
    assert b'"tls"' not in place.retained_down()


def _is_refused(place: Place, ca: str) -> bool:
    try:
        place.serial(ca)
    except ssl.SSLCertVerificationError:
        return True
    return False


def test_a_renewal_is_served_without_a_lost_connection_session_or_retained_message(
    place: Place,
) -> None:
    received: list[str] = []
    ended: list[int] = []
    client = client_of(place.ca)
    client.on_message = lambda _c, _d, message: received.append(message.topic)
    client.on_disconnect = lambda *_: ended.append(1)
    client.connect("localhost", place.port)
    client.loop_start()
    ring = Ring(DEVICE, KEY)
    client.publish(ring.topic, ring.payload(ring.seal(time.time())), qos=1).wait_for_publish(5)
    pid = (place.gateway.folder / "data" / "broker" / "broker.pid").read_text("ascii")
    before = place.serial()
    assert "for localhost" in run(place.gateway, "certificates", "renew")
    until(lambda: place.serial() != before, 5, "the new certificate")
    client.subscribe([(ACK, 1), (f"noria/1/{OTHER}/ack", 1)])
    until(lambda: ACK in received, 5, "the ack that was retained before")
    assert ended == [] and set(received) == {ACK}
    client.disconnect()
    client.loop_stop()
    after = (place.gateway.folder / "data" / "broker" / "broker.pid").read_text("ascii")
    assert after == pid and place.gateway.glance()["broker"]["connected"]
    assert "serves the new certificate" in place.gateway.log.read_text("utf-8")
