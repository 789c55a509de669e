"""The live topics, published from the rows that the watch saved."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.alerts import claims
from gateway.database.tables import incident
from gateway.projections.live import LiveTopics
from gateway.projections.watch.projection import WatchProjection
from gateway.runtime.wakeup import Wakeup
from tests.integration.signing_device import T0, Gateway, SigningDevice, distance

pytestmark = pytest.mark.usefixtures("each_database")


class Scene:
    """A gateway without broker: ``published`` has the messages that it would receive."""

    def __init__(self, folder: Path) -> None:
        self.gateway = Gateway(folder)
        self.node = SigningDevice()
        self.watch = WatchProjection(self.gateway.engine, channels=(), outbox=Wakeup(), born=T0)
        self.published: list[tuple[str, Any, bool]] = []
        self.live = LiveTopics(self.gateway.engine, self._publish)
        self._after = 0

    def _publish(self, topic: str, payload: bytes, retain: bool) -> None:
        self.published.append((topic, json.loads(payload) if payload else None, retain))

    def receive(self, at: int, mm: int) -> None:
        """Pass a message through journal and watch."""
        self.gateway.receive(self.node.send(at, distance(mm)))
        with closing(self.gateway.reader()) as journal:
            entries = journal.entries(self._after, 100)
        self._after = entries[-1].id
        self.watch.apply(entries)

    def turn(self) -> list[tuple[str, Any, bool]]:
        """The messages that one turn publishes."""
        self.published.clear()
        self.live.turn()
        return list(self.published)

    def run_low(self) -> str:
        """Send falling levels until an incident is open; returns its id."""
        for n in range(6):
            self.receive(T0 + 600 * n, 900)
        with self.gateway.engine.connect() as connection:
            return connection.execute(sa.select(incident.c.id)).scalar_one()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.gateway.close()


def test_a_level_is_published_retained_with_its_times_and_litres(scene: Scene) -> None:
    scene.receive(T0, 400)
    ((topic, payload, retained),) = scene.turn()
    assert (topic, retained) == ("noria/1/live/north-1", True)
    assert set(payload) == {"at", "received", "volume_l", "sd_l", "pct", "state"}
    assert (payload["at"], payload["received"], payload["state"]) == (T0, T0 + 2, "ok")
    assert payload["volume_l"] == pytest.approx(749, abs=20)


def test_only_what_changed_is_published_again(scene: Scene) -> None:
    scene.receive(T0, 400)
    scene.turn()
    assert scene.turn() == []
    scene.receive(T0 + 600, 401)
    assert [topic for topic, _, _ in scene.turn()] == ["noria/1/live/north-1"]


def test_everything_is_published_again_after_a_restart_of_the_broker(scene: Scene) -> None:
    key = scene.run_low()
    first = scene.turn()
    scene.live.republish()
    assert scene.turn() == first
    assert {topic for topic, _, _ in first} == {
        "noria/1/live/north-1",
        f"noria/1/live/incident/{key}",
    }


def test_an_incident_is_retained_while_open_and_has_no_name(scene: Scene) -> None:
    key = scene.run_low()
    scene.turn()
    with scene.gateway.engine.begin() as connection:
        assert claims.claim(connection, key, "p-anna", T0 + 4000.0)
    ((topic, payload, retained),) = scene.turn()
    assert (topic, retained) == (f"noria/1/live/incident/{key}", True)
    assert (payload["id"], payload["claimed"], payload["closed"]) == (key, True, None)
    assert "p-anna" not in json.dumps(payload)
    with scene.gateway.engine.begin() as connection:
        assert claims.close(connection, key, "p-anna", T0 + 5000.0)
    closed, cleared = scene.turn()
    assert (closed[1]["closed"], closed[2]) == (T0 + 5000.0, False)
    assert cleared == (topic, None, True)


def test_a_failed_publish_is_repeated(scene: Scene) -> None:
    scene.receive(T0, 400)

    def broken(topic: str, payload: bytes, retain: bool) -> None:
        raise OSError("no broker")

    failing = LiveTopics(scene.gateway.engine, broken)
    for _ in range(2):
        with pytest.raises(OSError, match="no broker"):
            failing.turn()
