"""Gateway, Mosquitto and InfluxDB are killed with -9 in turn, at random moments under load.

Everything that the nodes measured is in the journal and in the store, each once; and people
received what they would have received without a kill: the same messages, in the order in which
they were made, through ``noria replay``. ``NORIA_KILLS=100`` makes it as long as the issue's bar.
"""

import itertools
import json
import os
import random
import secrets
import shutil
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from gateway.projections.replay import Replay
from gateway.registry import toml
from tests.e2e import tide
from tests.e2e.tide import SPEED, Sender, Tide
from tests.integration.running_gateway import RunningGateway
from tests.parts.influxdb_service import InfluxDB
from tests.parts.influxdb_service import influxdb as running_influxdb
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until

KILLS = int(os.environ.get("NORIA_KILLS", "6"))
SENDERS = 6
MOST_BETWEEN_S = 2.0
WITHOUT_FOLDER_EVERY = 2

WATER = {f"{change} {kind}" for change in ("opened", "updated", "closed")
         for kind in ("low", "critical")}  # fmt: skip


class Place:
    """Everything that can be killed, and the nodes that go on."""

    def __init__(self, folder: Path, broker: Mosquitto, influxdb: InfluxDB, begun: float) -> None:
        self.broker, self.influxdb = broker, influxdb
        self.gateway = RunningGateway(
            folder,
            f'broker = "{broker.url}"\nchannels = ["log"]\nstore = "influxdb"\n'
            f'influxdb_url = "{influxdb.url}"\ninfluxdb_org = "{influxdb.org}"\n'
            f'influxdb_bucket = "{influxdb.bucket}"\ninfluxdb_token = "{influxdb.token}"\n'
            f"clock_speed = {SPEED}\nclock_origin = {begun}\n",
        )
        self.tide = Tide(begun)
        self.senders = [Sender(n, broker.port, self.tide) for n in range(SENDERS)]
        self.registry = folder / "tanks.toml"
        self.registry.write_text(tide.registry(self.senders), "utf-8")
        self.gateway.noria("registry", "import", str(self.registry))
        self.brokers_killed = 0

    def kill_gateway(self) -> None:
        self.gateway.kill()
        self.gateway.start()

    def kill_broker(self) -> None:
        self.broker.kill()
        if self.brokers_killed % WITHOUT_FOLDER_EVERY:
            config = (self.broker.folder / "mosquitto.conf").read_text("utf-8")
            shutil.rmtree(self.broker.folder)
            self.broker.folder.mkdir()
            (self.broker.folder / "mosquitto.conf").write_text(config, "utf-8")
        self.brokers_killed += 1
        self.broker.start()

    def kill_influxdb(self) -> None:
        self.influxdb.service.kill()
        self.influxdb.service.start(self.influxdb.answers)

    def incidents(self) -> dict[str, list[tuple[str, ...]]]:
        """By tank, the incidents in order: what each was, and every alert that went out for it."""
        with closing(sqlite3.connect(self.gateway.folder / "data" / "noria.db")) as raw:
            rows = raw.execute(
                "SELECT i.tank, i.opened, i.id, o.change FROM incident i"
                " LEFT JOIN outbox o ON o.incident = i.id ORDER BY i.opened, o.change_number"
            ).fetchall()
        found: dict[tuple[str, str], list[str]] = {}
        for tank, _opened, incident, change in rows:
            alert = json.loads(change) if change else None
            found.setdefault((tank, incident), []).extend(
                [f"{alert['change']} {alert['kind']}"] if alert else []
            )
        return _by_tank(found)

    def undisturbed(self) -> dict[str, list[tuple[str, ...]]]:
        """The same, had every message arrived as it was made."""
        made = sorted(
            ((t, sender, message) for sender in self.senders for t, message in sender.made),
            key=lambda item: item[0],
        )
        run = Replay(toml.read(self.registry))
        found: dict[tuple[str, str], list[str]] = {}
        lines = (
            json.dumps({"received": t, "topic": sender.node.ring.topic,
                        "payload": sender.node.ring.payload(message)})
            for t, sender, message in made
        )  # fmt: skip
        for row in run.rows(lines):
            if row["type"] == "incident":
                alerts = found.setdefault((str(row["tank"]), str(row["id"])), [])
                alerts.extend([f"{row['change']} {row['kind']}"] if row["alert"] else [])
        assert not run.unusable
        return _by_tank(found)


def _by_tank(found: dict[tuple[str, str], list[str]]) -> dict[str, list[tuple[str, ...]]]:
    by_tank: dict[str, list[tuple[str, ...]]] = {}
    for (tank, _incident), alerts in found.items():
        by_tank.setdefault(tank, []).append(tuple(alerts))
    return by_tank


@pytest.mark.timeout(60 + 15 * KILLS)
def test_no_kill_loses_or_repeats_a_reading_or_an_incident(
    tmp_path: Path, mosquitto: Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("NORIA_SEED", secrets.randbelow(1 << 30)))
    chance = random.Random(seed)
    print(f"NORIA_SEED={seed}")
    with running_influxdb("1.8", tmp_path / "influxdb") as influxdb:
        place = Place(tmp_path / "noria", mosquitto, influxdb, time.time())
        place.gateway.start()
        try:
            for sender in place.senders:
                sender.thread.start()
            begun = time.monotonic()
            kills = (place.kill_gateway, place.kill_broker, place.kill_influxdb)
            for kill in itertools.islice(itertools.cycle(kills), KILLS):
                time.sleep(chance.uniform(0.0, MOST_BETWEEN_S))  # the moment is the test
                with place.tide.held():
                    kill()
            # Longer than a cycle, so that every tank has been low and refilled.
            until(lambda: place.tide.real_s > tide.CYCLE_S + 4, 60, "a whole cycle")
            tide.finish(place.senders, 60, lambda: place.gateway.log.read_text("utf-8")[-2000:])
            _measured_is_journaled_is_stored(place)
            incidents = place.incidents()
        finally:
            for sender in place.senders:
                sender.finishing.set()
            place.gateway.stop()
    undisturbed = place.undisturbed()
    kinds = {alert for of_tank in undisturbed.values() for each in of_tank for alert in each}
    assert kinds <= WATER, "the story has no other incident in it"
    assert incidents == undisturbed
    alerts = sum(len(each) for of_tank in incidents.values() for each in of_tank)
    assert alerts >= 3 * SENDERS, "each tank was low, critical and refilled"
    with capsys.disabled():
        messages = sum(len(sender.made) for sender in place.senders)
        number = sum(map(len, incidents.values()))
        print(
            f"\n{KILLS} kills in {time.monotonic() - begun:.0f} s, seed {seed}: {messages} "
            f"messages made, journaled and stored once; {number} incidents, {alerts} alerts, "
            "as undisturbed"
        )


def _measured_is_journaled_is_stored(place: Place) -> None:
    rings = [sender.node.ring for sender in place.senders]
    made = Counter((ring.topic, ring.payload(m)) for ring in rings for m in ring.sealed)
    assert set(made.values()) == {1}
    journaled = Counter((line["topic"], line["payload"]) for line in place.gateway.exported())
    assert journaled == made
    measured = Counter(
        (ring.device, ring.era, *m.place, json.loads(m.text)["r"][0]["mm"])
        for ring in rings
        for m in ring.sealed
    )
    stored = Counter(
        (r["device"], r["era"], r["boot"], r["seq"], r["mm"]) for r in place.gateway.readings()
    )
    assert stored == measured
    received = place.gateway.status()["received"]
    assert received["stored"] + received["late"] == len(made)
    assert (received["fork"], received["flagged"]) == (0, 0)
