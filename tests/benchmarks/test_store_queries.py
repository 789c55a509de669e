"""What pages, exports and Grafana ask of a store, at 10 million rows beside 100,000.

The rows are the same in kind: a reading of a tank every ten minutes. A question about one tank and
one day has the same answer in both, so its ratio shows what the size of the store alone costs.
NORIA_BENCH_ROWS sets another size.
"""

import os
import sqlite3
import statistics
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gateway.domain.inputs import Reading
from gateway.domain.registry import Registry, Tank
from gateway.stores.influxdb import Access, InfluxStore
from gateway.stores.influxdb.query import QueryClient
from gateway.stores.port import ReadingStore
from gateway.stores.sqlite import SqliteStore
from tests.benchmarks import figures
from tests.parts.influxdb_service import InfluxDB

ROWS, BASE = int(os.environ.get("NORIA_BENCH_ROWS", "10000000")), 100_000
END, EVERY_S, DAY_S = 1_795_212_000, 600, 86_400
TIMES = 21
MOST = 10.0
"""A question about one tank's day may cost so many times more in a store 100 times as large."""
_FILL = """
WITH RECURSIVE t(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM t WHERE n + 1 < :tanks),
 r(k) AS (SELECT 0 UNION ALL SELECT k + 1 FROM r WHERE k + 1 < :each)
INSERT INTO reading (tank, at, device, era, boot, seq, channel, i, received, estimated, quantity,
 value, spread, valid, tried, temperature_dc, volume_l, sd_l, fault)
SELECT printf('tank-%04d', n), :end - 600.0 * (:each - 1 - k), printf('dev%04d', n), 'abcdefgh', 1,
 k + 1, 0, 0, :end - 600.0 * (:each - 1 - k) + 2, 0, 'mm', 300 + k % 500, 4, 7, 7, 112,
 800.0 - k % 500, 6.123, NULL FROM t, r"""


def _tanks(rows: int) -> int:
    return 500 if rows > 1_000_000 else 50


@pytest.mark.benchmark
@pytest.mark.timeout(1800)
def test_the_sqlite_store_answers_as_fast_when_it_is_large(tmp_path: Path) -> None:
    small, large = (_sqlite(tmp_path / f"{rows}.db", rows) for rows in (BASE, ROWS))
    size = (tmp_path / f"{ROWS}.db").stat().st_size / 1e6
    figures.put(f"SQLite store, {ROWS} rows", f"{size:.0f} MB", f"{size * 1e6 / ROWS:.0f} B a row")
    _compare("SQLite", small, large)
    _beside_plain_sql(tmp_path / f"{ROWS}.db", large)
    small.close()
    large.close()


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_influxdb_answers_as_fast_when_it_is_large(influxdb: InfluxDB) -> None:
    name = f"InfluxDB {influxdb.line}"
    small, large = (_influx(influxdb.fresh(), rows) for rows in (BASE, ROWS))
    _compare(name, small[0], large[0])
    asked = [_median_s(lambda one=one: _grafana(one)) for one in (small[1], large[1])]
    _put(name, "Grafana: mean of all tanks in 30 steps of a day", *asked)
    for store, asker in (small, large):
        store.close()
        asker.close()


def _compare(name: str, small: ReadingStore, large: ReadingStore) -> None:
    day = [_median_s(lambda s=s: _day(s)) for s in (small, large)]
    _put(name, "page of a tank: its last day", *day)
    week = [_median_s(lambda s=s: _week(s)) for s in (small, large)]
    _put(name, "export of one tank's week", *week)
    assert day[1] / day[0] <= MOST


def _put(name: str, what: str, small_s: float, large_s: float) -> None:
    figures.put(
        f"{name}, {ROWS} rows, {what}",
        f"{large_s / small_s:.2f} times as long as with {BASE}",
        f"{large_s * 1000:.2f} ms and {small_s * 1000:.2f} ms, median of {TIMES}",
    )


def _beside_plain_sql(path: Path, store: SqliteStore) -> None:
    """Reading a tank through the store, and the same rows by SQLite alone."""
    with closing(sqlite3.connect(path)) as connection:
        sql = "SELECT * FROM reading WHERE tank = 'tank-0007'"
        plain = _median_s(lambda: connection.execute(sql).fetchall())
    ours = _median_s(lambda: sum(1 for _ in store.export("tank-0007")))
    number = ROWS // _tanks(ROWS)
    figures.put(
        f"SQLite, {ROWS} rows, export of one tank",
        f"{number / ours:.0f} rows/s",
        f"{ours / plain:.2f} times as long as SQLite alone, {number} rows",
    )


def _median_s(ask: Callable[[], object]) -> float:
    taken: list[float] = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def _day(store: ReadingStore) -> None:
    assert len(list(store.export("tank-0007", END - DAY_S + 1, END))) == DAY_S // EVERY_S


def _week(store: ReadingStore) -> None:
    found = sum(1 for _ in store.export("tank-0007", END - 7 * DAY_S + 1, END))
    assert found == 7 * DAY_S // EVERY_S


def _grafana(asker: QueryClient) -> None:
    """As the dashboard asks for levels: a mean a step, for every tank."""
    since, until = (END - DAY_S) * 10**9, END * 10**9
    step = f"time > {since} AND time <= {until} GROUP BY time(48m), tank fill(none)"
    rows = asker.run(f'SELECT mean("volume_l") AS litres FROM reading WHERE {step}')  # noqa: S608
    assert len(rows) >= 50 * 30


def _sqlite(path: Path, rows: int) -> SqliteStore:
    store, tanks = SqliteStore(path), _tanks(rows)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(_FILL, {"tanks": tanks, "each": rows // tanks, "end": END})
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return store


def _influx(server: InfluxDB, rows: int) -> tuple[InfluxStore, QueryClient]:
    def unusable(text: str, reason: str) -> None:
        pytest.fail(f"{reason}: {text}")

    names = [f"tank-{n:04d}" for n in range(_tanks(rows))]
    known = Registry(tanks={name: (Tank(name, f"r{name[5:]}", "north"),) for name in names})
    access = Access(server.url, server.org, server.bucket, server.token)
    store, each = InfluxStore(access, lambda: known, unusable), rows // len(names)
    for first in range(0, each, 100):
        store.write(
            [
                _reading(n, k, each)
                for k in range(first, min(each, first + 100))
                for n in range(len(names))
            ]
        )
    return store, QueryClient(access)


def _reading(n: int, k: int, each: int) -> Reading:
    at = float(END - EVERY_S * (each - 1 - k))
    return Reading(
        f"tank-{n:04d}", f"dev{n:04d}", "abcdefgh", 1, k + 1, 0, at + 2, False, 0, at, "mm",
        300 + k % 500, 4, 7, 7, 112, 800.0 - k % 500, 6.123,
    )  # fmt: skip
