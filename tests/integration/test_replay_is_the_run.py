"""``noria journal export | noria replay`` has the same incidents as the gateway had live."""

import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
import sqlalchemy as sa
from paho.mqtt.enums import CallbackAPIVersion

from gateway.alerts import claims
from gateway.database.engine import connect as database_at
from gateway.database.tables import fact, incident
from gateway.runtime.clock import Clock
from tests.integration.running_gateway import RunningGateway
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until
from tests.wire_node.sealed import Ring

SPEED = 600.0
EVERY_S = 300  # of the installation's clock: half a second
DEVICES = ("aaaaaa", "bbbbbb", "cccccc", "dddddd")


class Camp:
    """Four devices on a real broker, and a gateway whose clock runs 600 times faster."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.broker = broker
        self.clock = Clock(SPEED, time.time())
        self.gateway = RunningGateway(
            folder,
            f'broker = "{broker.url}"\nchannels = []\n'
            f"clock_speed = {SPEED}\nclock_origin = {self.clock.origin}\n",
        )
        self.rings: dict[str, Ring] = {
            device: Ring(device, secrets.token_bytes(32)) for device in DEVICES
        }
        place = folder / "place.toml"
        place.write_text(
            '[[site]]\nid = "north"\n'
            + "".join(
                f'[[tank]]\nid = "t-{d[0]}"\nsite = "north"\nshape = "ibc1000"\nempty_l = 20\n'
                f'sensor_height_mm = 1100\ntaps = 4\n[[device]]\nid = "{d}"\ntank = "t-{d[0]}"\n'
                f'key = "{ring.key.hex()}"\nuplink = "{"shared" if d > "b" else "own"}"\n'
                for d, ring in self.rings.items()
            )
        )
        self.gateway.noria("registry", "import", str(place))
        self.gateway.start()
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.reconnect_delay_set(0, 1)
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        self.litres: dict[str, float] = dict.fromkeys(DEVICES, 700.0)

    def sends(self, device: str, **more: Any) -> None:
        ring = self.rings[device]
        mm = round(1100 - self.litres[device] / 1.0716)
        reading = {"o": 0, "mm": mm, "sp": 3, "n": 7, "of": 7, "tc": 150}
        sealed = ring.seal(self.clock.now(), next=EVERY_S, r=[reading], **more)
        self.client.publish(ring.topic, ring.payload(sealed), qos=1)

    def rounds(self, count: int, *devices: str) -> None:
        """Each of these devices sends so many messages, half a second apart."""
        for _ in range(count):
            for device in devices:
                self.sends(device)
            time.sleep(EVERY_S / SPEED)  # the story's own pace, not a wait for something

    def opened(self, kind: str) -> str | None:
        """The id of an open incident of this kind."""
        engine = database_at(self.gateway.folder / "data" / "noria.db")
        query = sa.select(incident.c.id).where(incident.c.kind == kind, incident.c.closed.is_(None))
        with engine.connect() as connection:
            found = connection.execute(query).scalar()
        engine.dispose()
        return found

    def close(self) -> None:
        self.client.loop_stop()
        self.client.disconnect()
        self.gateway.stop()


@pytest.fixture
def camp(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Camp]:
    made = Camp(tmp_path / "noria", mosquitto)
    yield made
    made.close()


_COMPARED = (
    "id", "change", "at", "received", "kind", "probability", "causes", "auth", "alert",
)  # fmt: skip


def live_incidents(camp: Camp) -> list[dict[str, Any]]:
    """Every incident change in order, as the leaves have it."""
    engine = database_at(camp.gateway.folder / "data" / "noria.db")
    query = sa.select(fact.c.body).where(fact.c.kind == "inc").order_by(fact.c.id)
    with engine.connect() as connection:
        bodies = connection.execute(query).scalars().all()
    engine.dispose()
    return [{name: body[name] for name in _COMPARED} for body in bodies]


def replayed_incidents(camp: Camp) -> list[dict[str, Any]]:
    recording = camp.gateway.folder / "recording.jsonl"
    recording.write_text(camp.gateway.noria("journal", "export"))
    registry = camp.gateway.folder / "registry.toml"
    registry.write_text(camp.gateway.noria("registry", "export", "--with-keys"))
    output = camp.gateway.noria(
        "replay", "--registry", str(registry), "--only", "incident", str(recording)
    )
    rows = [json.loads(line) for line in output.splitlines()]
    return [{name: row[name] for name in _COMPARED} for row in rows]


def a_person_closes(camp: Camp, kind: str) -> None:
    engine = database_at(camp.gateway.folder / "data" / "noria.db")
    found = camp.opened(kind)
    assert found is not None
    with engine.begin() as connection:
        assert claims.close(connection, found, "person", camp.clock.now(), "mistaken")
    engine.dispose()


def test_a_live_run_and_the_replay_of_its_journal_have_the_same_incidents(camp: Camp) -> None:
    camp.rounds(4, *DEVICES)
    camp.litres["aaaaaa"] = camp.litres["dddddd"] = 250
    camp.rounds(3, *DEVICES)
    until(lambda: camp.opened("low") is not None, 10, "water is low")
    camp.litres["dddddd"] = 120
    camp.rounds(3, *DEVICES)
    until(lambda: camp.opened("critical") is not None, 10, "one is critical")
    camp.sends("bbbbbb", e=[{"o": 0, "k": "motion", "mg": 900, "ms": 41000},
                           {"o": 0, "k": "tilt", "deg": 64}])  # fmt: skip
    camp.gateway.kill()
    camp.rounds(2, "aaaaaa", "cccccc", "dddddd")
    camp.gateway.start()
    camp.rounds(3, "aaaaaa", "cccccc", "dddddd")
    until(lambda: camp.opened("seized") is not None, 15, "one is taken")
    a_person_closes(camp, "low")
    camp.broker.kill()
    camp.broker.start()
    camp.rounds(4, "aaaaaa", "dddddd")
    until(lambda: camp.opened("silent") is not None, 20, "one is silent")
    camp.litres["aaaaaa"] = 900
    camp.rounds(8, "aaaaaa", "cccccc", "dddddd")
    until(lambda: camp.gateway.glance()["projections"]["watch"]["lag"] == 0, 10, "the watch")
    camp.gateway.stop()
    live, again = live_incidents(camp), replayed_incidents(camp)
    kinds = {row["kind"] for row in live}
    assert {"low", "seized", "silent"} <= kinds
    assert {row["change"] for row in live} == {"opened", "updated", "closed"}
    assert again == live
