"""The journal, with its fast path, returns the verdicts of ``domain.verdict`` and moves its lines.

The reference is the pure function over a list of all messages so far.
"""

import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.registry import Device, Registry
from gateway.ingest.batch import Ingest
from gateway.journal.messages import Arrival, Messages
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.wire import Admitted, admit
from tests.committing import commit
from tests.unit.known_messages import KnownInMemory
from tests.wire_node.sealed import Ring

NOW = 1_795_212_000
DEVICES = ("k7f3q5", "aaaaaa")
REGISTRY = Registry(
    devices={
        name: (Device(id=name, tank="north-1", since=0.0, key=(name.encode() * 6)[:32]),)
        for name in DEVICES
    }
)
KINDS = (
    "next", "next", "next", "next", "reboot", "gap", "back", "new era", "first era", "old",
    "flagged", "no prev", "empty prev", "no identity", "fork", "same prev elsewhere",
    "same prev, own era", "middle", "high key",
)  # fmt: skip
STEPS = st.lists(
    st.tuples(st.sampled_from(DEVICES), st.sampled_from(KINDS)), min_size=1, max_size=25
)
FIRST_ERA, SECOND_ERA = "m4xq2lzt", "aaaaaaaa"


def sealed(steps: list[tuple[str, str]]) -> list[Arrival]:
    """Messages of two nodes, which now and then break a rule."""
    rings = {name: Ring(name, (name.encode() * 6)[:32], era=FIRST_ERA) for name in DEVICES}
    arrivals: list[Arrival] = []
    for device, kind in steps:
        ring = rings[device]
        fields: dict[str, Any] = {"old": [1, 1]}
        before = ring.prev
        if kind == "reboot":
            ring.reboot()
        elif kind == "gap":
            ring.seq += 1
        elif kind == "back" and ring.seq:
            ring.seq -= 1
        elif kind == "new era" and ring.era == FIRST_ERA:
            ring.era, ring.boot, ring.seq, ring.prev = SECOND_ERA, 1, 0, ""
        elif kind == "first era":
            ring.era = FIRST_ERA
        elif kind == "old":
            fields["old"] = [ring.boot, ring.seq + 1]
        elif kind == "flagged":
            fields["next"] = -1
        elif kind == "no prev":
            fields["prev"] = 5
        elif kind == "empty prev":
            fields["prev"] = ""
        elif kind == "no identity":
            fields["seq"] = "x"
        elif kind == "same prev elsewhere":
            ring.seq += 3
        elif kind == "high key":
            fields["k"] = 2**31 - 1
        elif kind == "middle" and not ring.prev:
            ring.prev, ring.seq, fields["old"] = "A" * 22, 7, [1, 8]
        elif kind == "same prev, own era":
            fields |= {"era": SECOND_ERA, "old": [ring.boot, ring.seq + 1]}
        payload = ring.payload(ring.seal(NOW, **fields)).encode()
        arrivals.append(Arrival(ring.topic, payload, float(NOW)))
        if kind in ("fork", "same prev elsewhere", "same prev, own era"):
            ring.prev = before
    return arrivals


@settings(max_examples=150, deadline=None)
@given(STEPS, st.randoms(use_true_random=False), st.data())
def test_the_journal_judges_as_the_pure_function(
    steps: list[tuple[str, str]], random: Any, data: st.DataObject
) -> None:
    arrivals = sealed(steps)
    if data.draw(st.booleans(), "in another order"):
        at = data.draw(st.integers(0, len(arrivals)))
        rest = arrivals[at:]
        random.shuffle(rest)
        arrivals[at:] = rest
    for _ in range(data.draw(st.integers(0, 3), "duplicates")):
        again = random.choice(arrivals)
        arrivals.insert(random.randint(arrivals.index(again) + 1, len(arrivals)), again)
    known = KnownInMemory()
    expected = [known.register(_admitted(a).key).name for a in arrivals]
    cuts = data.draw(st.sets(st.integers(1, len(arrivals)), max_size=4), "batches end at")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        journal = Journal(path, "g1")
        ingest = Ingest(journal, REGISTRY)
        begin = 0
        for end in sorted(cuts | {len(arrivals)}):
            commit(ingest, arrivals[begin:end], NOW)
            begin = end
        eras = journal.eras.all()
        journal.close()
        with closing(JournalReader(path)) as reader:
            verdicts = [e.verdict for e in reader.all()]
            duplicates = reader.counts().get("duplicate", 0)
    assert verdicts == [name for name in expected if name != "duplicate"]
    assert duplicates == expected.count("duplicate")
    assert {(e.device, e.era): e.line for e in eras} == known.lines
    assert all(e.newest == known.newest(e.device, e.era) for e in eras)


def test_a_prev_with_which_another_line_began_is_a_fork(tmp_path: Path) -> None:
    steps = ["next", "same prev, own era", "next"]
    known = KnownInMemory()
    arrivals = sealed([("k7f3q5", step) for step in steps])
    expected = [known.register(_admitted(a).key).name for a in arrivals]
    assert expected == ["stored", "stored", "fork"]
    path = tmp_path / "journal.db"
    with closing(Journal(path, "g1")) as journal:
        for arrival in arrivals:
            commit(Ingest(journal, REGISTRY), [arrival], NOW)
    with closing(JournalReader(path)) as reader:
        assert [e.verdict for e in reader.all()] == expected


def test_all_messages_of_a_line_but_its_first_take_the_fast_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Arrival] = []
    accept = Messages.accept

    def counted(self: Messages, arrival: Arrival, admitted: Admitted) -> Any:
        asked.append(arrival)
        return accept(self, arrival, admitted)

    monkeypatch.setattr(Messages, "accept", counted)
    arrivals = sealed([("k7f3q5", "reboot" if n == 3 else "next") for n in range(6)])
    with closing(Journal(tmp_path / "journal.db", "g1")) as journal:
        commit(Ingest(journal, REGISTRY), arrivals, NOW)
    assert asked == arrivals[:1]


def _admitted(arrival: Arrival) -> Admitted:
    admitted = admit(arrival.topic, arrival.payload, REGISTRY)
    assert isinstance(admitted, Admitted)
    return admitted
