"""The broker restarts with messages queued for a stopped gateway, and nothing is lost."""

import secrets
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from tests.integration.running_gateway import RunningGateway
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until
from tests.wire_node.node import Node
from tests.wire_node.sealed import drawn

BURST = 50


def test_a_restarted_broker_delivers_its_queue_and_no_incident_opens(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    gateway = RunningGateway(tmp_path / "noria", f'broker = "{mosquitto.url}"\n')
    nodes = [Node(drawn(7), secrets.token_bytes(32), mosquitto.port, "any") for _ in range(4)]
    gateway.enrol({node.ring.device: node.ring.key for node in nodes})
    gateway.start()
    for node in nodes:
        assert node.connection(1, time.time)
    gateway.stop()
    for node in nodes:
        assert not node.connection(BURST, time.time, wait_s=0.2)
    mosquitto.stop()
    mosquitto.start()
    gateway.start()
    try:
        sent = {message.text for node in nodes for message in node.ring.sealed}
        until(lambda: gateway.glance()["journal"]["messages"] == len(sent), 30, "all of it")
        kept = [line["payload"].split("\n")[0] for line in gateway.exported()]
        assert len(kept) == len(sent) == 4 * (1 + BURST)
        assert set(kept) == sent
        assert len(gateway.readings()) == len(sent)
        for node in nodes:
            assert node.finish(time.time)
        assert _incidents(gateway) == []
    finally:
        gateway.stop()


def _incidents(gateway: RunningGateway) -> list[str]:
    with closing(sqlite3.connect(gateway.folder / "data" / "noria.db")) as database:
        return [kind for (kind,) in database.execute("SELECT kind FROM incident")]
