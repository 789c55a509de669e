"""One contract for every reading store: SQLite, InfluxDB 1.8 and InfluxDB 2.9, all real."""

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.domain.inputs import Reading
from gateway.domain.registry import Registry, Site, Tank
from gateway.stores.influxdb import Access, InfluxStore
from gateway.stores.port import ReadingStore
from gateway.stores.sqlite import SqliteStore
from tests.integration.lines import unusable
from tests.parts.influxdb_service import InfluxDB
from tests.parts.influxdb_service import influxdb as running_influxdb

T0 = 1795212000.0
REGISTRY = Registry(
    sites={"north": (Site("north", "s1rid"),)},
    tanks={t: (Tank(t, f"{t}rid", "north"),) for t in ("a", "b", "c")},
)


@pytest.fixture(scope="module", params=["sqlite", "influxdb-1.8", "influxdb-2.9"])
def kind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InfluxDB | None]:
    """A running server of each InfluxDB version, or None for SQLite."""
    name: str = request.param
    if name == "sqlite":
        yield None
        return
    folder = tmp_path_factory.mktemp(name)
    with running_influxdb(name.removeprefix("influxdb-"), folder) as server:
        yield server


@pytest.fixture
def store(kind: InfluxDB | None, tmp_path: Path) -> Iterator[ReadingStore]:
    if kind is None:
        made: ReadingStore = SqliteStore(tmp_path / "readings.db")
    else:
        made = influx_store(kind.fresh())
    yield made
    made.close()


def influx_store(server: InfluxDB) -> InfluxStore:
    access = Access(server.url, server.org, server.bucket, server.token)
    return InfluxStore(access, lambda: REGISTRY, unusable)


def reading(
    tank: str = "a", at: float = T0, *, seq: int = 1, i: int = 0, volume_l: float | None = 500.5,
    device: str = "k7f3q5", boot: int = 1, channel: int = 0,
) -> Reading:  # fmt: skip
    return Reading(
        tank=tank, device=device, era="m4xq2lzt", boot=boot, seq=seq, i=i, channel=channel, at=at,
        received=at + 3.25, estimated=False, quantity="mm", value=412, spread=4, valid=7, tried=7,
        temperature_dc=-12, volume_l=volume_l, sd_l=4.25,
    )  # fmt: skip


def everything(store: ReadingStore) -> list[Reading]:
    return list(store.export())


def test_what_was_written_is_read_back_in_every_field(store: ReadingStore) -> None:
    no_echo = reading(seq=2, at=T0 + 0.125)._replace(
        estimated=True, value=None, spread=None, valid=0, tried=7,
        temperature_dc=None, volume_l=None, sd_l=None, fault="no_echo", quantity="g", channel=3,
        era="aaaaaaaa",
    )  # fmt: skip
    store.write([reading(), no_echo])
    assert list(store.export("a", T0, T0 + 1)) == [reading(), no_echo]


def test_writing_twice_keeps_one(store: ReadingStore) -> None:
    rows = [reading(seq=n, at=T0 + n) for n in range(1, 40)]
    store.write(rows)
    store.write(rows[10:])
    assert everything(store) == rows


def test_all_readings_of_one_second_are_kept(store: ReadingStore) -> None:
    rows = [
        reading(boot=boot, seq=seq, i=i, device=device)
        for device, boot, seq, i in itertools.product(("d2345a", "d2345b"), (1, 2), (7, 8), (0, 1))
    ]
    store.write(rows)
    assert everything(store) == rows


def test_a_range_includes_both_ends_and_no_other_tank(store: ReadingStore) -> None:
    rows = [reading(seq=n, at=T0 + n / 4) for n in range(9)]
    store.write([*rows, reading("b", T0 + 1)])
    assert list(store.export("a", T0 + 0.5, T0 + 1.25)) == rows[2:6]
    assert list(store.export("a", T0 + 99, T0 + 100)) == []
    assert list(store.export("nowhere", T0, T0 + 9)) == []


def test_export_is_ordered_by_tank_then_event_time(store: ReadingStore) -> None:
    rows = [reading("b", T0), reading("a", T0 + 5, seq=1), reading("a", T0 - 5, seq=2)]
    store.write(rows)
    assert everything(store) == [rows[2], rows[1], rows[0]]
    assert list(store.export(tank="a", start=T0)) == [rows[1]]
    assert list(store.export(end=T0)) == [rows[2], rows[0]]


