"""Third-party sensors through a real broker: journaled as published, marked as unsigned."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from fastapi.testclient import TestClient
from paho.mqtt.enums import CallbackAPIVersion

from gateway import settings as settings_module
from gateway.database.engine import connect as database_at
from gateway.journal.reader import JournalReader
from server.accounts import people
from server.app import create
from tests.browser.accounts import PASSWORD
from tests.integration.running_gateway import RunningGateway
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until
from tests.unit import third_party as theirs


class Site:
    """A gateway with seven feeds on a real Mosquitto, and a client that publishes to them."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.broker = broker
        folder.mkdir()
        mapping = theirs.MAPPING.replace("127.0.0.1:1883", f"127.0.0.1:{broker.port}")
        (folder / "adapters.toml").write_text(mapping)
        (folder / "their.toml").write_text(theirs.REGISTRY)
        self.gateway = RunningGateway(
            folder, f'broker = "{broker.url}"\nadapters = "adapters.toml"\nchannels = []\n'
        )
        self.gateway.noria("registry", "import", str(folder / "their.toml"))
        self.gateway.start()
        self.publisher = paho.Client(CallbackAPIVersion.VERSION2, client_id="them")
        self.publisher.connect("127.0.0.1", broker.port)
        self.publisher.loop_start()
        self.wait_subscribed()

    def wait_subscribed(self) -> None:
        """Wait until the gateway has subscribed to the feeds' topics."""

        def is_subscribed() -> bool:
            return self.gateway.glance()["feeds"]["brokers"] == {"home": {"connected": True}}

        until(is_subscribed, 10, "the feeds' session")

    def publish(self, topic: str, payload: bytes, retain: bool = False, qos: int = 1) -> None:
        self.publisher.publish(topic, payload, qos=qos, retain=retain).wait_for_publish(5)

    def counted(self, part: str, name: str, count: int) -> None:
        until(lambda: self.gateway.glance()[part][name] >= count, 10, f"{count} {part} {name}")
        assert self.gateway.glance()[part][name] == count

    def entries(self) -> list[Any]:
        reader = JournalReader(self.gateway.folder / "data" / "journal.db")
        found = [entry for entry in reader.all() if entry.kind == "msg"]
        reader.close()
        return found

    def api(self) -> dict[str, Any]:
        """All tanks of the API, by id."""
        settings = settings_module.read(self.gateway.config)
        until(lambda: self.gateway.glance()["projections"]["watch"]["lag"] == 0, 10, "the watch")
        with TestClient(create(settings)) as client:
            given = {"login": "van-1", "password": PASSWORD}
            token = client.post("/api/v1/session", json=given).json()["token"]
            head = {"Authorization": f"Bearer {token}"}
            tanks = client.get("/api/v1/tanks", headers=head).json()["tanks"]
            self.page = client.get("/tanks/s-1", headers=head).text
        return {tank["id"]: tank for tank in tanks}

    def close(self) -> None:
        self.publisher.loop_stop()
        self.publisher.disconnect()
        self.gateway.stop()


@pytest.fixture
def site(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Site]:
    made = Site(tmp_path / "noria", mosquitto)
    yield made
    made.close()


def utc(ago_s: float = 0) -> str:
    return datetime.fromtimestamp(time.time() - ago_s, UTC).isoformat()


def test_seven_projects_sensors_reach_the_page_marked_unsigned_from_end_to_end(site: Site) -> None:
    begun = time.time()
    sent = {
        theirs.TASMOTA: theirs.tasmota(41.2),
        theirs.ESPHOME: b"0.6120",
        theirs.CHIRPSTACK: theirs.chirpstack(12.0, utc(30)),
        theirs.THINGS: theirs.things(63.5, utc(60)),
        theirs.STATE: theirs.TASMOTA_STATE,
        theirs.VOLTS: b"3.91",
        theirs.ZIGBEE: theirs.zigbee(41, utc(90)),
        theirs.SHELLY: theirs.shelly(1.3),
        theirs.RTL_433: theirs.rtl_433(42, begun - 120),
    }
    for topic, payload in sent.items():
        site.publish(topic, payload)
    site.counted("received", "stored", 9)
    entries = site.entries()
    assert {entry.topic: entry.payload for entry in entries} == sent
    assert {entry.auth for entry in entries} == {"unsigned"}
    assert all(entry.lines["auth"] == "unsigned" for entry in entries)
    readings = {r["tank"]: r for r in site.gateway.readings()}
    assert readings["s-1"]["mm"] == 412 and readings["s-2"]["mm"] == 612
    assert readings["s-3"]["pa"] == 4903 and readings["s-4"]["bp"] == 6350
    assert readings["s-4"]["volume_l"] == pytest.approx(635)
    assert readings["s-5"]["volume_l"] == pytest.approx(410)
    assert readings["s-6"]["pa"] == 6895 and readings["s-7"]["mm"] == 420  # 1 psi
    assert readings["s-1"]["tc"] == 112 and readings["s-7"]["tc"] == 150
    assert {(r["auth"], r["era"]) for r in readings.values()} == {("unsigned", "unsigned")}
    assert readings["s-3"]["at"] == pytest.approx(begun - 30, abs=3)
    assert readings["s-4"]["at"] == pytest.approx(begun - 60, abs=3)
    assert readings["s-5"]["at"] == pytest.approx(begun - 90, abs=3)
    assert readings["s-6"]["at"] == pytest.approx(begun, abs=10)
    assert readings["s-7"]["at"] == pytest.approx(begun - 120, abs=3)
    database = database_at(site.gateway.folder / "data" / "noria.db")
    people.add(database, "Van 1", "volunteer", PASSWORD, time.time(), "van-1")
    database.dispose()
    tanks = site.api()
    assert {tanks[t]["auth"] for t in ("s-1", "s-2", "s-3", "s-4")} == {"unsigned"}
    assert tanks["s-4"]["volume_l"] == pytest.approx(635)
    assert "its figures are not signed" in site.page
    rows = [json.loads(line) for line in exported(site)]
    again = [row for row in rows if "topic" in row]
    assert {row["topic"] for row in again} == {f"noria/1/{device}/up" for device in theirs.FEEDS}
    levels = replayed(site)
    assert {r["tank"]: r["volume_l"] for r in levels if r["type"] == "level"} == {
        tank: reading["volume_l"] for tank, reading in readings.items()
    }


