"""What one message costs where gateways share a PostgreSQL: CPU and bytes, stage by stage.

CPU seconds rather than time on the wall: a busy machine does not change them. SCALING.md rests on
these figures.
"""

import os
import secrets
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.cluster.acks import ClusterAcks
from gateway.cluster.merge_order import MergeOrder
from gateway.cluster.reader import MergedReader
from gateway.cluster.registrar import ListeningFlag, Registrar
from gateway.database.engine import connect
from gateway.ingest.batch import Ingest
from gateway.journal.diary import Diary
from gateway.journal.messages import Arrival
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.projections.readings.projection import ReadingsProjection
from gateway.projections.watch.projection import WatchProjection
from gateway.registry import rows
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from gateway.stores.influxdb import Access, InfluxStore
from gateway.stores.port import ReadingStore
from gateway.stores.sqlite import SqliteStore
from tests.benchmarks.fleet import registry_of
from tests.committing import commit
from tests.parts.influxdb_service import influxdb as running_influxdb
from tests.parts.postgresql_service import PostgreSQL
from tests.parts.postgresql_service import postgresql as running_postgresql
from tests.wire_node.sealed import Ring, drawn

DEVICES, ROUNDS, BATCH = 500, 20, 500
MESSAGES = DEVICES * ROUNDS
LIMIT = 12.0
"""Registering over all journals may cost so many times what journaling in one costs."""


def _ticks(pid: int) -> int:
    """CPU of a process and of its ended children."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return 0
    return sum(map(int, fields[11:15]))


def _cpu_of(pid: int) -> float:
    """CPU seconds of a server and all its processes."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    return sum(_ticks(p) for p in (pid, *map(int, children))) / os.sysconf("SC_CLK_TCK")


def _size(*paths: Path) -> int:
    found = [p for path in paths for p in ([path] if path.is_file() else path.rglob("*"))]
    return sum(p.stat().st_blocks * 512 for p in found if p.is_file())


class Costs:
    """The table that is printed."""

    def __init__(self, server: int) -> None:
        self._server = server
        self.rows: dict[str, tuple[float, float]] = {}

    def of(self, name: str, run: Callable[[], object]) -> None:
        """CPU of this process and of the server, us for each message."""
        ours, theirs = time.process_time(), _cpu_of(self._server)
        run()
        spent = time.process_time() - ours, _cpu_of(self._server) - theirs
        self.rows[name] = (spent[0] / MESSAGES * 1e6, spent[1] / MESSAGES * 1e6)
        print(f"{name:34}{self.rows[name][0]:9.0f} us{self.rows[name][1]:9.0f} us")


@pytest.mark.benchmark
@pytest.mark.timeout(900)
def test_cost_of_a_message_by_stage(tmp_path: Path) -> None:
    with running_postgresql(durable=True) as cluster:
        _measure(tmp_path, cluster)


