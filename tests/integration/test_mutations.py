"""Mutated payloads and topics against the real ingest and journal: alive, exact, flat in memory.

``NORIA_MUTATIONS=1000000`` makes it as long as the issue's bar. Every verdict is held against
``wire_node``'s own reading of WIRE.md, which shares no code with the gateway.
"""

import gc
import hmac
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.domain.entry import Entry
from gateway.domain.registry import Device, Registry
from gateway.ingest.batch import Ingest
from gateway.journal import counters
from gateway.journal.messages import Arrival
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.wire import message_of
from gateway.wire.decoded import FAULT
from tests import hostile
from tests.committing import commit
from tests.wire_node import validity
from tests.wire_node.sealed import Ring, b64, drawn

MUTATIONS = int(os.environ.get("NORIA_MUTATIONS", "8000"))
SEED = 20_261_125
BATCH = 500
BATCH_S = 60.0
T0 = 1795212000.0
KEY = bytes(range(32))
GROWTH_BYTES = 24 * 2**20
FEED, GONE = "feed22", "gone22"


def _mac(topic: str, raw: bytes) -> bytes:
    """As ``wire_node.sealed.mac``, of any bytes."""
    signed = topic.encode() + b"\n" + raw
    return b64(hmac.new(KEY, signed, "sha256").digest()).encode()