def test_a_long_export_loses_nothing(store: ReadingStore) -> None:
    rows = [reading(seq=n, at=T0 + n // 7, i=n % 7) for n in range(12_001)]
    store.write(rows)
    assert sum(1 for _ in store.export()) == len(rows)
    assert {(r.seq, r.i) for r in store.export()} == {(r.seq, r.i) for r in rows}


def test_of_two_readings_with_one_key_in_a_large_batch_the_later_is_kept(
    store: ReadingStore,
) -> None:
    rows = [reading(tank, T0 + n, seq=n) for n in range(4000) for tank in "abc"]
    store.write(
        [reading("b", T0, seq=0, volume_l=1.5), *rows, reading("c", T0, seq=0, volume_l=2.5)]
    )
    kept = everything(store)
    assert len(kept) == len(rows)
    assert [kept[n].volume_l for n in (4000, 8000)] == [500.5, 2.5]


def test_within_one_second_readings_are_in_the_order_of_boot_and_sequence(
    store: ReadingStore,
) -> None:
    store.write([reading(boot=1000, seq=4), reading(boot=999, seq=5)])
    assert everything(store) == [reading(boot=999, seq=5), reading(boot=1000, seq=4)]


def test_removal_takes_exactly_these_rows(store: ReadingStore) -> None:
    rows = [reading(seq=n, at=T0 + n) for n in range(4)]
    store.write([*rows, reading("b", T0 + 3, seq=3)])
    store.remove([rows[1], rows[3]])
    assert everything(store) == [rows[0], rows[2], reading("b", T0 + 3, seq=3)]
    store.remove([rows[0], rows[2]])
    assert everything(store) == [reading("b", T0 + 3, seq=3)]
    assert list(store.export("a", T0, T0 + 9)) == []


def test_a_row_that_lost_its_litres_is_replaced_after_removal(store: ReadingStore) -> None:
    store.write([reading()])
    store.remove([reading()])
    store.write([reading(volume_l=None)])
    assert everything(store) == [reading(volume_l=None)]


def test_a_cleared_store_is_empty_and_can_be_filled_again(store: ReadingStore) -> None:
    store.write([reading()])
    store.clear()
    assert everything(store) == []
    store.write([reading("c")])
    assert everything(store) == [reading("c")]


def test_an_empty_store_accepts_every_call(store: ReadingStore) -> None:
    store.write([])
    store.remove([])
    assert everything(store) == []


_readings = st.builds(
    Reading,
    tank=st.sampled_from("abc"),
    device=st.sampled_from(["k7f3q5", "zzzzzz"]),
    era=st.sampled_from(["m4xq2lzt", "aaaaaaaa"]),
    boot=st.integers(1, 999),
    seq=st.integers(1, 999),
    i=st.integers(0, 999),
    channel=st.integers(0, 9),
    at=st.integers(0, 10_000_000_000).map(lambda ms: 1767225600 + ms / 1000),
    received=st.floats(1.7e9, 2e9),
    estimated=st.booleans(),
    quantity=st.sampled_from(["mm", "g", "pa"]),
    value=st.none() | st.integers(-(2**53) + 1, 2**53 - 1),
    spread=st.none() | st.integers(0, 2**31),
    valid=st.none() | st.integers(0, 255),
    tried=st.none() | st.integers(0, 255),
    temperature_dc=st.none() | st.integers(-500, 900),
    volume_l=st.none() | st.floats(-1e6, 1e6),
    sd_l=st.none() | st.floats(0, 1e6),
    fault=st.none() | st.sampled_from(["no_echo", 'odd "text", with\\ = signs']),
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(_readings, max_size=30, unique_by=lambda r: (r.tank, r.boot, r.seq, r.i)))
def test_any_reading_is_read_back_as_written(store: ReadingStore, rows: list[Reading]) -> None:
    store.clear()
    store.write(rows)
    wanted = sorted(
        rows, key=lambda r: (r.tank, r.at, r.device, r.era, r.boot, r.seq, r.channel, r.i)
    )
    assert everything(store) == wanted


def test_a_file_with_the_former_table_of_newest_readings_opens_without_it(tmp_path: Path) -> None:
    path = tmp_path / "readings.db"
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE latest (tank TEXT PRIMARY KEY, at REAL)")
        connection.commit()
    store = SqliteStore(path)
    store.write([reading()])
    assert everything(store) == [reading()]
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        assert [name for (name,) in tables] == ["reading"]
