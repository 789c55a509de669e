"""The ack line over the journals of several gateways, in any order, after any crash."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cluster import tables
from gateway.cluster.acks import ClusterAcks
from gateway.cluster.registrar import ListeningFlag, Registrar
from gateway.database.engine import connect
from gateway.domain.registry import Device, Registry
from gateway.errors import JournalError
from gateway.ingest.batch import Ingest
from gateway.journal.diary import Diary
from gateway.journal.messages import Arrival
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from tests.parts.postgresql_service import PostgreSQL
from tests.wire_node.sealed import Ring, Sealed

KEY = bytes(range(32))
NOW = 1795212000.0
REGISTRY = Registry(devices={"k7f3q5": (Device("k7f3q5", "t", key=KEY),)})


class Gateway:
    """A journal with its ingest and its registrar, whose turns the test makes itself."""

    def __init__(self, folder: Path, name: str, engine: sa.Engine) -> None:
        self.name, self.engine = name, engine
        self.path = folder / f"{name}.db"
        self.journal = Journal(self.path, name)
        Diary(self.journal).open(NOW, lambda: bytes(32), "test")
        self.ingest = Ingest(self.journal, REGISTRY)
        self.join()

    def join(self) -> None:
        """As a process that has just started: nothing in memory."""
        self.registrar = Registrar(
            self.engine,
            lambda: JournalReader(self.path),
            self.name,
            Wakeup(),
            Clock(),
            ListeningFlag(),
        )
        with closing(JournalReader(self.path)) as journal, self.engine.begin() as connection:
            self.registrar._check(connection, journal)  # pyright: ignore[reportPrivateUsage]

    def receives(self, ring: Ring, *messages: Sealed) -> None:
        """Journal these in one commit; nothing is registered yet."""
        raw = [Arrival(ring.topic, ring.payload(m).encode(), NOW) for m in messages]
        for era in self.ingest.journal(raw, self.ingest.admit(raw)):
            self.registrar.due(era.device, era.era, self.journal.last_id)


class Pair:
    """Two gateways on one database, and the acks that go out."""

    def __init__(self, folder: Path, url: sa.URL) -> None:
        self.engine = connect(url)
        self.ring = Ring("k7f3q5", KEY)
        self.gateways = [Gateway(folder, name, self.engine) for name in ("g1", "g2")]
        self.published: list[dict[str, Any]] = []
        self.acks = ClusterAcks(self.engine, self._publish, Clock(), lambda: REGISTRY)

    def _publish(self, _topic: str, payload: bytes, _retain: bool) -> None:
        self.published.append(json.loads(payload.split(b"\n")[0]))

    def register(self, *which: int) -> None:
        for n in which or (0, 1):
            self.gateways[n].registrar.turn()

    def acked(self) -> tuple[int, int]:
        """The place of the newest published ack."""
        self.acks.turn()
        return (self.published[-1]["boot"], self.published[-1]["seq"])

    def rows(self) -> list[tuple[str, str, bool]]:
        """(gateway, verdict, newest) of every message, in the order of the wire's identity."""
        e = tables.entry.c
        query = sa.select(e.gateway, e.verdict, e.newest).where(e.hash.is_not(None))
        with self.engine.connect() as connection:
            return [tuple(r) for r in connection.execute(query.order_by(e.boot, e.seq, e.gateway))]

    def close(self) -> None:
        for gateway in self.gateways:
            gateway.journal.close()
        self.engine.dispose()


@pytest.fixture
def pair(tmp_path: Path, postgresql: PostgreSQL) -> Iterator[Pair]:
    made = Pair(tmp_path, postgresql.fresh())
    yield made
    made.close()


def test_the_line_covers_both_journals_and_ends_at_the_first_unregistered_message(
    pair: Pair,
) -> None:
    a, b = pair.gateways
    first, second, third = (pair.ring.seal(NOW + n) for n in range(3))
    a.receives(pair.ring, first)
    b.receives(pair.ring, third)
    pair.register()
    assert pair.acked() == first.place
    b.receives(pair.ring, second)  # on g2's disk, but an ack needs the row
    pair.register(0)
    assert pair.acked() == first.place
    pair.register(1)
    assert pair.acked() == third.place
    assert pair.published[-1]["h"] == third.h


