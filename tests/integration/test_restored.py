"""A database that comes back from a backup: a new log, and the nodes fill what it lost."""

import json
import secrets
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.domain import merkle
from tests.integration.running_gateway import RunningGateway
from tests.parts.mosquitto_service import Mosquitto
from tests.wire_node.node import Node
from tests.wire_node.sealed import drawn

FILES = ("journal.db", "noria.db")


class Place:
    """A gateway on a real broker, with nodes that follow WIRE.md."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.gateway = RunningGateway(folder, f'broker = "{broker.url}"\n')
        self.data, self.backup = folder / "data", folder / "backup"
        self.nodes = [Node(drawn(7), secrets.token_bytes(32), broker.port, "any") for _ in range(3)]
        self.gateway.enrol({node.ring.device: node.ring.key for node in self.nodes})
        self.gateway.start()

    def speak(self, times: int) -> None:
        """Each node seals so many messages and all are acknowledged."""
        for node in self.nodes:
            assert node.connection(times, time.time)

    def back_up(self) -> None:
        """As an operator does, while everything runs."""
        self.backup.mkdir()
        for name in FILES:
            with (
                closing(sqlite3.connect(self.data / name)) as live,
                closing(sqlite3.connect(self.backup / name)) as copy,
            ):
                live.backup(copy)
        shutil.copy(self.data / "log.witness", self.backup)

    def put_back(self) -> None:
        for name in FILES:
            for old in self.data.glob(f"{name}*"):
                old.unlink()
            (self.data / name).write_bytes((self.backup / name).read_bytes())

    def leaves(self) -> list[tuple[str, bytes]]:
        """(origin of its log, leaf) of every entry, as anybody could have copied them."""
        with closing(sqlite3.connect(self.data / "journal.db")) as raw:
            rows = raw.execute(
                "SELECT e.kind, CAST(e.leaf AS BLOB), b.body FROM entry e"
                " JOIN body b ON b.entry = e.id ORDER BY e.id"
            ).fetchall()
        origin, found = "", list[tuple[str, bytes]]()
        for kind, leaf, body in rows:
            origin = json.loads(body)["origin"] if kind == "open" else origin
            found.append((origin, leaf))
        return found

    def openings(self) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.data / "journal.db")) as raw:
            rows = raw.execute(
                "SELECT body FROM body JOIN entry ON id = entry WHERE kind = 'open' ORDER BY id"
            )
            return [json.loads(body) for (body,) in rows]

    def assert_all_there_once(self) -> None:
        sent = Counter(n.ring.payload(m) for n in self.nodes for m in n.ring.sealed)
        assert Counter(line["payload"] for line in self.gateway.exported()) == sent
        stored = Counter((r["device"], r["boot"], r["seq"]) for r in self.gateway.readings())
        assert stored == Counter(
            (n.ring.device, *m.place) for n in self.nodes for m in n.ring.sealed
        )


@pytest.fixture
def place(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Place]:
    made = Place(tmp_path / "noria", mosquitto)
    yield made
    made.gateway.stop()


def _roots(leaves: list[tuple[str, bytes]]) -> dict[str, list[bytes]]:
    logs: dict[str, list[bytes]] = {}
    for origin, leaf in leaves:
        logs.setdefault(origin, []).append(leaf)
    return logs


@pytest.mark.parametrize("note", ["kept", "lost", "put back too"])
@pytest.mark.timeout(120)
def test_a_restored_journal_begins_a_new_log_and_nothing_that_nodes_hold_is_missing(
    place: Place, note: str
) -> None:
    place.speak(20)
    place.back_up()
    place.speak(30)
    (shown,) = _roots(place.leaves()).items()
    origin, seen = shown
    place.gateway.kill()
    shown_after = _roots(place.leaves())[origin]
    place.put_back()
    if note == "lost":
        (place.data / "log.witness").unlink()
    if note == "put back too":
        (place.data / "log.witness").write_bytes((place.backup / "log.witness").read_bytes())
    place.gateway.start()
    place.speak(1)
    place.assert_all_there_once()
    logs = _roots(place.leaves())
    assert len(logs) == 2
    assert logs[origin] == seen[: len(logs[origin])], "the log that was shown is not contradicted"
    first, second = place.openings()
    assert first["previous"] is None
    assert second["previous"] == {
        "origin": origin,
        "size": len(shown_after),
        "root": merkle.root([merkle.leaf_hash(leaf) for leaf in shown_after]).hex(),
        "kept": len(logs[origin]),
    }
    place.gateway.kill()
    place.gateway.start()
    place.speak(1)
    assert len(place.openings()) == 2, "one restoration is noticed once"
    place.assert_all_there_once()
