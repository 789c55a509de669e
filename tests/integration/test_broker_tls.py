"""TLS of the private broker, from ``noria init`` to a node on real MicroPython and a renewal."""

import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import CalledProcessError

import paho.mqtt.client as paho
import pytest
from click.testing import CliRunner
from cryptography import x509
from fastapi.testclient import TestClient
from paho.mqtt.enums import CallbackAPIVersion

from gateway.errors import NoriaError
from gateway.mqtt.broker import login
from gateway.mqtt.certificates import facts
from gateway.mqtt.certificates.facts import Served
from server.app import create
from server.command.main import cli
from tests.browser import scenes
from tests.firmware.board_at_work import DEVICE, KEY, board
from tests.integration.running_gateway import RunningGateway
from tests.integration.test_server_access import sign_in
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
    place.gateway.noria("device", "new", "--tank", "north-1", "--out", str(tmp_path / "new"))
    made = json.loads((tmp_path / "new" / "config.json").read_text())["broker"]
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
    with pytest.raises(CalledProcessError) as failed:
        place.gateway.noria(*words, "--broker-host", "elsewhere.example")
    assert failed.value.returncode == 2 and not (tmp_path / "new").exists()
    assert "elsewhere.example" in failed.value.stderr
    assert "add it to broker_names" in failed.value.stderr


def test_neither_another_ca_nor_a_plain_connection_is_taken(place: Place, tmp_path: Path) -> None:
    noria("init", str(tmp_path / "other"))
    other = (tmp_path / "other" / "data" / "certificates" / "ca.pem").read_text("ascii")
    with pytest.raises(ssl.SSLCertVerificationError):
        place.serial(other)
    client = _client()
    client.connect("127.0.0.1", place.port)
    refused: list[int] = []
    client.on_disconnect = lambda *_: refused.append(1)
    until(lambda: client.loop(0.1) is None or bool(refused), 5, "the end of a plain connection")


def test_status_says_until_when_and_that_nothing_is_plain(place: Place) -> None:
    known = place.gateway.status()["broker"]
    assert (known["tls"], known["plain"]) == (True, [])
    lines = place.gateway.noria("status").splitlines()
    assert any(
        re.fullmatch(r"TLS +yes, its certificate until 20\d\d-\d\d-\d\d", one) for one in lines
    )
    shown = place.gateway.noria("certificates", "show")
    assert f"TLS          0.0.0.0:{place.port}\nPlain        this machine alone\n" in shown
    assert "for localhost" in shown


def test_a_renewal_is_served_without_a_lost_connection_session_or_retained_message(
    place: Place,
) -> None:
    received: list[str] = []
    ended: list[int] = []
    client = _client(place.ca)
    client.on_message = lambda _c, _d, message: received.append(message.topic)
    client.on_disconnect = lambda *_: ended.append(1)
    client.connect("localhost", place.port)
    client.loop_start()
    ring = Ring(DEVICE, KEY)
    client.publish(ring.topic, ring.payload(ring.seal(time.time())), qos=1).wait_for_publish(5)
    pid = (place.gateway.folder / "data" / "broker" / "broker.pid").read_text("ascii")
    before = place.serial()
    assert "for localhost" in place.gateway.noria("certificates", "renew")
    until(lambda: place.serial() != before, 5, "the new certificate")
    client.subscribe([(ACK, 1), (f"noria/1/{OTHER}/ack", 1)])
    until(lambda: ACK in received, 5, "the ack that was retained before")
    assert ended == [] and set(received) == {ACK}
    client.disconnect()
    client.loop_stop()
    after = (place.gateway.folder / "data" / "broker" / "broker.pid").read_text("ascii")
    assert after == pid and place.gateway.glance()["broker"]["connected"]
    assert "serves the new certificate" in place.gateway.log.read_text("utf-8")


