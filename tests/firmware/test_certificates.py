"""Five certificates that no node may take, from a real TLS Mosquitto: refused, nothing lost."""

import datetime
import json
import os
import signal
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.firmware.board_at_work import DEVICE, KEY, Work, board
from tests.firmware.signing_gateway import SigningGateway
from tests.parts import require
from tests.parts.mosquitto_service import Mosquitto, mosquitto
from tests.parts.services import free_port, listening, until

CONFIG = """\
per_listener_settings false
allow_anonymous true
user root
listener {port} 127.0.0.1
certfile {folder}/broker.pem
keyfile {folder}/broker.key
listener PLAIN 127.0.0.1
log_dest stdout
"""
_YEAR = datetime.timedelta(days=365)
REASONS = {
    "wrong host": "Common Name",
    "expired": "has expired",
    "self-signed": "not correctly signed by the trusted CA",
    "wrong CA": "not correctly signed by the trusted CA",
    "not yet valid": "starts in the future",
}
"""MicroPython's TLS error for each certificate, in its ValueError."""
Key = ec.EllipticCurvePrivateKey


def _certificate(
    name: str,
    key: Key,
    issuer: str,
    signer: Key,
    *,
    ca: bool = False,
    begins: datetime.timedelta = -_YEAR,
    ends: datetime.timedelta = 10 * _YEAR,
) -> bytes:
    now = datetime.datetime(2026, 11, 25, tzinfo=datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    )
    return built.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Authority:
    """A P-256 CA of ours, another one, and the broker's key."""

    def __init__(self) -> None:
        self.key, self.other, self.broker = (ec.generate_private_key(ec.SECP256R1()) for _ in "abc")
        self.pem = _certificate("ca", self.key, "ca", self.key, ca=True)

    def certificate(self, kind: str) -> bytes:
        """The broker's certificate, good or wrong in one way."""
        name = "elsewhere.example" if kind == "wrong host" else "localhost"
        signer, issuer = self.key, "ca"
        if kind == "wrong CA":
            signer = self.other
        elif kind == "self-signed":
            signer, issuer = self.broker, name
        begins = _YEAR if kind == "not yet valid" else -2 * _YEAR
        ends = -_YEAR if kind == "expired" else 10 * _YEAR
        return _certificate(name, self.broker, issuer, signer, begins=begins, ends=ends)


def lay(folder: Path, authority: Authority, kind: str) -> None:
    """Write what the broker shows."""
    folder.mkdir(exist_ok=True)
    (folder / "broker.pem").write_bytes(authority.certificate(kind))
    (folder / "broker.key").write_bytes(
        authority.broker.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def broker(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority
) -> Iterator[tuple[Mosquitto, int]]:
    """A broker with TLS for the node, and a plain listener for the test's gateway."""
    plain, folder = free_port(), tmp_path_factory.mktemp("broker")
    lay(folder, authority, "good")
    with mosquitto(folder, CONFIG.replace("PLAIN", str(plain))) as running:
        until(lambda: listening(plain), 10, "the plain listener is there")
        yield running, plain


def _show(broker: Mosquitto, authority: Authority, kind: str) -> None:
    """The broker shows another certificate from now on."""
    lay(broker.folder, authority, kind)
    wanted = ssl.PEM_cert_to_DER_cert((broker.folder / "broker.pem").read_text("ascii"))
    os.kill(broker.pid, signal.SIGHUP)
    until(lambda: _shown(broker.port) == wanted, 5, f"the certificate: {kind}")


def _shown(port: int) -> bytes:
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("localhost", port)))


def _refusals(work: Work) -> int:
    return work.console.count("radio: MqttError")


@pytest.mark.parametrize("kind", list(REASONS))
def test_a_certificate_that_proves_nothing_is_refused_and_no_reading_is_lost(
    tmp_path: Path, authority: Authority, broker: tuple[Mosquitto, int], kind: str
) -> None:
    require("micropython")
    running, plain = broker
    _show(running, authority, kind)
    where = {"host": "localhost", "port": running.port, "ca": authority.pem.decode()}
    with (
        SigningGateway(plain, DEVICE, KEY) as gateway,
        board(tmp_path, running.port, broker=where) as work,
    ):
        gateway.clock = work.fleet.clock.now
        until(lambda: _refusals(work) >= 2 and work.count("sleep") >= 5, 40, "two refusals")
        assert gateway.messages == [] and REASONS[kind] in work.console
        assert work.count("stuck") == work.count("crash") == 0
        slept = work.count("sleep")
        _show(running, authority, "good")
        gateway.until(lambda: _whole(gateway) and _readings(gateway) >= slept, 60)


@pytest.mark.parametrize("wrong", ["CA", "port"])
def test_a_wrong_ca_or_port_given_by_orders_is_tried_and_given_up(
    tmp_path: Path, authority: Authority, broker: tuple[Mosquitto, int], wrong: str
) -> None:
    """The node goes back to what it had, says so, and no reading is lost."""
    require("micropython")
    running, plain = broker
    pem = _certificate("other", authority.other, "other", authority.other, ca=True)
    given = {"port": running.port, "ca": _base64(pem)}
    if wrong == "port":
        given = {"port": free_port(), "ca": _base64(authority.pem)}
    where = {"host": "localhost", "port": running.port, "ca": authority.pem.decode()}
    with (
        SigningGateway(plain, DEVICE, KEY) as gateway,
        board(tmp_path, running.port, broker=where) as work,
    ):
        gateway.clock = work.fleet.clock.now
        gateway.until(lambda: len(gateway.messages) >= 1)
        gateway.publish_json("down", {"v": 1, "n": 1795212000, "set": {}, "tls": given})
        gateway.until(lambda: _codes(gateway) == ["tls", "tls_back"], 60)
        assert _refusals(work) == 3
        slept = work.count("sleep")
        gateway.until(lambda: _whole(gateway) and _readings(gateway) >= slept, 60)
        gateway.publish_json("down", {"v": 1, "n": 1, "set": {}})  # for the next test's node


def _base64(pem: bytes) -> list[str]:
    return ["".join(pem.decode().split("-----")[2].split())]


def _codes(gateway: SigningGateway) -> list[str]:
    return [event["c"] for event in gateway.events if event["k"] == "conf" and not event["ok"]]


def _whole(gateway: SigningGateway) -> bool:
    """Whether the era's first message is here."""
    first = json.loads(gateway.ordered[0]) if gateway.ordered else {"seq": 0}
    return first["seq"] == 1 and first["prev"] == ""


def _readings(gateway: SigningGateway) -> int:
    return sum(len(message["r"]) for message in gateway.messages)


def test_a_clock_that_knows_nothing_still_checks_certificates_and_claims_no_time(
    tmp_path: Path, authority: Authority, broker: tuple[Mosquitto, int]
) -> None:
    """No NTP, so TLS is checked at the build's date; the gateway's ack then sets the clock."""
    require("micropython")
    running, plain = broker
    where = {"host": "localhost", "port": running.port, "ca": authority.pem.decode()}
    with (
        SigningGateway(plain, DEVICE, KEY) as gateway,
        board(tmp_path, running.port, broker=where, ntp="") as work,
    ):
        gateway.clock = work.fleet.clock.now
        gateway.until(lambda: len(gateway.messages) >= 3)
    first, *_, last = gateway.messages
    assert (first["t"], first["ts"]) == (0, "none") and last["ts"] == "gw"
    assert abs(last["t"] - work.fleet.clock.now()) < 36000
