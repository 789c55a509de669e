"""Batches on a disk that sometimes refuses: each is journaled once, in order, then acknowledged."""

import sqlite3
import tempfile
from collections.abc import Sequence
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain import envelope
from gateway.ingest import commits
from gateway.ingest.batch import Ingest
from gateway.ingest.commits import Commits
from gateway.journal import failure_file
from gateway.journal.counters import Counters
from gateway.journal.failure_file import FailureFile
from gateway.journal.messages import Arrival
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from tests.integration.test_batches import REGISTRY, STEPS, journaled, sealed

T0 = 1_795_212_000.0


class RefusingDisk:
    """Makes the saves that ``refusals`` marks fail after their last write."""

    def __init__(self, patch: pytest.MonkeyPatch, refusals: Sequence[bool]) -> None:
        self._refusals = list(refusals)
        self.refused = 0
        original = Counters.save  # the part that is saved last

        def save(counters: Counters) -> None:
            original(counters)
            if self._refusals and self._refusals.pop(0):
                self.refused += 1
                raise sqlite3.OperationalError("database or disk is full")

        patch.setattr(Counters, "save", save)


def committed(folder: Path, arrivals: list[Arrival], cuts: list[int]) -> tuple[Any, ...]:
    """As ``journaled``, each batch until the disk takes it."""
    path = folder / "journal.db"
    journal = Journal(path, "g1")
    ingest = Ingest(journal, REGISTRY)
    last: dict[str, bytes] = {}
    queue = Commits(ingest, FailureFile(folder), lambda _batch, admitted: admitted, Event())
    for begin, end in zip([0, *cuts], [*cuts, len(arrivals)], strict=True):
        eras = queue.commit(arrivals[begin:end])
        assert eras is not None
        last.update({a.topic: a.payload for a in ingest.acks(eras, T0)})
    reader = JournalReader(path)
    entries = [(e.kind, e.subject, e.verdict, e.flag, e.newest, e.body) for e in reader.all()]
    counts = reader.counts()
    reader.close()
    eras = sorted(era._replace(recency=0) for era in journal.eras.all())
    journal.close()
    Journal(path, "g1").close()  # verifies leaves and frontier
    return entries, counts, eras, last


@settings(max_examples=80, deadline=None)
@given(STEPS, st.randoms(use_true_random=False), st.data())
def test_refused_batches_are_journaled_again_in_order_and_once(
    steps: Any, random: Any, data: st.DataObject
) -> None:
    sent = sealed(steps)
    if data.draw(st.booleans()):
        random.shuffle(sent)
    arrivals = [Arrival(topic, payload, T0) for topic, payload in sent]
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(arrivals) - 1)), max_size=9)))
    cuts = [c for c in cuts if c < len(arrivals)]
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(commits, "RETRY_S", 0.0)
        RefusingDisk(patch, data.draw(st.lists(st.booleans(), max_size=12)))
        found = committed(Path(folder), arrivals, cuts)
    assert found == journaled(arrivals, cuts)


def test_a_refused_batch_and_the_next_one_are_both_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "RETRY_S", 0.0)
    disk = RefusingDisk(monkeypatch, [False, True, True])
    sent = sealed([("k7f3q5", "next")] * 6)
    arrivals = [Arrival(topic, payload, T0) for topic, payload in sent]
    entries, counts, (era,), last = committed(tmp_path, arrivals, [2, 4])
    assert disk.refused == 2
    assert [entry[5].split(b"\n", 1)[1] for entry in entries] == [payload for _, payload in sent]
    assert (counts["stored"], counts.get("duplicate", 0)) == (6, 0)
    assert era.line.end.place == (1, 6)
    assert b'"seq":6' in last[envelope.ack_topic("k7f3q5")]
    assert failure_file.read(tmp_path) is None


def test_a_refused_batch_is_not_acknowledged_when_the_gateway_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RefusingDisk(monkeypatch, [True])
    journal = Journal(tmp_path / "journal.db", "g1")
    stopping = Event()
    stopping.set()
    queue = Commits(
        Ingest(journal, REGISTRY), FailureFile(tmp_path), lambda _batch, given: given, stopping
    )
    assert queue.commit([Arrival(*sealed([("k7f3q5", "next")])[0], T0)]) is None
    assert journal.last_id == 0
    assert "disk is full" in (failure_file.read(tmp_path) or "")
    journal.close()
