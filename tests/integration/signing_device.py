"""A device that signs messages as in WIRE.md, and a gateway without broker, on real files."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gateway.domain import envelope
from gateway.domain.registry import Device, Registry, Site, Tank
from gateway.ingest.batch import Ingest
from gateway.journal.messages import Arrival
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.registry import rows
from tests.committing import commit
from tests.parts import database

KEY = bytes(range(32))
T0 = 1795212000


@dataclass
class SigningDevice:
    """One device's counters and chain. ``send`` seals the next message."""

    device: str = "k7f3q5"
    era: str = "m4xq2lzt"
    boot: int = 1
    seq: int = 0
    prev: str = ""
    booted: int = T0

    def send(self, at: int, *readings: dict[str, Any], clock: bool = True, **more: Any) -> Arrival:
        """The next message of this boot, sealed at Unix time ``at`` and received 2 s later."""
        self.seq += 1
        body: dict[str, Any] = {
            "v": 1, "fw": "0.1.0", "era": self.era, "boot": self.boot, "seq": self.seq,
            "prev": self.prev, "up": at - self.booted, "t": at if clock else 0,
            "ts": "ntp" if clock else "none", "next": 900, "old": [1, 1], "r": list(readings),
        }  # fmt: skip
        if clock:
            body["ta"] = 60
        sealed = json.dumps(body | more, separators=(",", ":")).encode()
        self.prev = envelope.chain_hash_of(hashlib.sha256(sealed).digest())
        topic = envelope.up_topic(self.device)
        return Arrival(topic, envelope.seal(KEY, topic, sealed), at + 2.0)

    def reboot(self, at: int) -> None:
        """The next message is the first of the next boot."""
        self.boot, self.seq, self.booted = self.boot + 1, 0, at


def distance(mm: int | None, o: int = 0, **more: Any) -> dict[str, Any]:
    """A good ultrasonic reading, ``o`` seconds before sealing."""
    return {"o": o, "mm": mm, "sp": 4, "n": 7, "of": 7, "tc": 112, **more}


def registry(**tank: Any) -> Registry:
    """One site, two tanks, one device in the first; ``tank`` changes both tanks' fields."""
    known = {"sensor_height_mm": 1100, "empty_l": 20.0, "taps": 4} | tank
    return Registry(
        sites={"north": (Site("north", ""),)},
        tanks={name: (Tank(name, "", "north", **known),) for name in ("north-1", "north-2")},
        devices={"k7f3q5": (Device("k7f3q5", "north-1", key=KEY),)},
    )


class Gateway:
    """Journal, ingest and database in ``folder``, without broker or threads."""

    def __init__(self, folder: Path, watched: Registry | None = None) -> None:
        self.folder = folder
        self.engine: sa.Engine = database.opened(folder)
        self.journal = Journal(folder / "journal.db", "g1")
        self.ingest = Ingest(self.journal, Registry())
        self.register(watched or registry(), T0 - 86400.0)

    def register(self, watched: Registry, now: float) -> None:
        """Put rows into the registry, as an import does, and load it into ingest."""
        with self.engine.begin() as connection:
            rows.put(connection, watched, now)
        self.ingest.registry = rows.load(self.engine)

    def receive(self, *arrivals: Arrival) -> None:
        """Commit messages in one batch."""
        commit(self.ingest, arrivals, arrivals[-1].received)

    def reader(self) -> JournalReader:
        """A new reader of the journal."""
        return JournalReader(self.folder / "journal.db")

    def close(self) -> None:
        self.journal.close()
        self.engine.dispose()
