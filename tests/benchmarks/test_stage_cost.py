"""What one message costs at each stage of the gateway, CPU, at 10, 1,000 and 10,000 tanks.

Each figure is compared with what the same bytes cost to authenticate and to hash alone, in the same
run: less than that no gateway can spend. A profile of every stage goes to
``build/benchmarks/profile-<tanks>.txt``; profiling stretches small functions, so it is taken in a
run of its own, and only its shape counts.
"""

import cProfile
import hashlib
import hmac
import io
import pstats
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import TypeVar

import pytest
import sqlalchemy as sa

from gateway.database.engine import connect
from gateway.ingest.batch import Ingest
from gateway.journal.diary import Diary
from gateway.journal.messages import Arrival
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.projections.readings.projection import ReadingsProjection
from gateway.projections.watch.projection import WatchProjection
from gateway.registry import rows
from gateway.runtime.wakeup import Wakeup
from gateway.stores.sqlite import SqliteStore
from tests.benchmarks import figures
from tests.benchmarks.fleet import registry_of
from tests.wire_node.sealed import Ring, drawn

_T = TypeVar("_T")

MESSAGES, BATCH, PROFILED, SHOWN = 20_000, 1000, 5000, 15
MOST = 400.0
"""All stages together may cost so many times what authenticating alone costs."""


class Stages:
    """CPU seconds by stage, of this thread; with ``profiles``, where in each they go."""

    def __init__(self, profiles: dict[str, cProfile.Profile] | None = None) -> None:
        self.spent_s: dict[str, float] = {}
        self.profiles = profiles

    def run(self, stage: str, work: Callable[[], _T]) -> _T:
        """Do one piece of a stage's work."""
        seen: AbstractContextManager[object] = nullcontext()
        if self.profiles is not None:
            seen = self.profiles.setdefault(stage, cProfile.Profile())
        with seen:
            begun = time.thread_time()
            done = work()
            spent_s = time.thread_time() - begun
            self.spent_s[stage] = self.spent_s.get(stage, 0.0) + spent_s
        return done


@pytest.mark.benchmark
@pytest.mark.timeout(600)
@pytest.mark.parametrize("tanks", [10, 1000, 10_000])
def test_cost_of_a_message_by_stage(tanks: int, tmp_path: Path) -> None:
    stages, messages = Stages(), max(MESSAGES, 3 * tanks)
    _walk(tmp_path / "timed", tanks, messages, stages)
    seen = Stages({})
    _walk(tmp_path / "profiled", tanks, max(PROFILED, tanks), seen)
    floor = stages.spent_s.pop("authenticate and hash alone")
    for stage, spent_s in stages.spent_s.items():
        figures.put(
            f"{stage}, {tanks} tanks", f"{spent_s / messages * 1e6:.1f} us of CPU a message",
            f"{spent_s / floor:.1f} times its HMAC and SHA-256 alone",
        )  # fmt: skip
    total = sum(stages.spent_s.values())
    figures.put(f"all stages, {tanks} tanks", f"{total / messages * 1e6:.0f} us a message")
    _write_profile(tanks, seen.profiles or {})
    assert total / floor <= MOST


def _walk(folder: Path, tanks: int, messages: int, stages: Stages) -> None:
    folder.mkdir()
    rings = [Ring(drawn(8), n.to_bytes(32, "big")) for n in range(1, tanks + 1)]
    now = time.time()
    arrivals = _arrivals(rings, messages // tanks, now)
    engine = connect(folder / "noria.db")
    with engine.begin() as connection:
        rows.put(connection, registry_of(rings), now - 86_400)
    journal = Journal(folder / "journal.db", "g1")
    Diary(journal).open(now, lambda: bytes(32), "benchmark")
    ingest = Ingest(journal, rows.load(engine))
    keys = {ring.topic: ring.key for ring in rings}
    for at in range(0, len(arrivals), BATCH):
        batch = arrivals[at : at + BATCH]
        stages.run("authenticate and hash alone", lambda b=batch: _floor(b, keys))
        _ingest(ingest, journal, batch, stages)
    journal.close()
    _project(folder, engine, stages)
    engine.dispose()


def _ingest(ingest: Ingest, journal: Journal, batch: list[Arrival], stages: Stages) -> None:
    admitted = stages.run("admit: MAC, JSON, registry", lambda: ingest.admit(batch))
    due = stages.run(
        "judge and save: line, flood, leaf, journal, fsync", lambda: ingest.journal(batch, admitted)
    )
    stages.run("acks, sealed", lambda: ingest.acks(due, batch[-1].received))


def _project(folder: Path, engine: sa.Engine, stages: Stages) -> None:
    store = SqliteStore(folder / "readings.db")
    readings = ReadingsProjection(
        store, lambda: JournalReader(folder / "journal.db"), engine, "readings"
    )
    readings.restore()
    watch = WatchProjection(engine, channels=["log"], outbox=Wakeup(), born=0.0)
    watch.restore()
    at = 0
    with closing(JournalReader(folder / "journal.db")) as reader:
        while entries := stages.run("read back", lambda at=at: reader.entries(at, BATCH)):
            stages.run("store: SQLite", lambda e=entries: readings.apply(e))
            stages.run("watch", lambda e=entries: watch.apply(e))
            at = entries[-1].id
    store.close()


def _floor(batch: Sequence[Arrival], keys: dict[str, bytes]) -> None:
    for topic, payload, _ in batch:
        hmac.digest(keys[topic], payload, "sha256")
        hashlib.sha256(payload).digest()


def _arrivals(rings: list[Ring], rounds: int, until: float) -> list[Arrival]:
    arrivals: list[Arrival] = []
    for turn in range(rounds):
        at = until - (rounds - turn) * 600
        for n, ring in enumerate(rings):
            reading = {"o": 0, "mm": 300 + turn // 20 % 300 + n % 3, "sp": 4, "n": 7, "of": 7}
            message = ring.seal(at, up=10 + ring.seq, r=[reading])
            ring.sealed.clear()
            arrivals.append(Arrival(ring.topic, ring.payload(message).encode(), at))
    return arrivals


def _write_profile(tanks: int, profiles: dict[str, cProfile.Profile]) -> None:
    out = io.StringIO()
    for stage, profile in profiles.items():
        out.write(f"== {stage}\n")
        pstats.Stats(profile, stream=out).strip_dirs().sort_stats("tottime").print_stats(SHOWN)
    figures.write(f"profile-{tanks}.txt", out.getvalue())
