"""An installation of a version without TLS: its warnings, and how it and its devices move."""

import os
import re
import signal
import ssl
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from gateway import settings
from gateway.database.engine import open_database
from gateway.errors import NoriaError
from gateway.mqtt.broker import login, mosquitto
from gateway.mqtt.broker.private import PrivateBroker
from gateway.mqtt.certificates import facts
from gateway.mqtt.certificates.facts import Served
from gateway.mqtt.certificates.folder import BROKER, CA, Folder
from server.app import create
from server.command.main import cli
from tests.browser import scenes
from tests.firmware.board_at_work import DEVICE, KEY, board
from tests.integration.running_gateway import RunningGateway
from tests.integration.test_server_access import sign_in
from tests.integration.tls_devices import run, send_plainly, waiting
from tests.parts import require
from tests.parts.services import free_port, listening, until
from tests.wire_node.sealed import Ring


def test_an_installation_of_before_moves_by_one_command_and_is_told(tmp_path: Path) -> None:
    """Its devices go on without TLS beside the new listener, which the command adds."""
    require("mosquitto")
    port = free_port()
    text = f'# ours\nbroker_listen = "0.0.0.0:{port}"  # every interface\nlanguage = "fr"\n'
    gateway = RunningGateway(tmp_path / "old", text)
    gateway.enrol({DEVICE: KEY})
    gateway.start()
    ring = Ring(DEVICE, KEY)
    send_plainly(port, ring)
    until(lambda: gateway.glance()["received"]["stored"] == 1, 10, "the message without TLS")
    assert f"without TLS at 0.0.0.0:{port} from other machines" in gateway.log.read_text("utf-8")
    assert f"no; WITHOUT TLS anybody may connect to 0.0.0.0:{port}," in run(gateway, "status")
    said = run(gateway, "certificates", "make", "--name", "localhost")
    assert f"1 devices go on without TLS at 0.0.0.0:{port}." in said
    assert gateway.config.read_text("utf-8").splitlines() == [
        "# ours", 'broker_listen = "0.0.0.0:8883"  # every interface', 'language = "fr"',
        'broker_names = ["localhost"]', f'broker_plain_listen = "0.0.0.0:{port}"',
    ]  # fmt: skip
    os.kill(int((gateway.folder / "data/broker/broker.pid").read_text()), signal.SIGKILL)
    until(lambda: "starting it again" in gateway.log.read_text("utf-8"), 10, "a new broker")
    until(lambda: listening(port), 10, "it listens as before: the gateway was not started again")
    until(lambda: _arrives(gateway, port, ring), 20, "another without TLS")
    gateway.stop()
    with pytest.raises(NoriaError) as failed:
        run(gateway, "certificates", "make")
    assert "devices hold that CA" in str(failed.value)
    tls_port = free_port()
    _edit(gateway, "8883", str(tls_port))
    broker = {"host": "localhost", "port": port, "login": DEVICE, "password": login(KEY)}
    try:
        run(gateway, "certificates", "give")  # the port of this test in place of 8883
        gateway.start()
        with board(tmp_path / "board", port, broker=broker) as work:
            until(lambda: waiting(gateway) == [], 60, "the node holds the CA")
            assert "1 of 1 answered" in run(gateway, "certificates", "show")
            status = run(gateway, "status")
            assert re.search(rf"TLS +yes, .*; WITHOUT TLS .* to 0\.0\.0\.0:{port},", status)
            gateway.stop()
            _edit(gateway, f'broker_plain_listen = "0.0.0.0:{port}"\n', "")
            gateway.start()
            stored = gateway.glance()["received"]["stored"]
            until(lambda: gateway.glance()["received"]["stored"] > stored, 40, "one with TLS")
            assert work.count("crash") == 0
        assert "WITHOUT TLS" not in run(gateway, "status")
    finally:
        gateway.stop()


def _arrives(gateway: RunningGateway, port: int, ring: Ring) -> bool:
    """Send once more: the killed broker may have forgotten the gateway's session."""
    before = gateway.glance()["received"]["stored"]
    send_plainly(port, ring)
    time.sleep(0.2)
    return gateway.glance()["received"]["stored"] > before


def _edit(gateway: RunningGateway, before: str, after: str) -> None:
    text = gateway.config.read_text("utf-8")
    assert before in text
    gateway.config.write_text(text.replace(before, after))


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


def test_the_trial_broker_has_tls_and_starts_again_for_a_new_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """amqtt reads its certificate as it starts; it keeps nothing that could be lost."""
    monkeypatch.setattr(mosquitto, "program", lambda: None)
    port = free_port()
    (tmp_path / "noria.toml").write_text(f'broker_listen = "0.0.0.0:{port}"\n')
    known = settings.read(tmp_path / "noria.toml")
    folder = Folder(known)
    folder.make(CA, time.time())
    broker = PrivateBroker(known, open_database(known))
    broker.start()
    try:
        before = ssl.get_server_certificate(("127.0.0.1", port))
        assert before == folder.certificate(BROKER).read_text("ascii")
        folder.issue(["localhost"], time.time())
        until(lambda: _shown(port) not in ("", before), 10, "the new certificate")
    finally:
        broker.stop()


def _shown(port: int) -> str:
    try:
        return ssl.get_server_certificate(("127.0.0.1", port))
    except OSError:
        return ""
