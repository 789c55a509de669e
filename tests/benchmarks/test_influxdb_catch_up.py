"""InfluxDB is away for a day of 500 tanks, in fast time, and comes back.

A reading every minute; nodes send every ten, so a message carries ten. The whole gateway runs,
its watch has processed the day already. Compared with it are our own writer alone,
and ``influxdb-client`` writing the same lines, made in advance.
"""

import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS

from gateway.database.engine import connect
from gateway.ingest.batch import Ingest
from gateway.journal.messages import Arrival
from gateway.journal.writer import Journal
from gateway.registry import rows
from gateway.stores.influxdb import Access, InfluxStore
from gateway.stores.influxdb.line import reading_line
from tests.benchmarks import figures
from tests.benchmarks.fleet import Fleet
from tests.committing import commit
from tests.integration.running_gateway import RunningGateway
from tests.parts.influxdb_service import InfluxDB
from tests.parts.influxdb_service import influxdb as running_influxdb
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import listening, until

TANKS = 500
DAY_S = 86_400
SEND_S, READ_S = 600, 60
MESSAGES_A_BATCH = 5000
LINES_A_REQUEST = 5000
BAR_A_SECOND = 60_000
FLOOR = 0.3
"""Of what one writer reaches that makes and writes the same lines and does nothing else, on a busy
machine."""
BEGIN = 1_795_212_000
LOOK_S = 0.25


@pytest.mark.benchmark
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("line", ["1.8", "2.9"])
def test_a_day_without_influxdb_is_caught_up(
    line: str, tmp_path: Path, mosquitto: Mosquitto
) -> None:
    fleet = Fleet(TANKS)
    with running_influxdb(line, tmp_path / "influx") as server:
        gateway = _gateway(tmp_path / "noria", mosquitto, server)
        fleet.enrol(gateway)
        engine = connect(gateway.folder / "data" / "noria.db")
        registry = rows.load(engine)
        with closing(Journal(gateway.folder / "data" / "journal.db", "g1")) as journal:
            expected = _a_day(Ingest(journal, registry), fleet)
        server.service.kill()
        gateway.start()
        try:
            until(lambda: _lag(gateway, "watch") == 0, 600, "the watch has read the day")
            before = figures.cpu_s(gateway.pid)
            server.service.start(lambda: listening(urlsplit(server.url).port or 0))
            theirs = figures.cpu_s(server.service.pid)
            behind = _lag(gateway, "store")
            until(lambda: _lag(gateway, "store") < behind, 90, "the store goes on")
            first = time.monotonic()
            _wait(gateway, "the store has not caught up")
            spent = time.monotonic() - first
            ours = (figures.cpu_s(gateway.pid) - before) / expected * 1e6
            theirs = (figures.cpu_s(server.service.pid) - theirs) / expected * 1e6
        finally:
            gateway.stop()
        store = InfluxStore(_access(server), lambda: registry, lambda text, why: pytest.fail(why))
        readings = list(store.export())
        begun = time.monotonic()
        store.write(readings)
        alone = len(readings) / (time.monotonic() - begun)
        lines = [reading_line(reading, "rid", "site") for reading in readings]
        client = _client_alone(server, lines)
        store.close()
    rate = expected / spent
    figures.put(
        f"InfluxDB {line}: catch-up after a day away, the whole gateway",
        f"{rate:.0f} readings/s (bar {BAR_A_SECOND})",
        f"{expected} readings in {spent:.1f} s; one writer of the same readings {alone:.0f}/s, "
        f"ratio {rate / alone:.2f}; influxdb-client with lines made beforehand {client:.0f}/s; "
        f"CPU a reading: gateway {ours:.1f} us, InfluxDB {theirs:.1f} us; Node-RED in batches of "
        "500: 11,900/s (issue, another day)",
    )
    assert len(readings) == expected
    assert len({(r.device, r.seq, r.i) for r in readings}) == expected
    assert rate / alone >= FLOOR


def _gateway(folder: Path, broker: Mosquitto, server: InfluxDB) -> RunningGateway:
    return RunningGateway(
        folder,
        f'broker = "{broker.url}"\nchannels = ["log"]\nstore = "influxdb"\n'
        f'influxdb_url = "{server.url}"\ninfluxdb_org = "{server.org}"\n'
        f'influxdb_bucket = "{server.bucket}"\ninfluxdb_token = "{server.token}"\n'
        'gateway_id = "g1"\n',
    )


def _access(server: InfluxDB) -> Access:
    return Access(server.url, server.org, server.bucket, server.token)


def _wait(gateway: RunningGateway, what: str) -> None:
    """Until the store has caught up. Looking costs the two cores something too: four times a s."""
    deadline = time.monotonic() + 600
    while _lag(gateway, "store") > 0:
        assert time.monotonic() < deadline, what
        time.sleep(LOOK_S)


def _lag(gateway: RunningGateway, projection: str) -> int:
    """A projection that never ran to its end has no cursor yet."""
    found = gateway.glance()
    return found["projections"].get(projection, {"lag": found["journal"]["leaves"]})["lag"]


def _a_day(ingest: Ingest, fleet: Fleet) -> int:
    """Journal it; returns how many readings that is."""
    ages = range(SEND_S - READ_S, -1, -READ_S)
    batch: list[Arrival] = []
    number = 0
    for at in range(BEGIN, BEGIN + DAY_S, SEND_S):
        for ring in fleet.rings:
            mm = 300 + ring.seq % 500
            readings = [{"o": o, "mm": mm, "sp": 4, "n": 7, "of": 7, "tc": 112} for o in ages]
            message = ring.seal(at, up=10 + ring.seq * SEND_S, r=readings)
            ring.sealed.clear()
            batch.append(Arrival(ring.topic, ring.payload(message).encode(), float(at)))
            number += len(readings)
            if len(batch) == MESSAGES_A_BATCH:
                commit(ingest, batch, at)
                batch.clear()
    commit(ingest, batch, BEGIN + DAY_S)
    return number


def _client_alone(server: InfluxDB, lines: list[str]) -> float:
    """Lines/s of the client, one request after the other."""
    requests = [
        "\n".join(lines[start : start + LINES_A_REQUEST]).encode()
        for start in range(0, len(lines), LINES_A_REQUEST)
    ]
    with InfluxDBClient(url=server.url, token=server.token, org=server.org) as client:
        api = client.write_api(write_options=SYNCHRONOUS)
        begun = time.monotonic()
        for request in requests:
            api.write(bucket=server.bucket, record=request)
        return len(lines) / (time.monotonic() - begun)
