"""What several gateways share is pruned once it is archived and passed; nothing else changes."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from subprocess import CalledProcessError

import pytest
import sqlalchemy as sa

from gateway.cluster import tables
from gateway.cluster.archives import ClusterArchives
from gateway.cluster.merge_order import MergeOrder
from gateway.cluster.pruning import EntryPruner
from gateway.cluster.reader import MergedReader
from gateway.cluster.registrar import ListeningFlag, Registrar
from gateway.database import heartbeat
from gateway.database.engine import connect
from gateway.domain.entry import Entry
from gateway.domain.registry import Device, Registry
from gateway.errors import ArchiveError
from gateway.ingest.batch import Ingest
from gateway.journal.diary import Diary
from gateway.journal.messages import Arrival
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.projections import cursor
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from tests.committing import commit
from tests.integration import archived
from tests.integration.archived import AUGUST, JUNE, SEPTEMBER
from tests.parts.commands import noria
from tests.parts.postgresql_service import PostgreSQL, settings_lines
from tests.wire_node.sealed import Ring, Sealed

KEY = bytes(range(32))
REGISTRY = Registry(devices={"k7f3q5": (Device("k7f3q5", "t", key=KEY),)})
DAY_S = 86400


class Gateway:
    """One of several, with a data folder of its own, whose turns the test makes itself."""

    def __init__(self, folder: Path, name: str, engine: sa.Engine) -> None:
        self.name, self.engine, self.folder = name, engine, folder / name
        self.folder.mkdir()
        self.journal = Journal(self.folder / "journal.db", name)
        Diary(self.journal).open(JUNE, lambda: bytes(32), "test")
        self.ingest = Ingest(self.journal, REGISTRY)
        self.registrar = Registrar(
            engine, self.reader, name, Wakeup(), Clock(), ListeningFlag(listening=True)
        )
        with closing(self.reader()) as journal, engine.begin() as connection:
            self.registrar._check(connection, journal)  # pyright: ignore[reportPrivateUsage]
        self.pruning = EntryPruner(engine, self.reader, name)

    def reader(self) -> JournalReader:
        return JournalReader(self.folder / "journal.db")

    def receives(self, ring: Ring, message: Sealed, at: float) -> None:
        commit(self.ingest, [Arrival(ring.topic, ring.payload(message).encode(), at)], at)

    def prune(self) -> None:
        while self.pruning.turn() < 1:
            pass


class Several:
    """Two gateways on one PostgreSQL: a message a day, received by each in turn, from June on."""

    def __init__(self, folder: Path, url: sa.URL) -> None:
        self.engine = connect(url)
        self.a, self.b = (Gateway(folder, name, self.engine) for name in ("g1", "g2"))
        self.ring = Ring("k7f3q5", KEY)
        self.sent: list[Sealed] = []
        self.merging = MergeOrder(self.engine, Clock(), Wakeup())
        for n in range(92):
            self.send(JUNE + n * DAY_S)
        self.place()

    def send(self, at: float) -> None:
        self.sent.append(self.ring.seal(at))
        gateway = (self.a, self.b)[len(self.sent) % 2]
        gateway.receives(self.ring, self.sent[-1], at)

    def place(self) -> None:
        for gateway in (self.a, self.b):
            gateway.registrar.turn()
        self.merging.turn()

    def passed(self, name: str, place: int) -> None:
        with self.engine.begin() as connection:
            cursor.save(connection, name, place)

    def bodies(self) -> int:
        e = tables.entry.c
        query = sa.select(sa.func.count()).where(e.kind == "msg", sa.func.length(e.body) > 0)
        with self.engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def merged(self, seen_from: Gateway) -> list[Entry]:
        archives = ClusterArchives(self.engine, seen_from.folder / "archive", seen_from.name)
        with closing(MergedReader(self.engine, archives)) as reader:
            reader.check()
            return list(reader.all())

    def close(self) -> None:
        for gateway in (self.a, self.b):
            gateway.journal.close()
        self.engine.dispose()


@pytest.fixture
def several(tmp_path: Path, postgresql: PostgreSQL) -> Iterator[Several]:
    made = Several(tmp_path, postgresql.fresh())
    yield made
    made.close()


def test_nothing_is_pruned_before_it_is_archived_and_every_projection_has_passed_it(
    several: Several,
) -> None:
    places = len(several.merged(several.a))
    assert several.bodies() == 92
    several.passed("watch", places)
    several.passed("store g1", places)
    several.passed("store g2", 45)  # it is away since the middle of July
    several.a.prune()
    assert several.bodies() == 92  # not archived
    archived.archive(several.a.folder, AUGUST)
    several.a.prune()
    assert several.bodies() == 92 - 15  # what g1 received in June
    several.passed("store g2", places)
    several.a.prune()
    assert several.bodies() == 92 - 30  # and in July


def test_nothing_waits_for_a_gateway_that_is_retired(several: Several, tmp_path: Path) -> None:
    before = several.merged(several.a)
    for name, at in (("watch", len(before)), ("store g1", len(before)), ("store g2", 45)):
        several.passed(name, at)
    archived.archive(several.a.folder, AUGUST)
    several.a.prune()
    assert several.bodies() == 92 - 15
    config = tmp_path / "noria.toml"
    url = settings_lines(several.engine.url)
    config.write_text(f'gateway_id = "g1"\nbroker = "mqtt://127.0.0.1:1"\n{url}', "utf-8")
    with pytest.raises(CalledProcessError) as unknown:
        noria("gateways", "retire", "g3", "--config", str(config))
    assert "no gateway is called 'g3' here; known: g1, g2" in unknown.value.stderr
    heartbeat.renew(several.engine, "g2", connected=True, broker="")
    with pytest.raises(CalledProcessError) as runs:
        noria("gateways", "retire", "g2", "--config", str(config))
    assert "gateway g2 runs: end it first" in runs.value.stderr
    with several.engine.begin() as connection:
        connection.execute(sa.update(heartbeat.gateway_now).values(renewed=0.0))
    output = noria("gateways", "retire", "g2", "--config", str(config))
    assert output == f"Gateway g2 is retired; its store had {len(before) - 45} entries to read.\n"
    several.a.prune()
    assert several.bodies() == 92 - 30
    assert "g2" not in noria("status", "--config", str(config))
    (several.a.folder / "archive" / "g2").symlink_to(several.b.folder / "archive")
    assert several.merged(several.a) == before  # what it journaled stays
    several.send(SEPTEMBER)  # it comes back all the same
    several.send(SEPTEMBER + 1)
    several.place()
    assert len(several.merged(several.a)) == len(before) + 2


def test_the_common_order_reads_the_same_from_the_files(several: Several, tmp_path: Path) -> None:
    before = several.merged(several.a)
    for name in ("watch", "store g1", "store g2"):
        several.passed(name, len(before))
    for gateway in (several.a, several.b):
        archived.archive(gateway.folder, SEPTEMBER)
        gateway.prune()
    assert several.bodies() == 0
    with pytest.raises(ArchiveError, match=r"gateway g2's entries .*archive/g2/2026-06") as error:
        several.merged(several.a)
    assert 0 < error.value.last < len(before)
    (several.a.folder / "archive" / "g2").symlink_to(several.b.folder / "archive")
    (several.b.folder / "archive" / "g1").symlink_to(several.a.folder / "archive")
    assert several.merged(several.a) == before
    assert several.merged(several.b) == before


def test_a_message_resent_after_pruning_is_still_a_duplicate(several: Several) -> None:
    places = len(several.merged(several.a))
    for name in ("watch", "store g1", "store g2"):
        several.passed(name, places)
    archived.archive(several.a.folder, SEPTEMBER)
    several.a.prune()
    now = SEPTEMBER + 7 * DAY_S  # g2 comes back, and receives what g1 has journaled and archived
    theirs = several.sent[1]
    several.b.receives(several.ring, theirs, now)
    several.a.receives(several.ring, theirs, now)
    several.send(now)
    several.place()
    with several.engine.connect() as connection:
        counts = connection.execute(sa.select(tables.head.c.counts)).scalar_one()
        messages = sa.select(sa.func.count()).where(tables.entry.c.kind == "msg")
        assert connection.execute(messages).scalar_one() == 93
        line = sa.select(tables.era.c.line_seq)
        assert connection.execute(line).scalar_one() == several.sent[-1].place[1]
    assert counts["duplicate"] == 1
    assert counts["stored"] + counts["late"] == 93  # g1 registered before g2
    assert len(several.merged(several.a)) == places + 1


def test_a_gateway_that_comes_back_later_registers_its_journal(several: Several) -> None:
    places = len(several.merged(several.a))
    late = several.ring.seal(SEPTEMBER)
    several.b.receives(several.ring, late, SEPTEMBER)  # journaled, then it is gone for a week
    for name in ("watch", "store g1"):
        several.passed(name, places)
    archived.archive(several.a.folder, AUGUST)
    several.a.prune()
    several.place()
    assert [e.payload.decode() for e in several.merged(several.a)][-1] == several.ring.payload(late)
