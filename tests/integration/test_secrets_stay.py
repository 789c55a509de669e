"""A whole run with planted secrets: none is in a log, a topic, an answer or an export."""

import json
import secrets
import time
from pathlib import Path

import httpx
import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.integration.running_gateway import NORIA, RunningGateway
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import Service, free_port, until
from tests.unit import third_party as theirs
from tests.wire_node.node import Node
from tests.wire_node.sealed import Ring

KEY = secrets.token_bytes(32)
PLANTED = {
    "device key": KEY.hex(),
    "channel token": "chan-tok-5b1e77",
    "phone number": "33612345678",
    "metrics token": "metrics-token-81c3f0aa",
    "influx token": "influx-tok-9f22d1",
    "feeds' password": "feeds-pw-33ac90",
    "exact place": "50.9501234",
    "latitude": "5095012",
    "payload": "zz-payload-marker",
}
RAW = ("exact place", "latitude", "payload")
"""What the journal's own export contains, since it has every message unchanged."""
CHANNEL = f"json://{PLANTED['channel token']}@127.0.0.1:9/{PLANTED['phone number']}"


class Run:
    """A running gateway and server, their output, and the messages of their broker."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        folder.mkdir()
        self.folder, self.broker, self.port = folder, broker, free_port()
        files = {
            "channels.secret": CHANNEL,
            "influx.secret": PLANTED["influx token"],
            "metrics.secret": PLANTED["metrics token"],
            "feeds.secret": PLANTED["feeds' password"],
            "adapters.toml": theirs.MAPPING.replace(
                '"mqtt://127.0.0.1:1883"',
                f'"{broker.url}"\nuser = "feeds"\npassword_file = "feeds.secret"',
            ),
        }
        for name, text in files.items():
            (folder / name).write_text(text)
        self.gateway = RunningGateway(
            folder,
            f'broker = "{broker.url}"\nserver_listen = "127.0.0.1:{self.port}"\n'
            'channels_file = "channels.secret"\ninfluxdb_token_file = "influx.secret"\n'
            'metrics_token_file = "metrics.secret"\nadapters = "adapters.toml"\n',
        )
        self.gateway.enrol({"k7f3q5": KEY})
        (folder / "their.toml").write_text(theirs.REGISTRY)
        self.gateway.noria("registry", "import", str(folder / "their.toml"))
        self.gateway.start()
        self.server = Service(
            [*NORIA, "server", "--config", self.gateway.config], folder / "server.log"
        )
        self.server.start(lambda: "ready" in self.server.text())
        self.seen: list[bytes] = []
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = lambda _c, _d, m: self.seen.append(m.topic.encode() + m.payload)
        self.client.connect("127.0.0.1", broker.port)
        self.client.subscribe([("noria/1/live/#", 0), ("noria/1/+/ack", 0), ("noria/1/+/down", 0)])
        self.client.loop_start()

    def publishes(self, topic: str, payload: bytes | str) -> None:
        self.client.publish(topic, payload, qos=1).wait_for_publish(5)

    def outputs(self) -> dict[str, str]:
        """Every output of the installation by its name."""
        found = {
            "gateway's log": self.gateway.log.read_text(),
            "server's log": self.server.text(),
            "topics": b"\n".join(self.seen).decode("utf-8", "replace"),
        }
        for words in (
            ("status",), ("status", "--json"), ("registry", "export"), ("export", "readings"),
            ("device", "list"),
        ):  # fmt: skip
            found[f"noria {' '.join(words)}"] = self.gateway.noria(*words)
        for path in ("/health", "/metrics", "/", "/api/v1/tanks", "/api/v1/openapi.json"):
            answer = httpx.get(f"http://127.0.0.1:{self.port}{path}")
            found[path] = f"{answer.headers}\n{answer.text}"
        return found

    def close(self) -> None:
        self.client.loop_stop()
        self.client.disconnect()
        self.server.stop()
        self.gateway.stop()


def test_no_output_contains_a_secret(tmp_path: Path, mosquitto: Mosquitto) -> None:
    run = Run(tmp_path / "noria", mosquitto)
    try:
        exercise(run)
        outputs = run.outputs()
        journal = run.gateway.noria("journal", "export")
    finally:
        run.close()
    outputs |= {"gateway's log": run.gateway.log.read_text(), "server's log": run.server.text()}
    leaks = [
        f"{what} in {where}"
        for where, text in outputs.items()
        for what, secret in PLANTED.items()
        if secret in text
    ]
    assert leaks == []
    assert [what for what, secret in PLANTED.items() if secret in journal and what not in RAW] == []
    assert "could not be sent" in outputs["gateway's log"] or "outbox" in outputs["gateway's log"]
    assert all(outputs.values())


def exercise(run: Run) -> None:
    """Levels, an alert that no channel takes, a place, refusals, a lost broker, junk."""
    node = Node("k7f3q5", KEY, run.broker.port, "")
    assert node.connection(2, time.time)
    latitude, longitude = 5_095_012, 185_845
    ring = node.ring
    fix = {"o": 0, "k": "fix", "lat": latitude, "lon": longitude, "acc": 4}
    motion = {"o": 0, "k": "motion", "mg": 900, "ms": 41000}
    tilt = {"o": 0, "k": "tilt", "deg": 70}
    run.publishes(ring.topic, ring.payload(ring.seal(time.time(), e=[motion, tilt, fix])))
    until(lambda: run.gateway.glance()["outbox"]["waiting"] > 0, 15, "an alert waits")
    until(lambda: "outbox" in run.gateway.log.read_text(), 15, "a channel that accepts nothing")
    wrong = Ring("k7f3q5", bytes(32))
    run.publishes(wrong.topic, wrong.payload(wrong.seal(time.time(), x=PLANTED["payload"])))
    broken = {"Time": 20261125, "place": PLANTED["exact place"]}
    run.publishes(theirs.TASMOTA, json.dumps({**broken, "note": PLANTED["payload"]}))
    run.publishes(theirs.TASMOTA, theirs.tasmota(41.2))
    until(lambda: run.gateway.glance()["refused"]["bad_mac"] == 1, 10, "the wrong MAC")
    until(lambda: run.gateway.glance()["feeds"]["unreadable"] == 1, 10, "the unreadable one")
    run.broker.kill()
    until(lambda: not run.gateway.glance()["broker"]["connected"], 15, "the broker is lost")
    run.broker.start()
    until(lambda: run.gateway.glance()["broker"]["connected"], 15, "the broker is connected again")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_each_event_is_one_machine_readable_line(
    tmp_path: Path, mosquitto: Mosquitto, log_format: str
) -> None:
    gateway = RunningGateway(
        tmp_path / "noria", f'broker = "{mosquitto.url}"\nlog_format = "{log_format}"\n'
    )
    gateway.enrol({"k7f3q5": KEY})
    gateway.start()
    mosquitto.kill()
    until(lambda: "was lost" in gateway.log.read_text(), 15, "a warning")
    gateway.stop()
    lines = [text for text in gateway.log.read_text().splitlines() if text != "ready"]
    assert lines
    for text in lines:
        if log_format == "json":
            assert set(json.loads(text)) == {"time", "level", "from", "said"}
        else:
            assert text.startswith("time=") and " level=warning from=gateway." in text
