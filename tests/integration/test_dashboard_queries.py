"""Every query of every panel, on real InfluxDB servers filled by the real projections."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dashboards import provisioning
from dashboards.water import dashboard
from gateway.journal.messages import Arrival
from gateway.mqtt.session import BrokerEvent
from gateway.projections import cursor
from gateway.projections.figures import FigureWriter
from gateway.projections.readings.projection import ReadingsProjection
from gateway.projections.runner import Projection
from gateway.projections.watch.projection import WatchProjection
from gateway.registry import rows
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from gateway.stores.influxdb import Access, InfluxStore
from gateway.stores.influxdb.query import QueryClient
from tests.committing import commit
from tests.integration.lines import unusable
from tests.integration.signing_device import T0, Gateway, SigningDevice, distance
from tests.parts.influxdb_service import influxdb as running_influxdb

DAY = 86400
END = T0 + 2 * DAY


class FixedClock(Clock):
    """A clock that always reads two hours after the end of the recorded days."""

    def now(self) -> float:
        return END + 2 * 3600.0


@pytest.fixture(scope="module", params=["1.8", "2.9"])
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[QueryClient]:
    """A server after two days at one tank: draws, a refill, water running low, then silence."""
    folder = tmp_path_factory.mktemp(f"grafana-{request.param}")
    with running_influxdb(request.param, folder / "influx") as server:
        access = Access(server.url, server.org, server.bucket, server.token)
        fill(folder, access)
        yield QueryClient(access)


def fill(folder: Path, access: Access) -> None:
    gateway = Gateway(folder)
    gateway.receive(*two_days())
    commit(
        gateway.ingest,
        [BrokerEvent(r, END) for r in ("start", "broker_back", "broker_drained")],
        END,
    )
    engine = gateway.engine

    store = InfluxStore(access, lambda: rows.load(engine), unusable)
    watch = WatchProjection(engine, channels=(), outbox=Wakeup(), born=END)
    for projection in (ReadingsProjection(store, gateway.reader, engine), watch):
        drain(gateway, projection)
    watch.idle(END + 2 * 3600.0)  # the node announced its next message within 15 minutes
    FigureWriter(engine, store, lambda: rows.load(engine), FixedClock()).turn()
    store.close()
    gateway.close()


def two_days() -> list[Arrival]:
    node, mm, arrivals = SigningDevice(), 300, list[Arrival]()
    for n in range(2 * DAY // 600):
        hour = n // 6 % 24
        mm = 300 if n == 150 else mm + (30 if 8 <= hour < 18 and n % 3 == 0 else 0)
        arrivals.append(node.send(T0 + 600 * n, distance(min(mm, 1060))))
    return arrivals


def drain(gateway: Gateway, projection: Projection) -> None:
    projection.restore()
    with closing(gateway.reader()) as journal:
        after = 0
        while entries := journal.entries(after, 100):
            projection.apply(entries)
            after = entries[-1].id
    with gateway.engine.connect() as connection:
        assert cursor.load(connection, projection.name) == after


def queries() -> dict[str, str]:
    """Title -> query of every panel, annotation and alert rule."""
    built = dashboard(timezone="Europe/Paris")
    found = {panel["title"]: panel["targets"] for panel in built["panels"]}
    texts = {f"{title} {t['refId']}": t["query"] for title, ts in found.items() for t in ts}
    texts["marks"] = built["annotations"]["list"][0]["target"]["query"]
    rule = provisioning.alerting()["groups"][0]["rules"][0]
    texts["alert"] = rule["data"][0]["model"]["query"]
    return texts


def run(client: QueryClient, query: str) -> list[dict[str, Any]]:
    """The rows of a query, with Grafana's macros replaced."""
    span = f"time >= {T0 - DAY}s AND time <= {END + DAY}s"
    return client.run(query.replace("$timeFilter", span).replace("$__interval", "10m"))


@pytest.mark.parametrize("title", list(queries()))
def test_every_query_yields_rows(client: QueryClient, title: str) -> None:
    assert run(client, queries()[title])


def test_levels_are_in_litres(client: QueryClient) -> None:
    levels = run(client, queries()["Litres in each tank A"])
    assert len(levels) == 2 * DAY // 600
    assert levels[0]["mean"] == pytest.approx(856, abs=20)


def test_litres_drawn_are_at_midnight_of_the_time_zone(client: QueryClient) -> None:
    days = run(client, queries()["Litres drawn per day A"])
    drawn = [day["sum"] for day in days if day["sum"]]
    assert len(drawn) >= 2
    assert all(litres > 50 for litres in drawn)
    paris_is_ahead_s = 3600
    assert all((day["time"] // 10**9 + paris_is_ahead_s) % DAY == 0 for day in days)


def test_the_silent_device_is_named_and_counted(client: QueryClient) -> None:
    (silent,) = run(client, queries()["Silent devices A"])
    assert (silent["device"], silent["presence"]) == ("k7f3q5", "silent")
    assert silent["heard"] == pytest.approx((END - 598) * 1000)
    (count,) = run(client, queries()["alert"])
    assert count["sum"] == 1


def test_incidents_have_their_kind_and_whether_they_are_open(client: QueryClient) -> None:
    incidents = run(client, queries()["Incidents A"])
    kinds = {row["kind"] for row in incidents}
    assert "silent" in kinds
    assert kinds & {"low", "critical", "empty"}
    assert {row["open"] for row in incidents} <= {0, 1}


def test_no_name_of_a_tank_or_site_is_in_influxdb(client: QueryClient) -> None:
    for measurement in ("reading", "presence", "event", "incident"):
        for row in client.run(f"SELECT * FROM {measurement}"):  # noqa: S608 - a constant
            assert not {"north", "north-1", "north-2"} & set(map(str, row.values()))