def _measure(folder: Path, cluster: PostgreSQL) -> None:
    engine = connect(cluster.fresh())
    rings = [Ring(drawn(8), secrets.token_bytes(32)) for _ in range(DEVICES)]
    begin = time.time() - ROUNDS * 600
    with engine.begin() as connection:
        rows.put(connection, registry_of(rings), begin)
    arrivals = [
        Arrival(r.topic, r.payload(r.seal(begin + 600 * n)).encode(), begin + 600 * n)
        for n in range(ROUNDS)
        for r in rings
    ]
    size = sum(len(a.payload) for a in arrivals) / MESSAGES
    print(f"\n{MESSAGES} messages of {size:.0f} bytes, one reading each, {DEVICES} devices")
    print(f"{'stage':34}{'gateway':>12}{'PostgreSQL':>12}")
    costs = Costs(cluster.service.pid)
    path = folder / "journal.db"
    journal = Journal(path, "g1")
    Diary(journal).open(begin, lambda: bytes(32), "bench")
    ingest = Ingest(journal, rows.load(engine))
    empty = _size(path)
    costs.of("admit, journal, leaf, fsync", lambda: _ingest(ingest, arrivals))
    journal.close()
    print(f"{'  journal':34}{(_size(path) - empty) / MESSAGES:9.0f} bytes")
    before = _database_size(engine)
    ears = ListeningFlag(listening=True)
    registrar = Registrar(engine, lambda: JournalReader(path), "g1", Wakeup(), Clock(), ears)
    with closing(JournalReader(path)) as reader, engine.begin() as connection:
        registrar._check(connection, reader)  # pyright: ignore[reportPrivateUsage]
    costs.of("register, line over all journals", lambda: _drain(registrar.turn))
    shared = _database_size(engine)
    print(f"{'  PostgreSQL, message':34}{(shared - before) / MESSAGES:9.0f} bytes")
    merging = MergeOrder(engine, Clock(), Wakeup())
    time.sleep(0.5)
    registrar.turn()
    costs.of("one order", lambda: _drain(merging.turn))
    ordered = _database_size(engine)
    print(f"{'  PostgreSQL, order':34}{(ordered - shared) / MESSAGES:9.0f} bytes")
    published: list[bytes] = []
    acks = ClusterAcks(
        engine, lambda _t, p, _r: published.append(p), Clock(), lambda: ingest.registry
    )
    costs.of(f"acks ({DEVICES} of the last messages)", lambda: _drain(acks.turn))
    watch = WatchProjection(engine, channels=["log"], outbox=Wakeup(), born=0.0, listening=True)
    costs.of("watch", lambda: _follow(watch, engine))
    print(f"{'  PostgreSQL, watch and tanks':34}"
          f"{(_database_size(engine) - ordered) / DEVICES:9.0f} bytes a tank")  # fmt: skip
    _stores(folder, engine, costs)
    one = costs.rows["admit, journal, leaf, fsync"]
    all_of = costs.rows["register, line over all journals"]
    assert sum(all_of) <= LIMIT * sum(one)
    assert len(published) == DEVICES
    engine.dispose()


def _stores(folder: Path, engine: sa.Engine, costs: Costs) -> None:
    file = SqliteStore(folder / "readings.db")
    costs.of("SQLite store", lambda: _fill(file, engine, "a"))
    file.close()
    print(f"{'  readings.db':34}{_size(folder / 'readings.db') / MESSAGES:9.0f} bytes")
    with running_influxdb("1.8", folder / "influxdb") as server:
        access = Access(url=server.url, org=server.org, bucket=server.bucket, token=server.token)
        known = rows.load(engine)
        store = InfluxStore(access, lambda: known, lambda _line, _reason: None)
        spent = _cpu_of(server.service.pid)
        costs.of("InfluxDB store, client", lambda: _fill(store, engine, "b"))
        spent = (_cpu_of(server.service.pid) - spent) / MESSAGES * 1e6
        store.close()
        wal = _size(folder / "influxdb" / "wal") / MESSAGES
    print(f"{'  InfluxDB 1.8 itself':34}{spent:9.0f} us, {wal:.0f} bytes in its log, uncompressed")


def _ingest(ingest: Ingest, arrivals: list[Arrival]) -> None:
    for at in range(0, len(arrivals), BATCH):
        commit(ingest, arrivals[at : at + BATCH], arrivals[at].received)


def _drain(turn: Callable[[], float]) -> None:
    while turn() == 0.0:
        pass


def _follow(watch: WatchProjection, engine: sa.Engine) -> None:
    reader, at = MergedReader(engine), 0
    while entries := reader.entries(at, 2000):
        watch.apply(entries)
        at = entries[-1].id


def _fill(store: ReadingStore, engine: sa.Engine, name: str) -> None:
    reader, at = MergedReader(engine), 0
    readings = ReadingsProjection(store, lambda: MergedReader(engine), engine, name)
    readings.restore()
    while entries := reader.entries(at, 2000):
        readings.apply(entries)
        at = entries[-1].id


def _database_size(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(
            sa.text("SELECT pg_database_size(current_database())")
        ).scalar_one()
