"""A thousand stories, written to one journal and to two that share a PostgreSQL, in their own time.

No broker and no waiting: every message is journaled, registered, merged and watched at the second
that the story gives it, so that each difference is a fault and not a busy machine.
``NORIA_STORIES`` is the number of stories in ``make test``.
"""

import os
import random
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.cluster.merge_order import MergeOrder
from gateway.cluster.reader import MergedReader
from gateway.cluster.registrar import ListeningFlag, Registrar
from gateway.database.engine import connect
from gateway.database.tables import incident, outbox
from gateway.domain.registry import Registry
from gateway.journal.messages import Arrival
from gateway.journal.reader import JournalReader
from gateway.projections.watch.projection import WatchProjection
from gateway.runtime.wakeup import Wakeup
from tests.committing import commit
from tests.parts.postgresql_service import PostgreSQL
from tests.stories.script import NEXT_S, DeviceStory, stories
from tests.stories.unhurried import (
    START,
    TICK_S,
    Nodes,
    Place,
    StoryClock,
    put,
    registry_of,
)

STORIES = int(os.environ.get("NORIA_STORIES", "28"))


class One:
    """One gateway with SQLite."""

    def __init__(self, folder: Path, watched: Registry, clock: StoryClock) -> None:
        self.clock = clock
        self.engine = connect(folder / "noria.db")
        self.places = [Place(folder, "alone", put(self.engine, watched), clock.now())]
        self.reader: JournalReader | MergedReader = self.places[0].reader()
        self.watch = WatchProjection(
            self.engine, channels=["log"], outbox=Wakeup(), born=clock.now() - 1
        )
        self.at = 0

    def tick(self) -> None:
        """The watch applies what was journaled, and timers fire."""
        self._apply()
        self._idle(self.clock.now())

    def _apply(self) -> None:
        while entries := self.reader.entries(self.at, 2000):
            self.watch.apply(entries)
            self.at = entries[-1].id

    def _idle(self, until: float) -> None:
        while (due := self.watch.idle(until)) is not None and due <= until:
            pass

    def alerts(self) -> dict[tuple[str, str], list[float]]:
        """The times of all alerts by tank or uplink and kind, in order."""
        found: dict[tuple[str, str], list[float]] = defaultdict(list)
        with self.engine.connect() as connection:
            for row in connection.execute(sa.select(outbox).order_by(outbox.c.made, outbox.c.id)):
                change = row.change
                found[change["tank"] or change["uplink"], change["kind"]].append(row.made)
        return found

    def incidents(self) -> list[tuple[str, str]]:
        """Tank or uplink, and kind, of all."""
        with self.engine.connect() as connection:
            found = connection.execute(sa.select(incident)).all()
        return sorted((row.tank or row.uplink, row.kind) for row in found)


class Two(One):
    """Two gateways on one PostgreSQL."""

    def __init__(self, folder: Path, watched: Registry, clock: StoryClock, url: sa.URL) -> None:
        self.clock = clock
        self.engine = connect(url)
        known = put(self.engine, watched)
        self.places = [Place(folder, name, known, clock.now()) for name in ("g1", "g2")]
        self.registrars = [self._registrar(n) for n in range(2)]
        self.merging = MergeOrder(self.engine, clock, Wakeup(), lambda: clock.now() - START)
        self.reader = MergedReader(self.engine)
        self.watch = WatchProjection(
            self.engine, channels=["log"], outbox=Wakeup(), born=float("-inf"), listening=True
        )
        self.at = 0

    def _registrar(self, n: int) -> Registrar:
        place, name = self.places[n], f"g{n + 1}"
        made = Registrar(
            self.engine, place.reader, name, Wakeup(), self.clock, ListeningFlag(listening=True)
        )
        with closing(place.reader()) as journal, self.engine.begin() as connection:
            made._check(connection, journal)  # pyright: ignore[reportPrivateUsage]
        return made

    def tick(self) -> None:
        for registrar in self.registrars:
            while registrar.turn() == 0.0:
                pass
        while self.merging.turn() == 0.0:
            pass
        self._apply()
        self._idle(min(self.clock.now(), self.merging.at))


def play(folder: Path, url: sa.URL, played: Sequence[DeviceStory], away: bool) -> tuple[One, Two]:
    """Play the stories to both. ``away``: twice an hour one of the two gateways is killed, and for
    three minutes the other one receives everything. A device sends what was lost again at its next
    wake. The last message of a node that never wakes again is not lost.
    """
    clock, dice = StoryClock(), random.Random(5)
    clock.moment[0] = START - TICK_S
    watched, nodes = registry_of(played), Nodes(played)
    one, two = One(folder, watched, clock), Two(folder, watched, clock, url)
    coming = sorted((w.at, t.device, n) for t in played for n, w in enumerate(t.wakes))
    wakes = {t.device: t.wakes for t in played}
    unsent: dict[str, list[Arrival]] = defaultdict(list)
    at, lost = 0.0, 0
    for ours in (one, two):
        ours.tick()
    while coming or at < played[0].wakes[0].at:
        at += TICK_S
        due = [c for c in coming if c[0] <= at]
        del coming[: len(due)]
        arrivals = [nodes.message(device, wakes[device][n]) for _, device, n in due]
        clock.moment[0] = START + at + 2.0
        if arrivals:
            commit(one.places[0].ingest, arrivals, clock.now())
        dead = int(at // 1800) % 2 if away and at % 1800 < 180 else None
        dying = dead is not None and at % 1800 < TICK_S
        shares: list[list[Arrival]] = [[], []]
        for arrival in arrivals:
            which = dice.randrange(2)
            device = arrival.topic.split("/")[2]
            if which == dead and dying and START + wakes[device][-1].at + 1.0 > arrival.received:
                unsent[device].append(arrival)
                lost += 1
                continue
            which = which if dead is None else 1 - dead
            again = [Arrival(a.topic, a.payload, arrival.received) for a in unsent.pop(device, [])]
            shares[which] += [arrival, *again]
        for place, share in zip(two.places, shares, strict=True):
            if share:
                commit(place.ingest, share, clock.now())
        one.tick()
        two.tick()
    assert (lost > 0) == away
    return one, two


def compare(one: One, two: Two, slack_s: float) -> float:
    """Same incidents, same alerts; returns the longest time between the alerts of a pair (s)."""
    assert two.incidents() == one.incidents()
    alone, shared = one.alerts(), two.alerts()
    assert {k: len(v) for k, v in shared.items()} == {k: len(v) for k, v in alone.items()}
    apart = [abs(a - b) for key in alone for a, b in zip(alone[key], shared[key], strict=True)]
    print(f"\n{len(one.incidents())} incidents, {len(apart)} alerts, {max(apart):.2f} s apart")
    assert max(apart) <= slack_s
    return max(apart)


def test_one_gateway_and_two_have_the_same_alerts(tmp_path: Path, postgresql: PostgreSQL) -> None:
    played = stories(STORIES, seed=3, hours=1.5)
    one, two = play(tmp_path, postgresql.fresh(), played, away=False)
    compare(one, two, 5.0)
    assert len(one.incidents()) > STORIES // 2


@pytest.mark.benchmark
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("away", [False, True])
def test_one_gateway_and_two_have_the_same_alerts_in_a_thousand_stories(
    tmp_path: Path, postgresql: PostgreSQL, away: bool
) -> None:
    played = stories(1000, seed=4, hours=1.5)
    one, two = play(tmp_path, postgresql.fresh(), played, away)
    compare(one, two, NEXT_S if away else 5.0)
