"""Two gateways, a real broker and a real PostgreSQL, each killed: nothing lost, nothing doubled."""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from subprocess import CalledProcessError

import pytest
import sqlalchemy as sa

from gateway.cluster import leader, tables
from gateway.database.engine import connect
from gateway.database.tables import tank_now
from gateway.errors import DatabaseError
from tests.integration.running_gateway import RunningGateway
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.postgresql_service import PostgreSQL, settings_lines
from tests.parts.postgresql_service import postgresql as running_postgresql
from tests.parts.services import until
from tests.wire_node.node import Lost, Node
from tests.wire_node.sealed import drawn

NODES = 6


class Camp:
    """Nodes that send continuously on threads of their own, and two gateways."""

    def __init__(self, folder: Path, broker: Mosquitto, cluster: PostgreSQL) -> None:
        self.cluster = cluster
        self.url = cluster.fresh()
        self.nodes = [
            Node(drawn(7), secrets.token_bytes(32), broker.port, "") for _ in range(NODES)
        ]
        lines = f'broker = "{broker.url}"\nchannels = ["log"]\n{settings_lines(self.url)}'
        self.gateways = [
            RunningGateway(folder / name, f'gateway_id = "{name}"\n{lines}')
            for name in ("g1", "g2")
        ]
        self.gateways[0].enrol({n.ring.device: n.ring.key for n in self.nodes})
        self.finishing = threading.Event()
        self.threads = [threading.Thread(target=self._live, args=(n,)) for n in self.nodes]

    def start(self) -> None:
        for gateway in self.gateways:
            gateway.start()
        for thread in self.threads:
            thread.start()

    def _live(self, node: Node) -> None:
        while not (self.finishing.is_set() and node.unacked == 0):
            try:
                node.connection(1 if self.finishing.is_set() else 4, time.time, 0.01, wait_s=1.0)
            except Lost:
                time.sleep(0.1)

    def sealed(self) -> int:
        return sum(len(n.ring.sealed) for n in self.nodes)

    def more(self, messages: int) -> None:
        """Wait until so many more were sealed."""
        wanted = self.sealed() + messages
        until(lambda: self.sealed() >= wanted, 60, f"{messages} messages more")

    def finish(self) -> None:
        self.finishing.set()
        for thread in self.threads:
            thread.join(60)
        assert [n.unacked for n in self.nodes] == [0] * NODES

    def holder(self) -> int:
        """The number of the gateway that is the leader."""
        with self.engine().connect() as connection:
            name = connection.execute(sa.select(tables.holder.c.gateway)).scalar_one()
        return ("g1", "g2").index(name)

    def tanks(self) -> list[tuple[str, float]]:
        """Every tank and its level, as pages show them."""
        with self.engine().connect() as connection:
            found = connection.execute(sa.select(tank_now.c.tank, tank_now.c.value)).all()
        return sorted((row.tank, row.value["volume_l"]) for row in found)

    def engine(self) -> sa.Engine:
        return sa.create_engine(self.url, poolclass=sa.NullPool)

    def assert_all_once(self) -> None:
        """What was sealed = what is registered = what the watch has in its order."""
        sent = Counter((n.ring.topic, n.ring.payload(m)) for n in self.nodes for m in n.ring.sealed)
        with self.engine().connect() as connection:
            bodies = connection.execute(
                sa.select(tables.entry.c.body).where(tables.entry.c.hash.is_not(None))
            ).scalars()
            kept = Counter(tuple(bytes(b).decode().split("\n", 1)) for b in bodies)
            counts = connection.execute(sa.select(tables.head.c.counts)).scalar_one()
        assert kept == sent
        assert set(kept.values()) == {1}
        assert counts.get("fork", 0) == 0
        until(self._is_placed, 30, "every entry has its place")

    def _is_placed(self) -> bool:
        with self.engine().connect() as connection:
            placed = connection.execute(sa.select(sa.func.count()).select_from(tables.place))
            entries = connection.execute(sa.select(sa.func.count()).select_from(tables.entry))
            return placed.scalar_one() == entries.scalar_one()

    def end(self) -> None:
        self.finishing.set()
        for gateway in self.gateways:
            gateway.stop()  # SIGKILL in the end, which a hung one obeys as well


@pytest.fixture
def camp(tmp_path: Path, mosquitto: Mosquitto) -> Iterator[Camp]:
    with running_postgresql(durable=True) as cluster:
        made = Camp(tmp_path, mosquitto, cluster)
        made.start()
        try:
            yield made
        finally:
            made.end()


def test_each_gateway_and_the_database_are_killed_and_nothing_is_lost_or_doubled(
    camp: Camp,
) -> None:
    camp.more(30)
    for _ in range(2):
        first = camp.holder()
        camp.gateways[first].kill()
        until(lambda f=first: camp.holder() != f, 20, "the other gateway is the leader")
        camp.more(30)
        camp.gateways[first].start()
    camp.cluster.service.kill()
    camp.more(30)  # the gateways go on journaling
    camp.cluster.start()
    camp.finish()
    camp.assert_all_once()
    journaled = Counter(
        (line["topic"], line["payload"]) for g in camp.gateways for line in g.exported_own()
    )
    assert journaled.keys() == {
        (n.ring.topic, n.ring.payload(m)) for n in camp.nodes for m in n.ring.sealed
    }
    _assert_commands_agree(camp)


def _assert_commands_agree(camp: Camp) -> None:
    sealed = camp.sealed()
    names = {(n.ring.device, m.boot, m.seq) for n in camp.nodes for m in n.ring.sealed}
    for gateway in camp.gateways:
        found = gateway.status()
        assert found["received"]["stored"] + found["received"]["late"] == sealed
        assert found["journal"]["messages"] == sealed
        assert sorted(found["gateways"]) == ["g1", "g2"]
        assert sum(one["watches"] for one in found["gateways"].values()) == 1
        assert len(gateway.exported()) == sealed  # of all journals, each once
        readings = gateway.readings()
        assert Counter((r["device"], r["boot"], r["seq"]) for r in readings) == Counter(names)
        assert "noria-test-only" not in gateway.log.read_text("utf-8")
    with pytest.raises(CalledProcessError):
        camp.gateways[0].noria("rebuild", "watch")  # while a gateway watches
    before = camp.tanks()
    for gateway in camp.gateways:
        gateway.stop()
    assert f"{sealed} readings" in camp.gateways[1].noria("rebuild", "store")
    camp.gateways[0].noria("rebuild", "watch")
    assert camp.tanks() == before


def test_a_leader_that_hangs_is_replaced_and_can_write_nothing_when_it_resumes(camp: Camp) -> None:
    camp.more(30)
    first = camp.holder()
    camp.gateways[first].pause()
    until(lambda: camp.holder() != first, leader.HUNG_S + 20, "the other is the leader")
    camp.more(30)
    camp.gateways[first].resume()
    camp.more(30)
    camp.finish()
    camp.assert_all_once()
    assert camp.holder() != first
    log = camp.gateways[first].log.read_text("utf-8")
    assert "is the leader now" in log or "terminating connection" in log


def test_an_epoch_that_is_over_writes_nothing(postgresql: PostgreSQL) -> None:
    engine = connect(postgresql.fresh())
    ours = leader.fenced_engine(engine, 0)
    with ours.begin() as connection:
        connection.execute(sa.update(tables.holder).values(gateway="g1"))
    with engine.begin() as connection:
        connection.execute(sa.update(tables.holder).values(epoch=1))
    with pytest.raises(DatabaseError, match="another gateway is the leader"), ours.begin():
        pass
    ours.dispose()
    engine.dispose()