class Crowd:
    """Devices that send valid, invalid and forged messages."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.rings = [Ring("k7f3q5", KEY), *(Ring(drawn(9), KEY) for _ in range(39))]
        self._objects = hostile.objects(SEED, MUTATIONS)
        self._topics = hostile.topics(SEED)
        self._sound: list[bytes] = []
        self._held: list[tuple[str, bytes]] = [("noria/1/none22/up", b"")]

    def registry(self) -> Registry:
        rows = [Device(ring.device, "t", key=KEY) for ring in self.rings]
        rows += [Device(GONE, "t", key=KEY, revoked=True), Device(FEED, "t", unsigned=True)]
        return Registry(devices={row.id: (row,) for row in rows})

    def arrivals(self, now: float) -> Iterator[Arrival]:
        """The next of them, until there are no more."""
        kinds = (self._honest, self._hurt, self._forged, self._odd_topic, self._noise, self._feed)
        for damaged in self._objects:
            (kind,) = self._chance.choices(kinds, (25, 35, 20, 10, 5, 5))
            topic, payload = kind(damaged, now)
            yield Arrival(topic, payload, now)

    def _honest(self, _damaged: bytes, now: float) -> tuple[str, bytes]:
        ring = self._chance.choice(self.rings)
        if self._chance.random() < 0.02:
            ring.reboot()
        payload = ring.payload(ring.seal(now)).encode()
        if self._chance.random() < 0.1 and self._sound:
            return ring.topic, self._chance.choice(self._sound)  # another's, or again
        self._sound = [*self._sound[-50:], payload]
        ring.sealed.clear()
        self._held.append((ring.topic, payload))
        if self._chance.random() < 0.1:  # one that was on its way for longer
            return self._held.pop(self._chance.randrange(len(self._held)))
        return self._held.pop()

    def _hurt(self, damaged: bytes, _now: float) -> tuple[str, bytes]:
        """Under a right MAC: authentic, valid or not."""
        topic = self._chance.choice(self.rings).topic
        return topic, damaged + b"\n" + _mac(topic, damaged)

    def _forged(self, _damaged: bytes, now: float) -> tuple[str, bytes]:
        ring = Ring("k7f3q5", KEY)
        payload = bytearray(ring.payload(ring.seal(now)), "ascii")
        for _ in range(self._chance.randrange(1, 4)):
            payload[self._chance.randrange(len(payload))] ^= 1 << self._chance.randrange(8)
        more = self._chance.choice((b"", b"", b"\n", b"=", b"\n" + b"A" * 86))
        return ring.topic, bytes(payload) + more

    def _odd_topic(self, damaged: bytes, _now: float) -> tuple[str, bytes]:
        return next(self._topics), damaged + b"\n" + _mac("noria/1/k7f3q5/up", damaged)

    def _noise(self, _damaged: bytes, _now: float) -> tuple[str, bytes]:
        noise = self._chance.randbytes(self._chance.randrange(12_000))
        lines = self._chance.choice((b"\n", b"x"))
        return "noria/1/k7f3q5/up", noise.replace(b"\n", lines)

    def _feed(self, damaged: bytes, _now: float) -> tuple[str, bytes]:
        return f"noria/1/{FEED}/up", damaged


@pytest.mark.timeout(60 + MUTATIONS // 500)
def test_nothing_invalid_is_stored_and_nothing_authentic_is_lost(tmp_path: Path) -> None:
    crowd = Crowd(random.Random(SEED))
    with closing(Journal(tmp_path / "journal.db", "g1")) as journal:
        ingest = Ingest(journal, crowd.registry())
        sent, memory = _commit_all(crowd, ingest)
    with closing(JournalReader(tmp_path / "journal.db")) as reader:
        counted = counters.status(reader.counts())
        _assert_every_entry_follows_wire_md(reader.all())
    Journal(tmp_path / "journal.db", "g1").close()  # its log verifies
    assert sum(counted["received"].values()) + sum(counted["refused"].values()) == sent == MUTATIONS
    assert min(counted["received"].values()) > 0, counted
    assert counted["refused"]["bad_mac"] > 0.1 * MUTATIONS
    assert counted["refused"]["oversize"] > 0
    assert counted["refused"]["flood"] == 0
    assert memory[-1] - memory[len(memory) // 4] < GROWTH_BYTES, memory


def _commit_all(crowd: Crowd, ingest: Ingest) -> tuple[int, list[int]]:
    """Commit all; how many there were, and resident bytes at 20 moments on the way."""
    sent, memory = 0, list[int]()
    now, batch = T0, list[Arrival]()
    for arrival in crowd.arrivals(T0):
        batch.append(Arrival(arrival.topic, arrival.payload, now))
        sent += 1
        if len(batch) == BATCH or sent == MUTATIONS:
            for ack in commit(ingest, batch, now):
                text, proof = ack.payload.split(b"\n")
                assert validity.read(text)["v"] == 1
                assert proof == _mac(ack.topic, text)
            now, batch = now + BATCH_S, []
            if sent // BATCH % max(1, MUTATIONS // BATCH // 20) == 0:
                memory.append(_resident())
    return sent, memory


def _resident() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _assert_every_entry_follows_wire_md(entries: Iterator[Entry]) -> None:
    seen = Counter[tuple[str, bytes]]()
    leaves = 0
    for entry in entries:
        leaves += 1
        topic, payload = f"noria/1/{entry.subject}/up", entry.payload
        assert entry.topic == topic
        text, *proofs = payload.split(b"\n")
        assert len(text) <= 8192
        seen[entry.subject, text] += 1
        if entry.subject == FEED:
            assert (proofs, entry.auth) == ([], "unsigned")
        else:
            assert proofs[0] == _mac(topic, text)
        assert entry.flag != FAULT, text
        sound = validity.is_sound(text, unsigned=entry.subject == FEED)
        if entry.verdict in ("stored", "late"):
            assert sound, text
        if sound and entry.verdict == "flagged":
            absurd = ("bad_field", "bad_reading", "bad_event")
            assert entry.flag in (*absurd, "sig_unexpected", "sig_missing"), text
        decoded = message_of(entry)
        if decoded.message is not None and decoded.flag is None:
            assert json.loads(text)["seq"] == decoded.message.seq
            assert sound
    assert leaves > 0.4 * MUTATIONS
    assert set(seen.values()) == {1}, "each OBJECT of a device is journaled once"
