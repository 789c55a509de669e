"""Batches that are judged while others are being saved, on a disk that sometimes refuses."""

import sqlite3
import tempfile
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain import envelope
from gateway.ingest import commit_queue
from gateway.ingest.batch import Ingest
from gateway.ingest.commit_queue import CommitQueue, PendingBatch
from gateway.journal import failure_file
from gateway.journal.failure_file import FailureFile
from gateway.journal.group_commit import GroupCommit, Write
from gateway.journal.messages import Arrival
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.mqtt.bulk_reader import Receipts
from tests.integration.test_batches import REGISTRY, STEPS, journaled, sealed

T0 = 1_795_212_000.0


class RefusingDisk:
    """Makes the saves that ``refusals`` marks fail after their last write."""

    def __init__(self, patch: pytest.MonkeyPatch, refusals: Sequence[bool]) -> None:
        self._refusals = list(refusals)
        self.refused = 0
        for name in ("save", "submit"):
            patch.setattr(GroupCommit, name, self._wrapped(getattr(GroupCommit, name)))

    def _wrapped(self, original: Any) -> Any:
        def save(disk: GroupCommit, writes: Sequence[Write], committed: Any) -> Future[None] | None:
            refused = bool(self._refusals) and self._refusals.pop(0)
            return original(disk, [*writes, *[self._refuse] * refused], committed)

        return save

    def _refuse(self, _connection: sqlite3.Connection) -> None:
        self.refused += 1
        raise sqlite3.OperationalError("database or disk is full")


def committed(
    folder: Path, arrivals: list[Arrival], cuts: list[int], unsaved: int
) -> tuple[Any, ...]:
    """As ``journaled``, but each batch is submitted while up to ``unsaved`` others are unsaved."""
    path = folder / "journal.db"
    journal = Journal(path, "g1")
    ingest = Ingest(journal, REGISTRY)
    acked: list[int] = []
    last: dict[str, bytes] = {}

    def acknowledge(unsaved: int = 0) -> None:
        for batch in commits.saved(unsaved):
            acked.extend(batch.receipts.mids)
            last.update({a.topic: a.payload for a in ingest.acks(batch.eras, T0)})

    commits = CommitQueue(ingest, journal, FailureFile(folder), lambda _batch: None, Event())
    for begin, end in zip([0, *cuts], [*cuts, len(arrivals)], strict=True):
        piece = arrivals[begin:end]
        admitted = ingest.admit(piece)
        acknowledge(unsaved)
        receipts = Receipts(1, list(range(begin, end)))
        commits.submit(PendingBatch(piece, admitted, receipts, T0), lambda: None)
    acknowledge()
    assert acked == list(range(len(arrivals)))  # each once, in order
    assert commits.is_empty
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
        patch.setattr(commit_queue, "RETRY_S", 0.0)
        RefusingDisk(patch, data.draw(st.lists(st.booleans(), max_size=12)))
        found = committed(Path(folder), arrivals, cuts, unsaved=data.draw(st.integers(0, 2)))
    assert found == journaled(arrivals, cuts)


def test_a_refused_batch_and_the_next_one_are_both_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_queue, "RETRY_S", 0.0)
    disk = RefusingDisk(monkeypatch, [False, True])
    sent = sealed([("k7f3q5", "next")] * 6)
    arrivals = [Arrival(topic, payload, T0) for topic, payload in sent]
    entries, counts, (era,), last = committed(tmp_path, arrivals, [2, 4], unsaved=2)
    assert disk.refused == 1
    assert [entry[5].split(b"\n", 1)[1] for entry in entries] == [payload for _, payload in sent]
    assert (counts["stored"], counts.get("duplicate", 0)) == (6, 0)
    assert era.line.end.place == (1, 6)
    assert b'"seq":6' in last[envelope.ack_topic("k7f3q5")]


def test_a_refused_batch_is_not_acknowledged_when_the_gateway_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RefusingDisk(monkeypatch, [True])
    journal = Journal(tmp_path / "journal.db", "g1")
    ingest = Ingest(journal, REGISTRY)
    stopping = Event()
    stopping.set()
    commits = CommitQueue(ingest, journal, FailureFile(tmp_path), lambda _batch: None, stopping)
    arrivals = [Arrival(*sealed([("k7f3q5", "next")])[0], T0)]
    commits.submit(PendingBatch(arrivals, ingest.admit(arrivals), Receipts(1, [1]), T0))
    assert (list(commits.saved()), commits.is_empty, journal.last_id) == ([], True, 0)
    assert "disk is full" in (failure_file.read(tmp_path) or "")
    journal.close()
