"""Refusals by real InfluxDB servers: transient ones raise, unusable lines are set aside singly."""

import dataclasses
from pathlib import Path

import pytest

from gateway.errors import StoreError
from gateway.stores.influxdb import line
from gateway.stores.influxdb.access import Access
from gateway.stores.influxdb.line_writer import LineWriter
from gateway.stores.influxdb.query import QueryClient
from tests.parts.influxdb_service import InfluxDB
from tests.parts.influxdb_service import influxdb as running_influxdb
from tests.parts.services import free_port

T0_NS = 1795212000 * 10**9


class Scene:
    """A writer on one server; ``aside`` collects what it set aside."""

    def __init__(self, server: InfluxDB, **changed: str) -> None:
        given = Access(server.url, server.org, server.bucket, server.token)
        self.access = dataclasses.replace(given, **changed)
        self.aside: list[tuple[str, str]] = []
        self.writer = LineWriter(
            self.access, lambda text, reason: self.aside.append((text, reason))
        )

    def values(self) -> list[object]:
        return [row["x"] for row in QueryClient(self.access).run("SELECT x FROM m")]


def lines(*values: str) -> list[str]:
    return [f"m x={value} {T0_NS + n}" for n, value in enumerate(values)]


def test_one_bad_line_is_set_aside_and_its_neighbours_are_written(influxdb: InfluxDB) -> None:
    scene = Scene(influxdb)
    batch = lines("1i", "2i", "3.5", "4i", "5i", "6i", "7i")
    scene.writer.write(batch[:1])  # sets the type of the field
    scene.writer.write(batch)
    assert scene.values() == [1, 2, 4, 5, 6, 7]
    assert [text for text, _ in scene.aside] == [batch[2]]
    assert "field type conflict" in scene.aside[0][1]


def test_a_malformed_line_is_set_aside_with_the_servers_reason(influxdb: InfluxDB) -> None:
    scene = Scene(influxdb)
    scene.writer.write(["m x=1i 1", "m x= 2", "m x=3i 3"])
    assert scene.values() == [1, 3]
    ((text, reason),) = scene.aside
    assert text == "m x= 2"
    assert "missing field value" in reason


def test_what_is_refused_for_every_line_is_no_lines_fault(influxdb: InfluxDB) -> None:
    """As from a bucket whose field has another type: the lines wait until it has been mended."""
    Scene(influxdb).writer.write([f'm x="a text" {T0_NS - 1}'])
    scene = Scene(influxdb)
    with pytest.raises(StoreError, match="refuses all of 3 lines"):
        scene.writer.write(lines("1i", "2i", "3i"))
    assert scene.aside == []
    QueryClient(scene.access).run("DROP MEASUREMENT m")
    scene.writer.write(lines("1i", "2i", "3i"))
    assert scene.values() == [1, 2, 3]


def test_a_bad_line_alone_is_judged_by_a_line_that_was_accepted_before(influxdb: InfluxDB) -> None:
    scene = Scene(influxdb)
    scene.writer.write(lines("1i"))
    scene.writer.write(["m x= 2"])
    assert [text for text, _ in scene.aside] == ["m x= 2"]


def test_a_letter_in_the_token_waits_with_its_remedy(influxdb: InfluxDB) -> None:
    scene = Scene(influxdb, token="noria:\u20ac")
    with pytest.raises(StoreError, match="check influxdb_token"):
        scene.writer.write(lines("1i"))
    assert scene.aside == []


def test_a_missing_database_is_created(influxdb: InfluxDB) -> None:
    scene = Scene(influxdb, bucket=influxdb.bucket.replace("t", "fresh_t", 1))
    scene.writer.write(lines("1i"))
    assert scene.values() == [1]


def test_a_missing_organisation_raises_with_its_remedy(influxdb: InfluxDB) -> None:
    if influxdb.line == "1.8":
        scene = Scene(influxdb, bucket=f"{influxdb.bucket.partition('/')[0]}/nopolicy")
        remedy = "nopolicy"
    else:
        scene = Scene(influxdb, org="nobody")
        remedy = "influxdb_org"
    with pytest.raises(StoreError, match=remedy):
        scene.writer.write(lines("1i"))
    assert scene.aside == []


def test_a_wrong_token_raises_with_its_remedy(tmp_path: Path) -> None:
    with running_influxdb("2.9", tmp_path) as server:  # 1.8 is mostly run without authentication
        scene = Scene(server, token="wrong")
        with pytest.raises(StoreError, match="check influxdb_token"):
            scene.writer.write(lines("1i"))
        with pytest.raises(StoreError, match="check influxdb_token"):
            scene.values()
    assert scene.aside == []


def test_an_unreachable_server_raises() -> None:
    access = Access(f"http://127.0.0.1:{free_port()}", "-", "noria/autogen", "u:p")
    writer = LineWriter(access, lambda text, reason: pytest.fail(reason))
    with pytest.raises(StoreError, match="cannot be reached"):
        writer.write(lines("1i"))
    with pytest.raises(StoreError, match="cannot be reached"):
        QueryClient(access).run("SELECT x FROM m")


def test_a_wrong_query_raises_with_the_servers_message(influxdb: InfluxDB) -> None:
    with pytest.raises(StoreError, match="found FROM, expected identifier"):
        QueryClient(Scene(influxdb).access).run("SELECT FROM WHERE")


def test_any_tag_or_text_is_one_line_and_is_read_back(influxdb: InfluxDB) -> None:
    scene = Scene(influxdb)
    odd = 'a b,c=d"e\\'
    scene.writer.write([line.point("m", {"who": odd}, {"x": odd, "n": 1, "yes": True}, T0_NS)])
    (row,) = QueryClient(scene.access).run("SELECT * FROM m")
    assert row["x"] == odd
    assert row["who"] == odd.rstrip("\\")
    assert (row["n"], row["yes"], row["time"]) == (1, True, T0_NS)
    assert scene.aside == []