def exported(site: Site) -> list[str]:
    return site.gateway.noria("journal", "export").splitlines()


def replayed(site: Site) -> list[dict[str, Any]]:
    recording = site.gateway.folder / "recording.jsonl"
    recording.write_text("\n".join(exported(site)) + "\n")
    registry = site.gateway.folder / "exported.toml"
    registry.write_text(site.gateway.noria("registry", "export"))
    output = site.gateway.noria("replay", "--registry", str(registry), str(recording))
    return [json.loads(line) for line in output.splitlines()]


def test_a_retained_message_makes_no_reading(site: Site) -> None:
    site.publish(theirs.ESPHOME, b"0.6120", retain=True)
    site.counted("received", "stored", 1)  # the retain flag is set for later subscribers only
    site.gateway.stop()
    site.gateway.start()
    site.counted("feeds", "retained", 1)
    site.publish(theirs.ESPHOME, b"0.6130", qos=0)
    site.counted("received", "stored", 2)
    assert [e.payload for e in site.entries()] == [b"0.6120", b"0.6130"]


def test_the_broker_keeps_messages_while_the_gateway_is_down(site: Site) -> None:
    site.publish(theirs.THINGS, theirs.things(60, utc(600), 1))
    site.counted("received", "stored", 1)
    site.gateway.kill()
    site.publish(theirs.THINGS, theirs.things(50, utc(300), 2))
    site.publish(theirs.ESPHOME, b"0.7")
    site.gateway.start()
    site.counted("received", "stored", 2)
    site.counted("received", "flagged", 1)  # journaled, but not shown: its age is unknown
    assert [r["volume_l"] for r in site.gateway.readings()] == [600, 500]
    assert [e.flag for e in site.entries()] == [None, None, "no_time"]


def test_a_redelivered_uplink_is_journaled_once_and_an_equal_new_one_again(site: Site) -> None:
    for _ in range(2):
        site.publish(theirs.CHIRPSTACK, theirs.chirpstack(12.0, utc(9)))  # one deduplicationId
    site.counted("received", "stored", 1)
    site.counted("received", "duplicate", 1)
    other = "0d1c3d4f-2a57-4a4e-9f0e-1c1f8e2b9d11"
    site.publish(theirs.CHIRPSTACK, theirs.chirpstack(12.0, utc(), other))
    for _ in range(2):
        site.publish(theirs.ESPHOME, b"0.6120")  # the same level, measured twice
    site.counted("received", "stored", 4)


def test_a_tank_has_either_a_device_with_a_key_or_a_feed(
    site: Site,
) -> None:
    keyed = f'[[device]]\nid = "k7f3q5"\ntank = "s-1"\nkey = "{bytes(range(32)).hex()}"\n'
    file = site.gateway.folder / "keyed.toml"
    for text in (keyed, keyed.replace('"s-1"', '"s-9"') + _NINTH + _MOVED):
        file.write_text(text)
        with pytest.raises(Exception, match="returned non-zero") as error:
            site.gateway.noria("registry", "import", str(file))
        assert "an unsigned feed needs a tank of its own" in getattr(error.value, "stderr", "")
    file.write_text(keyed.replace('"s-1"', '"s-9"') + _NINTH)
    site.gateway.noria("registry", "import", str(file))
    file.write_text('[[device]]\nid = "feedhh"\ntank = "s-9"\nunsigned = true\n')
    with pytest.raises(Exception, match="returned non-zero") as error:
        site.gateway.noria("registry", "import", str(file))
    assert "s-9 has k7f3q5, which signs" in getattr(error.value, "stderr", "")


_NINTH = '[[tank]]\nid = "s-9"\nsite = "south"\nshape = "ibc1000"\nsensor_height_mm = 1100\n'
_MOVED = '[[install]]\ndevice = "k7f3q5"\ntank = "s-1"\nfrom = 2026-12-01T00:00:00Z\n'


def test_unreadable_messages_are_counted_and_others_are_journaled(site: Site) -> None:
    site.publish(theirs.TASMOTA, b"{")
    site.publish(theirs.TASMOTA, b'{"Time":"2026-11-25T21:00:00","BMP280":{"Pressure":1013}}')
    site.publish(theirs.THINGS, theirs.things(60, utc(), simulated=True))
    site.publish(theirs.ESPHOME, b"0.6120")
    site.counted("received", "stored", 2)  # the device spoke, although its level is missing
    site.counted("feeds", "unreadable", 2)
    assert site.gateway.glance()["journal"]["messages"] == 2
    until(lambda: len(site.gateway.glance()["feeds"].get("problems", {})) == 2, 10, "the reasons")
    text = site.gateway.noria("status")
    assert "1 without a readable level, the newest: simulated" in text
    assert "there is no SR04" in text
