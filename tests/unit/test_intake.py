"""Third-party messages in the journal: stored, flagged, refused, or repeated."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.registry import Device, Registry
from gateway.ingest.adapters.intake import LARGEST_BYTES, FeedIntake, FeedMessage
from gateway.journal.messages import Arrival
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from tests.unit import third_party as theirs
from tests.unit.journaled import NOW

FEED = Device(id="feedbb", tank="t", since=0.0, unsigned=True)
REGISTRY = Registry(devices={"feedbb": (FEED,)})


class Intake:
    """A journal that third-party messages reach one by one."""

    def __init__(self, folder: Path) -> None:
        mapped = theirs.read(folder)
        self.broker = next(feed.broker for feed in mapped.feeds if feed.device == "feedbb")
        self.path = folder / "journal.db"
        self.journal = Journal(self.path, "g1")
        self.intake = FeedIntake(mapped.feeds)

    def take(
        self, payload: bytes, registry: Registry = REGISTRY, topic: str = theirs.ESPHOME,
        **how: bool,
    ) -> None:  # fmt: skip
        message = FeedMessage(Arrival(topic, payload, NOW), self.broker, **how)
        with self.journal.transaction():
            self.intake.journal_message(message, self.journal, registry)

    def entries(self) -> list[tuple[str | None, str | None, str | None, list[str]]]:
        reader = JournalReader(self.path)
        found = [(e.verdict, e.flag, e.auth, sorted(e.lines or {})) for e in reader.all()]
        reader.close()
        return found

    def counts(self) -> dict[str, int]:
        reader = JournalReader(self.path)
        found = {name: n for name, n in reader.counts().items() if n and not set(name) & set(".@")}
        reader.close()
        return found


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[Intake]:
    made = Intake(tmp_path)
    yield made
    made.journal.close()


def test_a_message_is_stored_as_unsigned_with_its_translation(intake: Intake) -> None:
    intake.take(b"0.4120")
    assert intake.entries() == [("stored", None, "unsigned", ["as", "auth"])]


def test_a_queued_message_without_a_time_of_its_own_is_kept_and_flagged(intake: Intake) -> None:
    intake.take(b"0.4120", queued=True)
    assert intake.entries() == [("flagged", "no_time", "unsigned", ["auth", "flag"])]


def test_a_queued_message_counts_by_the_time_that_it_has_and_not_by_its_format(
    intake: Intake,
) -> None:
    registry = Registry(devices={"feedee": (replace(FEED, id="feedee"),)})
    then = datetime.fromtimestamp(NOW - 7200, UTC).isoformat()
    for last_seen in (then, None, "2019-01-01T00:00:00Z", "2026-11-20 12:00:00"):
        intake.take(theirs.zigbee(74, last_seen), registry, theirs.ZIGBEE, queued=True)
    flagged = ("flagged", "no_time", "unsigned", ["auth", "flag"])
    stored = ("stored", None, "unsigned", ["as", "auth"])
    assert intake.entries() == [stored, flagged, flagged, flagged]


def test_a_message_that_may_have_come_before_is_stored_once(intake: Intake) -> None:
    for payload in (b"0.4120", b"0.4120", b"0.5"):
        intake.take(payload, again=True)
    assert len(intake.entries()) == 2
    assert intake.counts() == {"stored": 2, "duplicate": 1}
    intake.take(b"0.4120")  # the same level again, not the same message
    assert len(intake.entries()) == 3


def test_what_cannot_be_used_is_counted_by_its_reason(intake: Intake) -> None:
    intake.take(b"0.4120", retained=True)
    intake.take(b"\xff")
    intake.take(b"1" * (LARGEST_BYTES + 1))
    intake.take(b"0.4120", topic="other/topic")
    intake.take(b"0.4120", Registry())
    signed = Device(id="feedcc", tank="t", since=0.0, key=bytes(32))
    beside = Registry(devices={"feedbb": (FEED,), "feedcc": (signed,)})
    intake.take(b"0.4120", beside)
    assert intake.entries() == []
    assert intake.counts() == {"feed_retained": 1, "feed_unreadable": 2, "feed_refused": 3}


TOPICS = (
    theirs.TASMOTA, theirs.STATE, theirs.ESPHOME, theirs.VOLTS, theirs.CHIRPSTACK, theirs.ZIGBEE,
    "a", "a/b",
)  # fmt: skip
PAYLOADS = st.one_of(
    st.sampled_from(
        [
            b"0.4",
            b"0.5",
            b"nan",
            theirs.tasmota(41.2),
            theirs.tasmota(None),
            theirs.zigbee(74, None),
            theirs.zigbee(74, "2026-11-20T12:00:00Z"),
        ]
    ),
    st.binary(max_size=40),
)
FLAGS = st.sampled_from([{}, {"retained": True}, {"queued": True}, {"again": True}])


@given(st.lists(st.tuples(st.sampled_from(TOPICS), PAYLOADS, FLAGS), min_size=1, max_size=12))
def test_every_message_is_journaled_or_counted_and_none_stops_the_gateway(
    messages: list[tuple[str, bytes, dict[str, bool]]],
) -> None:
    rows = {n: (Device(id=n, tank="t", since=0.0, unsigned=True),) for n in theirs.FEEDS}
    with tempfile.TemporaryDirectory() as folder:
        intake = Intake(Path(folder))
        for topic, payload, how in messages:
            intake.take(payload, Registry(devices=rows), topic, **how)
        counts, entries = intake.counts(), intake.entries()
        intake.journal.close()
    assert sum(counts.values()) == len(messages)
    refused = sum(n for name, n in counts.items() if name.startswith("feed_"))
    assert len(entries) == len(messages) - refused - counts.get("duplicate", 0)
