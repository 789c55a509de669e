"""A journal that receives from one node of ``wire_node``, which shares no code with the gateway."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from gateway.domain.registry import Device, Registry
from gateway.ingest.batch import Ingest
from gateway.journal import counters
from gateway.journal.messages import Arrival
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from tests.committing import commit
from tests.wire_node.sealed import Ring, Sealed, mac

KEY = bytes(range(32))
NOW = 1795212000.0


class Listening:
    """A journal with its ingest, and one enrolled device with its ring."""

    def __init__(self, folder: Path) -> None:
        self.key = KEY
        self.path = folder / "journal.db"
        self.ring = Ring("k7f3q5", KEY)
        self.registry = Registry(devices={"k7f3q5": (Device("k7f3q5", "t", key=KEY),)})
        self.open()

    def open(self) -> None:
        self.journal = Journal(self.path, "g1")
        self.ingest = Ingest(self.journal, self.registry)

    def rekey(self, key: bytes, number: int) -> None:
        """The registry's device gets another key and its number; the node's ring starts anew."""
        self.key, self.ring = key, Ring("k7f3q5", key)
        device = Device("k7f3q5", "t", key=key, key_number=number)
        self.registry = self.ingest.registry = Registry(devices={"k7f3q5": (device,)})

    def arrive(self, *messages: Sealed, now: float = NOW) -> list[dict[str, Any]]:
        """Commit messages in one batch; returns the objects of the acks, whose MACs are checked."""
        payloads = [self.ring.payload(m) for m in messages]
        return self.payloads(*payloads, now=now)

    def payloads(self, *payloads: str | bytes, now: float = NOW) -> list[dict[str, Any]]:
        raw = [p.encode() if isinstance(p, str) else p for p in payloads]
        acks = commit(self.ingest, [Arrival(self.ring.topic, p, now) for p in raw], now)
        acked: list[dict[str, Any]] = []
        for ack in acks:
            text, proof = ack.payload.decode().split("\n")
            assert ack.topic == "noria/1/k7f3q5/ack"
            assert proof == mac(self.key, ack.topic, text)
            acked.append(json.loads(text))
        return acked

    def seal_raw(self, text: str) -> str:
        return f"{text}\n{mac(self.key, self.ring.topic, text)}"

    def verdicts(self) -> list[tuple[str, str | None, str | None, bool]]:
        with closing(JournalReader(self.path)) as reader:
            return [(e.kind, e.verdict, e.flag, e.newest) for e in reader.all()]

    def counts(self) -> dict[str, int]:
        with closing(JournalReader(self.path)) as reader:
            found = counters.status(reader.counts())
            return {n: c for part in found.values() for n, c in part.items() if c}


def covers(ack: dict[str, Any], message: Sealed) -> bool:
    return (ack["boot"], ack["seq"], ack["h"]) == (*message.place, message.h)
