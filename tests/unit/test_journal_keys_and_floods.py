"""Key generations, floods and redelivered messages in the journal, and failed batches."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.domain.rate_limit import BURST
from gateway.journal.counters import Mark
from gateway.journal.messages import Arrival
from gateway.journal.recent_bodies import RECENT
from gateway.journal.writer import Journal
from gateway.wire import FEED_ERA, Admitted
from tests.unit.journaled import DEVICE, NOW, accept, arrival, chain, message, rows

_MESSAGES = (
    "SELECT entry, device, era, boot, seq, prev, fork FROM (SELECT * FROM message"
    " UNION ALL SELECT * FROM unfiled) ORDER BY entry"
)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.db", "g1")
    yield made
    made.close()


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("high", [2, 2**31 - 1])
def test_a_high_key_generation_changes_nothing_for_the_messages_after_it(
    tmp_path: Path, journal: Journal, high: int, fast: bool
) -> None:
    first = message((1, 1), generation=high)
    second = message((1, 2), first.link, generation=1)
    accept(journal, first)
    accept(journal, second, fast=fast)
    verdicts = rows(tmp_path / "journal.db", "SELECT verdict FROM entry ORDER BY id")
    assert verdicts == [("stored",), ("stored",)]


def test_a_batch_that_fails_leaves_no_message(journal: Journal, tmp_path: Path) -> None:
    first, second = chain((1, 1), (1, 2))
    accept(journal, first)
    newer = message((1, 3), second.link, generation=2)
    with pytest.raises(ZeroDivisionError), journal.transaction():
        assert journal.messages.accept_next(arrival(second), second)
        journal.messages.accept(arrival(newer), newer)
        raise ZeroDivisionError
    assert journal.last_id == 1
    with journal.transaction():
        assert journal.messages.accept_next(arrival(second), second)
    saved = rows(tmp_path / "journal.db", _MESSAGES)
    assert [row[0] for row in saved] == [1, 2]


def test_a_flood_is_counted_and_each_new_message_is_spent_once(
    journal: Journal, tmp_path: Path
) -> None:
    first, second, third = chain((1, 1), (1, 2), (1, 3))
    for _ in range(BURST - 3):
        journal.messages._limiter.spend(DEVICE, NOW)
    accept(journal, first, first)
    with pytest.raises(ZeroDivisionError), journal.transaction():  # returns what it spent
        journal.messages.accept_next(arrival(second), second)
        raise ZeroDivisionError
    accept(journal, second, fast=True)
    assert not journal.messages.floods(DEVICE, NOW)
    with journal.transaction():
        assert not journal.messages.drop_flood(DEVICE, NOW)
    assert journal.counters.marks() == []
    accept(journal, message(None, None, flag="json", readable=False))
    assert journal.messages.floods(DEVICE, NOW)
    assert not journal.messages.floods("other1", NOW)
    with journal.transaction():
        assert not journal.messages.accept_next(arrival(third), third)
        assert journal.messages.drop_flood(DEVICE, NOW + 0.05)
        assert not journal.messages.floods(DEVICE, NOW + 60)
    assert journal.counters.marks() == [
        Mark(DEVICE, "flagged", 1, int(NOW)), Mark(DEVICE, "flood", 1, int(NOW)),
    ]  # fmt: skip
    assert dict(rows(tmp_path / "journal.db", "SELECT * FROM counter"))["flood"] == 1


def test_the_last_bodies_of_a_device_are_recognised(journal: Journal) -> None:
    sent = [
        message((1, n), None, era=FEED_ERA, content=str(n), auth="unsigned")
        for n in range(1, RECENT + 3)
    ]
    accept(journal, *sent[:-1])
    with journal.transaction():
        journal.messages.accept(arrival(sent[-1]), sent[-1])
        topic = f"noria/1/{DEVICE}/up\n".encode()
        recent = [journal.messages.is_recent(DEVICE, topic + one.object) for one in sent]
        assert recent == [False] * 2 + [True] * RECENT
        assert not journal.messages.is_recent("other1", topic + sent[-1].object)


def test_an_unsigned_object_is_a_duplicate_at_any_place(journal: Journal, tmp_path: Path) -> None:
    first = message((1, 1), None, era=FEED_ERA, auth="unsigned")
    again = message((1, 2), None, era=FEED_ERA, auth="unsigned")
    copy = Admitted(again.device, first.object, again.decoded, first.digest)
    accept(journal, first, copy)
    assert journal.last_id == 1
    assert rows(tmp_path / "journal.db", "SELECT auth FROM entry") == [("unsigned",)]


def test_an_arrival_is_journaled_byte_for_byte(journal: Journal, tmp_path: Path) -> None:
    one = message((1, 1))
    with journal.transaction():
        journal.messages.accept(Arrival("a/b/c", b"\x00\xff\n", 1.2345), one)
    assert rows(tmp_path / "journal.db", "SELECT body FROM body") == [(b"a/b/c\n\x00\xff\n",)]
    assert rows(tmp_path / "journal.db", "SELECT time_ms FROM entry") == [(1234,)]
