"""The watch's checkpoints: a kill at any moment changes no output."""

import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.database.engine import connect
from gateway.database.tables import fact, incident, incident_step, outbox, tank_event, tank_now
from gateway.domain.entry import Entry
from gateway.domain.registry import Plan, Registry
from gateway.journal.messages import Arrival
from gateway.journal.reader import JournalReader
from gateway.projections import cursor
from gateway.projections.watch import checkpoint
from gateway.projections.watch.checkpoint import Checkpoint
from gateway.projections.watch.projection import NAME, WatchProjection
from gateway.registry import rows
from gateway.runtime.wakeup import Wakeup
from tests.committing import commit
from tests.stories.script import DeviceStory, stories
from tests.stories.unhurried import START, TICK_S, Nodes, Place, StoryClock, put, registry_of

STORIES = int(os.environ.get("NORIA_STORIES", "28"))
LATER_S = 3 * 3600.0


class Life:
    """One gateway's files and watch. ``killed``: its process is killed after many batches."""

    def __init__(self, folder: Path, watched: Registry, clock: StoryClock, *, killed: bool) -> None:
        folder.mkdir()
        self.clock = clock
        self.dice = random.Random(7)
        self.killed = killed
        self.engine = connect(folder / "noria.db")
        self.place = Place(folder, "alone", put(self.engine, watched), clock.now())
        self.reader = self.place.reader()
        self.kills = self.replayed = 0
        self.begin()

    def begin(self) -> None:
        def read() -> JournalReader:
            reader, entries = self.place.reader(), JournalReader.entries

            def counted(after: int, limit: int) -> list[Entry]:
                found = entries(reader, after, limit)
                self.replayed += len(found)
                return found

            reader.entries = counted  # type: ignore[method-assign]
            return reader

        self.watch = WatchProjection(
            self.engine, channels=["log"], outbox=Wakeup(), born=START, listening=True,
            gather_s=self.dice.choice([0.0, 0.02, 3600.0]) if self.killed else 0.0,
            open_journal=read if self.killed else None,
        )  # fmt: skip
        with self.engine.connect() as connection:
            self.at = cursor.load(connection, NAME)

    def apply(self, arrivals: Sequence[Arrival]) -> None:
        """Journal these, apply them in batches of any size, and fire the timers that are due."""
        if arrivals:
            commit(self.place.ingest, arrivals, self.clock.now())
        while entries := self.reader.entries(self.at, self._some()):
            self.watch.apply(entries)
            self.at = entries[-1].id
            if self.killed and self.dice.random() < 0.3:
                self.kills += 1
                self.begin()
        until = self.clock.now()
        while (due := self.watch.idle(until)) is not None and due <= until:
            pass

    def end(self) -> None:
        """Save what still waits."""
        self.watch.idle(self.clock.now())
        self.reader.close()
        self.place.journal.close()

    def _some(self) -> int:
        return self.dice.randint(1, 9) if self.killed else 2000

    def rows(self, table: sa.Table, *without: str) -> list[tuple[Any, ...]]:
        columns = [c for c in table.c if c.name not in ("id", "version", *without)]
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.select(*columns))]

    def state(self) -> dict[str, Any]:
        with self.engine.connect() as connection:
            saved: dict[str, Any] = dict(cursor.load_state(connection, NAME))
        return {key: value for key, value in saved.items() if key != checkpoint.KEY}


def _live(lives: Sequence[Life], devices: Sequence[DeviceStory], clock: StoryClock) -> None:
    nodes = Nodes(devices)
    coming = sorted((w.at, t.device, n) for t in devices for n, w in enumerate(t.wakes))
    wakes = {t.device: t.wakes for t in devices}
    end = coming[-1][0] + LATER_S
    at, moved = 0.0, False
    while at < end:
        at += TICK_S if coming else 600.0
        due = [c for c in coming if c[0] <= at]
        del coming[: len(due)]
        clock.moment[0] = START + at + 2.0
        arrivals = [nodes.message(device, wakes[device][n]) for _, device, n in due]
        if not moved and at > 3600.0:  # the registry changes on the way
            moved = True
            plan = Plan(devices[0].tank, START + at, START + at + 1800.0, "cleaning")
            for life in lives:
                with life.engine.begin() as connection:
                    rows.put(connection, Registry(plans={devices[0].tank: (plan,)}), START + at)
        for life in lives:
            life.apply(arrivals)


def test_a_watch_killed_at_any_moment_has_the_same_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "_MOST_ENTRIES", 150)
    clock = StoryClock()
    clock.moment[0] = START - TICK_S
    devices = stories(STORIES, seed=11, hours=2.0)
    watched = registry_of(devices)
    whole = Life(tmp_path / "whole", watched, clock, killed=False)
    killed = Life(tmp_path / "killed", watched, clock, killed=True)
    _live((whole, killed), devices, clock)
    monkeypatch.setattr(checkpoint, "_LONGEST_S", 0.0)
    for life in (whole, killed):
        life.end()
    assert killed.kills > 20
    assert killed.replayed > 300
    for table, without in (
        (incident, ()), (incident_step, ()), (outbox, ()), (tank_event, ()),
        (fact, ("entry_id", "subject", "body")),
    ):  # fmt: skip
        assert sorted(map(str, killed.rows(table, *without))) == sorted(
            map(str, whole.rows(table, *without))
        ), table.name
    assert len(whole.rows(incident)) > STORIES // 2
    assert sorted(killed.rows(tank_now)) == sorted(whole.rows(tank_now))
    assert killed.state() == whole.state()


def test_a_state_ahead_of_the_cursor_is_saved_again_at_once() -> None:
    """It is ahead after the journal and its cursor were restored from a backup."""
    assert Checkpoint.of({checkpoint.KEY: [9, 3]}, 5, 4).is_due(6)
    assert not Checkpoint.of({checkpoint.KEY: [5, 3]}, 5, 4).is_due(6)
