"""Writes stories to a journal at the time of the story: without a broker and without waiting."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import sqlalchemy as sa

from gateway.domain.registry import Device, Registry, Site, Tank
from gateway.ingest.batch import Ingest
from gateway.journal.diary import Diary
from gateway.journal.messages import Arrival
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.mqtt.session import BrokerEvent
from gateway.registry import rows
from gateway.runtime.clock import Clock
from tests.committing import commit
from tests.stories.script import DeviceStory, Wake
from tests.wire_node.sealed import Ring

START = 1_795_212_000.0
TICK_S = 30.0


class StoryClock(Clock):
    """Shows the time of the story."""

    moment: ClassVar[list[float]] = [START]

    def now(self) -> float:
        return self.moment[0]


class Place:
    """One gateway's journal, with the registry of all stories."""

    def __init__(self, folder: Path, name: str, registry: Registry, now: float) -> None:
        self.path = folder / f"{name}.db"
        self.journal = Journal(self.path, name)
        diary = Diary(self.journal)
        diary.open(now, lambda: bytes(32), "test")
        diary.start(now, 0.0)
        self.ingest = Ingest(self.journal, registry)
        changes = [BrokerEvent(what, now) for what in ("broker_back", "broker_drained")]
        commit(self.ingest, changes, now)

    def reader(self) -> JournalReader:
        return JournalReader(self.path)


def put(engine: sa.Engine, watched: Registry) -> Registry:
    """Write the registry to the database; returns it with its random ids."""
    with engine.begin() as connection:
        rows.put(connection, watched, START - 86400.0)
    return rows.load(engine)


def _key(device: str) -> bytes:
    return hashlib.sha256(device.encode()).digest()


def registry_of(stories: Sequence[DeviceStory]) -> Registry:
    """One tank and one device for each story."""

    def tank(name: str) -> Tank:
        return Tank(name, "", "north", sensor_height_mm=1100, empty_l=20.0, taps=4)

    return Registry(
        sites={"north": (Site("north", ""),)},
        tanks={t.tank: (tank(t.tank),) for t in stories},
        devices={
            t.device: (Device(t.device, t.tank, key=_key(t.device), uplink=t.uplink),)
            for t in stories
        },
    )


class Nodes:
    """Every story's device with its ring."""

    def __init__(self, stories: Sequence[DeviceStory]) -> None:
        self._rings = {
            t.device: Ring(t.device, _key(t.device), era=f"{t.device}a") for t in stories
        }
        self._stories = {t.device: t for t in stories}

    def message(self, device: str, wake: Wake) -> Arrival:
        """The message of one wake, received one second later."""
        at = wake.at if wake.sealed is None else wake.sealed
        clock = self._stories[device].clock
        fields = wake.fields | {"up": int(at) + 1000, "ta": 60, "old": [1, 1]}
        fields |= {} if clock else {"ts": "none"}
        ring = self._rings[device]
        message = ring.seal(START + at if clock else 0, **fields)
        return Arrival(ring.topic, ring.payload(message).encode(), START + wake.at + 1.0)
