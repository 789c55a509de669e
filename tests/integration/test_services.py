"""The services for other tests start, answer, die and restart."""

import http.client
import json
import urllib.request
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from tests.parts.errors import PartError
from tests.parts.influxdb_service import InfluxDB
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import Service, listening


def query(server: InfluxDB, text: str) -> object:
    database = server.bucket.split("/")[0]
    request = urllib.request.Request(f"{server.url}/query?db={database}&q={quote(text)}")
    request.add_header("Authorization", f"Token {server.token}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["results"][0].get("series", [])


def test_a_point_written_to_influxdb_is_read_back_with_influxql(influxdb: InfluxDB) -> None:
    address = urlsplit(influxdb.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
    connection.request(
        "POST",
        f"/api/v2/write?org={influxdb.org}&bucket={quote(influxdb.bucket)}",
        "level,tank=t1 mm=412i 1795212000000000000",
        {"Authorization": f"Token {influxdb.token}"},
    )
    assert connection.getresponse().status == 204
    connection.close()
    assert query(influxdb, "SELECT mm FROM level") == [
        {"name": "level", "columns": ["time", "mm"], "values": [["2026-11-20T22:00:00Z", 412]]}
    ]


def test_each_test_has_an_influxdb_bucket_of_its_own(influxdb: InfluxDB) -> None:
    assert query(influxdb, "SELECT mm FROM level") == []


def test_a_killed_mosquitto_restarts_on_the_same_port(mosquitto: Mosquitto) -> None:
    before = mosquitto.pid
    mosquitto.kill()
    assert not listening(mosquitto.port)
    mosquitto.start()
    assert listening(mosquitto.port)
    assert mosquitto.pid != before


def test_a_service_that_dies_early_shows_its_log(tmp_path: Path) -> None:
    service = Service(["/bin/sh", "-c", "echo no such tap; exit 3"], tmp_path / "log")
    with pytest.raises(PartError, match=r"ended with status 3:\nno such tap"):
        service.start(lambda: False)