def test_an_installation_of_before_moves_by_one_command_and_is_told(tmp_path: Path) -> None:
    """Its devices go on without TLS beside the new listener, which the command adds."""
    require("mosquitto")
    port = free_port()
    text = f'# ours\nbroker_listen = "0.0.0.0:{port}"  # every interface\nlanguage = "fr"\n'
    gateway = RunningGateway(tmp_path / "old", text)
    gateway.enrol({DEVICE: KEY})
    gateway.start()
    ring = Ring(DEVICE, KEY)
    _send_plainly(port, ring)
    until(lambda: gateway.glance()["received"]["stored"] == 1, 10, "the message without TLS")
    assert f"without TLS at 0.0.0.0:{port} from other machines" in gateway.log.read_text("utf-8")
    assert f"no; WITHOUT TLS anybody may connect to 0.0.0.0:{port}," in gateway.noria("status")
    gateway.stop()
    said = gateway.noria("certificates", "make", "--name", "localhost")
    assert f"1 devices go on without TLS at 0.0.0.0:{port}" in said
    assert gateway.config.read_text("utf-8").splitlines() == [
        "# ours", 'broker_listen = "0.0.0.0:8883"  # every interface', 'language = "fr"',
        'broker_names = ["localhost"]', f'broker_plain_listen = "0.0.0.0:{port}"',
    ]  # fmt: skip
    with pytest.raises(CalledProcessError) as failed:
        gateway.noria("certificates", "make")
    assert "devices hold that CA" in failed.value.stderr
    tls_port = free_port()
    gateway.config.write_text(gateway.config.read_text("utf-8").replace("8883", str(tls_port)))
    gateway.start()
    try:
        _send_plainly(port, ring)
        until(lambda: gateway.glance()["received"]["stored"] == 2, 10, "another without TLS")
        client = _client((gateway.folder / "data/certificates/ca.pem").read_text("ascii"))
        client.connect("localhost", tls_port)
        client.loop_start()
        client.publish(ring.topic, ring.payload(ring.seal(time.time())), qos=1).wait_for_publish(5)
        until(lambda: gateway.glance()["received"]["stored"] == 3, 10, "one with TLS")
        client.disconnect()
        client.loop_stop()
        status = gateway.noria("status")
        assert re.search(rf"TLS +yes, .*; WITHOUT TLS .* connect to 0\.0\.0\.0:{port},", status)
    finally:
        gateway.stop()


def _client(ca: str = "") -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=DEVICE)
    client.username_pw_set(DEVICE, login(KEY))
    if ca:
        client.tls_set_context(ssl.create_default_context(cadata=ca))
    return client


def _send_plainly(port: int, ring: Ring) -> None:
    client = _client()
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(ring.topic, ring.payload(ring.seal(time.time())), qos=1).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('broker = "mqtt://b.example"', "mqtt://b.example': that broker has its own certificate"),
        ('broker_certificate = "a"\nbroker_key = "b"', "it has TLS already"),
        (
            'broker_names = [\n"a"]',
            'left as it is.*write it yourself: broker_names = \\["c", "a"\\]',
        ),
    ],
)
def test_make_names_what_stands_in_its_way_and_leaves_all_as_it_was(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "noria.toml"
    file.write_text(text)
    given = ("certificates", "make", "--name", "c", "--config", str(file))
    result = CliRunner().invoke(cli, given)
    assert re.search(said, str(result.exception)), result.exception
    assert isinstance(result.exception, NoriaError)
    assert file.read_text() == text and not list(tmp_path.glob("data/certificates/ca.*"))


def test_the_devices_page_names_what_is_plain_and_a_certificate_that_ends(tmp_path: Path) -> None:
    for text, plain, ending in (
        ("", False, False),
        ('broker_listen = "0.0.0.0:1883"\n', True, False),
        ('broker_certificate = "a.pem"\nbroker_key = "a.key"\n', False, True),
    ):
        folder = tmp_path / str(len(text))
        folder.mkdir()
        scene = scenes.make(folder, extra=text)
        facts.note(scene.settings, Served((), time.time() + 29 * 86400.0))
        with TestClient(create(scene.settings, scene.engine), follow_redirects=False) as client:
            sign_in(client, "sam")
            page = client.get("/devices").text
            well = client.get("/health").json()
        assert ("may connect without TLS at 0.0.0.0:1883" in page) == plain
        assert ("The broker’s certificate is not renewed." in page) == ending
        assert ("certificate" in well["failing"]) == ending