def test_a_message_that_both_journaled_counts_once(pair: Pair) -> None:
    a, b = pair.gateways
    message = pair.ring.seal(NOW)
    a.receives(pair.ring, message)
    b.receives(pair.ring, message)
    pair.register()
    assert pair.rows() == [("g1", "stored", True)]
    pair.acks.turn()
    assert [(p["boot"], p["seq"]) for p in pair.published] == [message.place]
    with pair.engine.connect() as connection:
        counts = connection.execute(sa.select(tables.head.c.counts)).scalar_one()
    assert counts == {"stored": 1, "duplicate": 1}


def test_a_duplicate_to_the_other_gateway_repeats_the_current_ack(pair: Pair) -> None:
    a, b = pair.gateways
    messages = [pair.ring.seal(NOW + n) for n in range(3)]
    a.receives(pair.ring, *messages)
    pair.register()
    assert pair.acked() == messages[2].place
    before = len(pair.published)
    b.receives(pair.ring, messages[0])
    pair.register(1)
    b.receives(pair.ring, messages[0])  # this time a duplicate of its own journal
    pair.register(1)
    assert pair.acked() == messages[2].place
    assert len(pair.published) >= before + 1


def test_a_fork_between_two_gateways_is_seen(pair: Pair) -> None:
    a, b = pair.gateways
    first = pair.ring.seal(NOW)
    twin = Ring("k7f3q5", KEY, era=pair.ring.era, seq=1, prev=first.h)
    ours, theirs = pair.ring.seal(NOW + 1), twin.seal(NOW + 1, mv=3000)
    assert ours.place == theirs.place
    assert ours.text != theirs.text
    a.receives(pair.ring, first, ours)
    b.receives(pair.ring, theirs)
    pair.register()
    assert sorted(pair.rows()) == [("g1", "stored", True), ("g1", "stored", True),
                                   ("g2", "fork", False)]  # fmt: skip
    assert (pair.acked(), pair.published[-1]["h"]) == (ours.place, ours.h)


def test_killed_between_the_journals_commit_and_the_row_the_next_start_registers(
    pair: Pair,
) -> None:
    a, _ = pair.gateways
    messages = [pair.ring.seal(NOW + n) for n in range(5)]
    a.receives(pair.ring, *messages[:2])
    pair.register(0)
    a.receives(pair.ring, *messages[2:])
    a.join()  # what was due is forgotten, the journal is not
    pair.register(0)
    assert pair.acked() == messages[4].place
    a.join()
    pair.register(0)  # nothing twice
    assert len(pair.rows()) == 5


def test_another_journal_under_a_known_name_is_refused(pair: Pair, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(JournalError, match="choose a new gateway_id"):
        Gateway(other, "g1", pair.engine)


@st.composite
def arrivals(draw: st.DrawFn) -> list[tuple[int, int]]:
    """(gateway, message) in any order, with repetitions; -1 is a twin of message 2."""
    order = draw(st.permutations(range(-1, 8)))
    again = draw(st.lists(st.integers(0, 7), max_size=4))
    return [(draw(st.integers(0, 1)), n) for n in (*order, *again)]


@settings(max_examples=12, deadline=None)
@given(arrivals(), st.lists(st.booleans(), min_size=13, max_size=13))
def test_line_and_verdicts_are_those_of_one_journal_that_received_all(
    cluster: PostgreSQL, received: list[tuple[int, int]], registers: list[bool]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(Path(folder), cluster.fresh())
        ring = pair.ring
        messages: list[Sealed] = []
        for n in range(8):
            if n == 5:
                ring.reboot()
            messages.append(ring.seal(NOW + n))
        before = messages[1]
        twin = Ring("k7f3q5", KEY, era=ring.era, seq=before.seq, prev=before.h)
        messages.append(twin.seal(NOW + 2, mv=3000))
        alone = Gateway(Path(folder), "alone", pair.engine)
        went: list[tuple[int, int]] = []
        for (which, n), now in zip(received, registers, strict=False):
            pair.gateways[which].receives(ring, messages[n])
            pair.register(which)
            alone.receives(ring, messages[n])
            if now:
                went.append(pair.acked())
        went.append(pair.acked())
        assert went == sorted(went)
        line = alone.journal.eras.get("k7f3q5", ring.era).line
        ack = pair.published[-1]
        assert (ack["boot"], ack["seq"], ack["h"]) == (*line.end.place, line.end.h)
        verdicts = sorted((v, newest) for _, v, newest in pair.rows())
        with closing(JournalReader(alone.path)) as reader:
            wanted = [(e.verdict, e.newest) for e in reader.all() if e.verdict]
        assert verdicts == sorted(wanted)
        alone.journal.close()
        pair.close()


@pytest.fixture(scope="module")
def cluster(postgresql: PostgreSQL) -> PostgreSQL:
    return postgresql
