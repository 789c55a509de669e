"""``/health``, ``/metrics`` and ``noria status`` of a running installation."""

import math
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from httpx import Response
from prometheus_client.parser import text_string_to_metric_families

from gateway import settings
from gateway.database.engine import connect as database_at
from gateway.database.tables import outbox
from gateway.monitoring import health
from gateway.registry import rows
from server.accounts import people
from server.app import create
from tests.browser.accounts import PASSWORD
from tests.integration.running_gateway import RunningGateway
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until
from tests.wire_node.node import Node

TOKEN = "a-long-random-token"


class Place:
    """A gateway on a real broker, one device that has sent, and the server's application."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.broker = broker
        self.gateway = RunningGateway(
            folder, f'broker = "{broker.url}"\nchannels = []\nmetrics_token = "{TOKEN}"\n'
        )
        key = secrets.token_bytes(32)
        self.gateway.enrol({"k7f3q5": key})
        self.gateway.start()
        assert Node("k7f3q5", key, broker.port, "").connection(2, time.time)
        until(self.caught_up, 10, "the projections")
        self.settings = settings.read(self.gateway.config)
        self.client = TestClient(create(self.settings))

    def caught_up(self) -> bool:
        lags = self.gateway.glance()["projections"]
        return {"store", "watch"} <= set(lags) and all(not p["lag"] for p in lags.values())

    def restart_server(self) -> None:
        """A new server, without the cached health of the first one."""
        self.client = TestClient(create(self.settings))

    def health(self, **headers: str) -> tuple[int, dict[str, Any]]:
        answer = self.client.get("/health", headers=headers)
        return answer.status_code, answer.json()

    def close(self) -> None:
        self.gateway.stop()


@pytest.fixture
def place(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Place]:
    made = Place(tmp_path / "noria", mosquitto)
    yield made
    made.close()


def test_health_names_a_killed_broker_and_a_killed_gateway(place: Place) -> None:
    monitor = {"Authorization": f"Bearer {TOKEN}"}
    assert place.health() == (200, {"ok": True})
    assert place.health(**monitor) == (200, {"ok": True, "failing": []})
    place.broker.kill()
    until(
        lambda: not place.gateway.glance()["broker"]["connected"],
        15,
        "the gateway reports the lost broker",
    )
    place.restart_server()
    assert place.health() == (503, {"ok": False})
    assert place.health(Authorization="Bearer ") == (503, {"ok": False})
    assert place.health(**monitor) == (503, {"ok": False, "failing": ["broker"]})
    place.gateway.kill()
    place.restart_server()
    assert place.health(**monitor) == (503, {"ok": False, "failing": ["gateway", "broker"]})
    assert "it does not run" in place.gateway.noria("status")


def test_only_coordinators_see_reasons_and_figures(place: Place) -> None:
    engine = database_at(place.gateway.folder / "data" / "noria.db")
    heads = {}
    for role in ("coordinator", "volunteer"):
        people.add(engine, role, role, PASSWORD, time.time(), role)  # pyright: ignore[reportArgumentType]
        given = {"login": role, "password": PASSWORD}
        token = place.client.post("/api/v1/session", json=given).json()["token"]
        heads[role] = {"Authorization": f"Bearer {token}"}
    engine.dispose()
    assert set(place.health(**heads["volunteer"])[1]) == {"ok", "failing"}
    status, known = place.health(**heads["coordinator"])
    assert status == 200
    assert known["parts"]["store"] | {"behind_s": 0.0} == {
        "ok": True, "lag": 0, "behind_s": 0.0, "set_aside": 0,
    }  # fmt: skip
    assert known["parts"]["journal"]["leaves"] >= 5
    assert known["parts"]["disk"]["free_bytes"] > 0
    assert known["parts"]["outbox"]["waiting"] == 0
    assert 0.3 < known["listened"]["24h"] <= 1.0
    assert known["listened"] == {"24h": known["listened"]["24h"], "30d": known["listened"]["24h"]}


def test_metrics_require_the_token(place: Place) -> None:
    assert place.client.get("/metrics").status_code == 401
    wrong = place.client.get("/metrics", headers={"Authorization": "Bearer a-long-random"})
    assert wrong.status_code == 401
    open_settings = settings.read(place.gateway.config)
    object.__setattr__(open_settings, "metrics_token", "")
    for head in ({}, {"Authorization": "Bearer "}):
        assert TestClient(create(open_settings)).get("/metrics", headers=head).status_code == 404


def test_prometheus_parses_the_figures_and_they_match_the_journal(place: Place) -> None:
    def behind() -> float:
        """Entries between the journal's end and the store: the watch journals facts of its own."""
        answer = place.client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        answers.append(answer)
        found = re.search(r'^noria_projection_lag_entries{[^}]*"store"} (\S+)', answer.text, re.M)
        return float(found[1]) if found else math.inf

    answers: list[Response] = []
    until(lambda: behind() == 0, 10, "the store caught up")
    answer = answers[-1]
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {f.name: f for f in text_string_to_metric_families(answer.text)}
    found = {(s.name, *s.labels.values()): s.value for f in families.values() for s in f.samples}
    assert all(f.documentation and f.type in ("counter", "gauge") for f in families.values())
    assert found["noria_messages_total", "stored"] == 2
    assert found["noria_journal_messages_total",] == 2
    assert found["noria_part_ok", "broker"] == 1
    assert found["noria_incidents_open", "seized"] == 0
    assert found["noria_tanks_by_presence", "speaking"] == 1
    engine = database_at(place.gateway.folder / "data" / "noria.db")
    rid = rows.load(engine).tanks["north-1"][0].rid
    engine.dispose()
    assert 0 <= found["noria_tank_reading_age_seconds", rid] < 60
    for name in ("north-1", "north", "k7f3q5", TOKEN):
        assert name not in answer.text


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_full_disk_is_reported(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Usage(10**10, 10**10 - 10**7, 10**7))
    found = health.check_health(place.settings)
    assert found.failing == ["disk"]
    assert "10 MB are free: make room" in found.parts["disk"].why


def test_an_alert_that_was_given_up_fails_health_until_it_is_tried_again(place: Place) -> None:
    with database_at(place.gateway.folder / "data" / "noria.db").begin() as connection:
        connection.execute(
            sa.insert(outbox).values(
                incident="8f2k", change_number=1, channel="json-000000", change={}, made=0.0,
                due=0.0, attempts=1, given_up=1.0, error="json-000000: answered 410",
            )
        )  # fmt: skip
    place.restart_server()
    monitor = {"Authorization": f"Bearer {TOKEN}"}
    assert place.health(**monitor) == (503, {"ok": False, "failing": ["outbox"]})
    text = place.gateway.noria("status")
    assert "1 could not be delivered, the newest by json-000000: answered 410" in text
    assert "incident 8f2k: json-000000: answered 410" in place.gateway.noria("alerts", "list")
    assert "1 will be tried again" in place.gateway.noria("alerts", "retry")
    assert place.gateway.noria("alerts", "list") == "Everything was delivered.\n"
