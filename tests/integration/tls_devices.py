"""Devices of an installation with TLS, and commands on it, for tests."""

import ssl
import time

import paho.mqtt.client as paho
from click.testing import CliRunner
from paho.mqtt.enums import CallbackAPIVersion

from gateway import settings
from gateway.database.engine import open_database
from gateway.devices import broker_trust
from gateway.mqtt.broker import login
from gateway.registry import rows
from server.command.main import cli
from tests.firmware.board_at_work import DEVICE, KEY
from tests.integration.running_gateway import RunningGateway
from tests.wire_node.sealed import Ring


def run(gateway: RunningGateway, *words: str) -> str:
    """The output of a command, run in this process. Raises NoriaError."""
    result = CliRunner().invoke(cli, [*words, "--config", str(gateway.config)])
    if result.exception is not None:
        raise result.exception
    return result.output


def waiting(gateway: RunningGateway) -> list[str]:
    """The devices that are not known to hold the present CAs."""
    known = settings.read(gateway.config)
    engine = open_database(known)
    with engine.connect() as connection:
        registry = rows.load_from(connection)
        found = broker_trust.waiting(connection, registry, broker_trust.present(known))
    engine.dispose()
    return found


def client_of(ca: str = "") -> paho.Client:
    """A client with the device's login; with ``ca``, by TLS."""
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id=DEVICE)
    client.username_pw_set(DEVICE, login(KEY))
    if ca:
        client.tls_set_context(ssl.create_default_context(cadata=ca))
    return client


def send_plainly(port: int, ring: Ring) -> None:
    """Send a new message without TLS."""
    client = client_of()
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.publish(ring.topic, ring.payload(ring.seal(time.time())), qos=1).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()
