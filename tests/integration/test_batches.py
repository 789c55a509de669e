"""The journal's content does not depend on how messages are cut into batches."""

import secrets
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.registry import Device, Registry
from gateway.ingest.batch import Ingest
from gateway.journal import messages, pending_index
from gateway.journal.messages import Arrival
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from tests.committing import commit
from tests.wire_node.sealed import Ring

KEY = bytes(range(32))
DEVICES = ("k7f3q5", "aaaaaa")
REGISTRY = Registry(
    devices={name: (Device(id=name, tank="north-1", since=0.0, key=KEY),) for name in DEVICES}
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(DEVICES),
        st.sampled_from(
            [
                "next",
                "next",
                "reboot",
                "skip",
                "back",
                "era",
                "old",
                "odd",
                "no_prev",
                "twin",
                "stray",
                "middle",
            ]
        ),
    ),
    min_size=1,
    max_size=18,
)


def sealed(steps: list[tuple[str, str]]) -> list[tuple[str, bytes]]:
    """Topics and payloads of two nodes whose counters sometimes misbehave."""
    rings = {name: Ring(name, KEY, era="m4xq2lzt") for name in DEVICES}
    sealed_messages: list[Any] = []
    for device, what in steps:
        ring = rings[device]
        more: dict[str, Any] = {"old": [1, 1]}
        before = ring.prev
        if what == "reboot":
            ring.reboot()
        elif what == "skip":
            ring.seq += 1
        elif what == "back" and ring.seq:
            ring.seq -= 1
        elif what == "era":
            ring.era, ring.boot, ring.seq, ring.prev = "aaaaaaaa", 1, 0, ""
        elif what == "old":
            more = {"old": [ring.boot, ring.seq + 1]}
        elif what == "odd":
            more |= {"next": -1}
        elif what == "no_prev":
            more |= {"prev": 5}
        elif what == "stray":
            more |= {"seq": "x"}
        elif what == "middle" and not ring.prev:
            ring.prev, ring.seq = "A" * 22, 7
            more = {"old": [1, 8]}
        sealed_messages.append(
            (ring.topic, ring.payload(ring.seal(1_795_212_000, **more)).encode())
        )
        if what == "twin":
            ring.prev = before
    return sealed_messages


def journaled(arrivals: list[Arrival], cuts: list[int]) -> tuple[Any, ...]:
    """Verdicts, lines and acks after committing the arrivals in pieces that end at ``cuts``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        journal = Journal(path, "g1")
        ingest = Ingest(journal, REGISTRY)
        last = {}
        for begin, end in zip([0, *cuts], [*cuts, len(arrivals)], strict=True):
            for ack in commit(ingest, arrivals[begin:end], 1_795_212_000):
                last[ack.topic] = ack.payload
        reader = JournalReader(path)
        entries = [(e.kind, e.subject, e.verdict, e.flag, e.newest, e.body) for e in reader.all()]
        counts = reader.counts()
        reader.close()
        eras = [era._replace(recency=0) for era in journal.eras.all()]
        journal.close()
        again = Journal(path, "g1")  # verifies leaves and frontier
        assert [era._replace(recency=0) for era in again.eras.all()] == eras
        again.close()
    return entries, counts, sorted(eras), last


@settings(max_examples=60, deadline=None)
@given(STEPS, st.randoms(use_true_random=False), st.data())
def test_one_batch_or_one_message_at_a_time(steps: Any, random: Any, data: st.DataObject) -> None:
    sealed_messages = sealed(steps)
    sealed_messages += random.sample(sealed_messages, min(3, len(sealed_messages)))  # resent
    if data.draw(st.booleans()):
        random.shuffle(sealed_messages)
    arrivals = [Arrival(topic, payload, 1_795_212_000.0) for topic, payload in sealed_messages]
    singly = journaled(arrivals, list(range(1, len(arrivals))))
    assert journaled(arrivals, []) == singly
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(arrivals) - 1)), max_size=3)))
    assert journaled(arrivals, [c for c in cuts if c < len(arrivals)]) == singly


@settings(max_examples=80, deadline=None)
@given(STEPS, st.randoms(use_true_random=False), st.data())
def test_messages_looked_up_together_are_judged_as_those_looked_up_alone(
    steps: Any, random: Any, data: st.DataObject
) -> None:
    sealed_messages = sealed(steps)
    if data.draw(st.booleans()):
        random.shuffle(sealed_messages)
    arrivals = [Arrival(topic, payload, 1_795_212_000.0) for topic, payload in sealed_messages]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pending_index, "FILED_AT", data.draw(st.integers(1, 9)))
        together = journaled(arrivals, [])
        cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(arrivals) - 1)), max_size=9)))
        assert journaled(arrivals, [c for c in cuts if c < len(arrivals)]) == together
    with pytest.MonkeyPatch.context() as patch:  # every message is looked up in SQLite
        patch.setattr(messages.Eras, "extended", lambda *_given: None)
        assert journaled(arrivals, list(range(1, len(arrivals)))) == together


def test_a_batch_of_many_devices_is_one_commit(tmp_path: Path) -> None:
    keys = {f"a{n:05d}".translate(str.maketrans("0189", "abcd")): secrets.token_bytes(32)
            for n in range(300)}  # fmt: skip
    registry = Registry(
        devices={d: (Device(id=d, tank="t", since=0.0, key=k),) for d, k in keys.items()}
    )
    journal = Journal(tmp_path / "journal.db", "g1")
    rings = [Ring(device, key) for device, key in keys.items()]
    batch = [
        Arrival(ring.topic, ring.payload(ring.seal(1_795_212_000)).encode(), 1_795_212_000.0)
        for _ in range(3)
        for ring in rings
    ]
    acks = commit(Ingest(journal, registry), batch, 1_795_212_000)
    assert len(acks) == len(rings)
    assert all(b'"seq":3' in ack.payload for ack in acks)
    assert journal.last_id == len(batch)
    journal.close()
