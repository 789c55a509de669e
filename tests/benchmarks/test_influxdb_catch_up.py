"""InfluxDB is away for a day of 500 tanks, in fast time, and comes back.

A reading every minute; nodes speak every ten, so a message carries ten. How fast one writer gets
the very same lines in, with nothing else to do, stands beside the result.
"""

import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway import database
from gateway.clock import Clock
from gateway.domain.heard import Reading
from gateway.ingest import Ingest
from gateway.journal.messages import Arrival
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.projections.readings import Readings
from gateway.projections.runner import Runner
from gateway.projections.wake import Wake
from gateway.registry import rows
from gateway.stores.influxdb import Access, InfluxStore
from tests.benchmarks import figures
from tests.benchmarks.fleet import Fleet
from tests.integration.lines import unusable
from tests.integration.running_gateway import RunningGateway
from tests.parts.influxdb_service import influxdb as running_influxdb
from tests.parts.services import listening, until

TANKS = 500
DAY_S = 86_400
SPEAK_S, READ_S = 600, 60
MESSAGES_A_BATCH = 5000
BAR_A_SECOND = 60_000
FLOOR = 0.3
"""Of what one writer reaches with the same lines and nothing else to do, on a busy machine."""
BEGIN = 1_795_212_000


@pytest.mark.benchmark
@pytest.mark.timeout(900)
@pytest.mark.parametrize("line", ["1.8", "2.9"])
def test_a_day_without_influxdb_is_caught_up(line: str, tmp_path: Path) -> None:
    gateway = RunningGateway(tmp_path / "noria", 'broker = "mqtt://127.0.0.1:1"\n')
    fleet = Fleet(TANKS)
    fleet.enrol(gateway)
    engine = database.connect(gateway.folder / "data" / "noria.db")
    journal_path = gateway.folder / "data" / "journal.db"
    wake = Wake()

    with running_influxdb(line, tmp_path / "influx") as server:
        access = Access(server.url, server.org, server.bucket, server.token)
        store = InfluxStore(access, lambda: registry, unusable)
        registry = rows.load(engine)
        server.service.kill()
        runner = Runner(
            Readings(store, lambda: JournalReader(journal_path), engine),
            lambda: JournalReader(journal_path), engine, wake, Clock(),
        )  # fmt: skip
        with closing(Journal(journal_path, "g1")) as journal:
            expected = _a_day(Ingest(journal, registry), fleet)
        runner.start()
        until(lambda: runner.trouble is not None, 30, "the store misses InfluxDB")
        server.service.start(lambda: listening(urlsplit(server.url).port or 0))
        before = runner.lag()
        begun = time.monotonic()
        wake.notify()
        until(lambda: runner.lag() < before, 60, "the store goes on")
        first = time.monotonic()
        until(lambda: runner.lag() == 0, 600, "the store has caught up")
        spent = time.monotonic() - first
        runner.stop()
        readings = list(store.export())
        alone = _alone(store, readings)
    rate = expected / spent
    figures.put(
        f"InfluxDB {line}: catch-up after a day away",
        f"{rate:.0f} readings/s (bar {BAR_A_SECOND})",
        f"{expected} readings in {spent:.1f} s, begun {first - begun:.1f} s after it was back; "
        f"the lines alone {alone:.0f}/s, ratio {rate / alone:.2f}",
    )
    assert len(readings) == expected
    assert len({(r.device, r.seq, r.i) for r in readings}) == expected
    assert rate / alone >= FLOOR


def _a_day(ingest: Ingest, fleet: Fleet) -> int:
    """Journal it; returns how many readings that is."""
    ages = range(SPEAK_S - READ_S, -1, -READ_S)
    batch: list[Arrival] = []
    number = 0
    for at in range(BEGIN, BEGIN + DAY_S, SPEAK_S):
        for ring in fleet.rings:
            mm = 300 + ring.seq % 500
            readings = [{"o": o, "mm": mm, "sp": 4, "n": 7, "of": 7, "tc": 112} for o in ages]
            message = ring.seal(at, up=10 + ring.seq * SPEAK_S, r=readings)
            ring.sealed.clear()
            batch.append(Arrival(ring.topic, ring.payload(message).encode(), float(at)))
            number += len(readings)
            if len(batch) == MESSAGES_A_BATCH:
                ingest.commit(batch, at)
                batch.clear()
    ingest.commit(batch, BEGIN + DAY_S)
    return number


def _alone(store: InfluxStore, readings: list[Reading]) -> float:
    """Readings/s of one writer that has nothing else to do."""
    begun = time.monotonic()
    store.write(readings)
    return len(readings) / (time.monotonic() - begun)
