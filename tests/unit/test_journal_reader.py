"""What readers of the journal get, by entry, boot, run and range."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.domain.entry import NO_LINES, Entry
from gateway.errors import JournalError
from gateway.journal import recent_bodies, schema
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.wire import FEED_ERA
from tests.unit.journaled import DEVICE, ERA, NOW, accept, arrival, chain, change, message, rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    made = Journal(path, "g1")
    yield made
    made.close()


@pytest.fixture
def reader(journal: Journal, path: Path) -> Iterator[JournalReader]:
    made = JournalReader(path)
    yield made
    made.close()


def run(journal: Journal, at: float, what: str) -> None:
    with journal.transaction():
        journal.log.append_fact("run", at, {"run": what})


def test_an_entry_is_read_field_by_field(journal: Journal, reader: JournalReader) -> None:
    first = message((1, 1), auth="sig")
    odd = message((1, 2), first.link, flag="version")
    accept(journal, first, received=NOW + 0.125)
    with journal.transaction():
        journal.messages.accept(arrival(odd, NOW + 1), odd, {"as": "a=b"})
        journal.log.append_fact("reg", NOW + 2, {"n": 1}, "t1")
    topic = f"noria/1/{DEVICE}/up\n".encode()
    expected = [
        Entry(1, NOW + 0.125, "msg", DEVICE, topic + first.object, NO_LINES, "stored", None,
              True, "sig"),
        Entry(2, NOW + 1, "msg", DEVICE, topic + odd.object, {"as": "a=b", "flag": "version"},
              "flagged", "version", False, "mac"),
        Entry(3, NOW + 2, "reg", "t1", b'{"n":1}'),
    ]  # fmt: skip
    assert list(reader.all()) == expected
    assert [list(reader.all(chunk)) for chunk in (1, 2, 3)] == [expected] * 3
    assert reader.entries(0, 2) == expected[:2]
    assert reader.entries(1, 9) == expected[1:]
    assert reader.entries(3, 9) == []
    assert reader.last_id() == 3
    assert (reader.received_at(2), reader.received_at(4)) == (NOW + 1, None)
    assert reader.counts()["stored"] == 1
    assert (reader.segments(), reader.check()) == ([], None)


def test_an_empty_journal_has_no_entries(reader: JournalReader) -> None:
    assert (list(reader.all()), reader.last_id(), reader.counts()) == ([], 0, {})
    assert reader.runs(0) == []


def test_an_erased_body_is_empty(journal: Journal, reader: JournalReader, path: Path) -> None:
    accept(journal, message((1, 1)))
    run(journal, NOW, "start")
    change(path, "DELETE FROM body")
    assert [entry.body for entry in reader.all()] == [b"", b""]
    assert reader.runs(NOW) == [(NOW, "", NOW)]


def test_hashes_and_keys_are_those_of_a_range(journal: Journal, reader: JournalReader) -> None:
    sent = chain((1, 1), (1, 2), (1, 3), (1, 4))
    accept(journal, *sent[:2])
    accept(journal, *sent[2:], fast=True)
    digests = {n: one.digest for n, one in enumerate(sent, 1)}
    assert reader.hashes(1, 4) == digests
    assert reader.hashes(2, 3) == {2: digests[2], 3: digests[3]}
    with journal.transaction():
        for n in range(4):
            journal.append_fact_once(f"k{n}", "reg", NOW, {}, "-", {})
    assert reader.fact_keys(6, 7) == {6: "k1", 7: "k2"}


def test_the_messages_of_a_boot_are_read_by_place_without_forks(
    journal: Journal, reader: JournalReader
) -> None:
    one, two, three, four, other = chain((1, 1), (1, 2), (1, 3), (1, 4), (2, 1))
    fork = message((1, 2), "fork")
    accept(journal, one, three, two, fork)
    accept(journal, message((1, 1), era="zzzzzzzz"), message((1, 1), device="other1"))
    accept(journal, four, other, fast=True)
    found = reader.boot_entries(DEVICE, ERA, 1)
    assert [entry.id for entry in found] == [1, 3, 2, 7]
    assert [entry.id for entry in reader.boot_entries(DEVICE, ERA, 1, 2)] == [3, 7]
    assert [entry.id for entry in reader.boot_entries(DEVICE, ERA, 2)] == [8]
    assert reader.boot_entries(DEVICE, ERA, 3) == []


def test_a_row_that_waits_to_be_filed_is_among_its_boots_messages(
    journal: Journal, reader: JournalReader, path: Path
) -> None:
    first, second = chain((1, 1), (1, 2))
    accept(journal, first)
    with journal.transaction():
        assert journal.messages.accept_next(arrival(second), second)
    assert rows(path, "SELECT entry FROM unfiled") == [(2,)]
    assert [entry.id for entry in reader.boot_entries(DEVICE, ERA, 1)] == [1, 2]
    assert [entry.id for entry in reader.boot_entries(DEVICE, ERA, 1, 1)] == [2]
    assert reader.boot_entries(DEVICE, ERA, 1, 2) == []


def test_runs_are_those_since_a_time_and_the_last_change_before(
    journal: Journal, reader: JournalReader
) -> None:
    for at, what in enumerate(("start", "stop", "start", "heartbeat", "heartbeat", "stop"), 10):
        run(journal, float(at), what)
    assert reader.runs(0) == [
        (10.0, "start", 10.0), (11.0, "stop", 10.0), (12.0, "start", 11.0),
        (13.0, "heartbeat", 12.0), (14.0, "heartbeat", 13.0), (15.0, "stop", 14.0),
    ]  # fmt: skip
    assert [found[:2] for found in reader.runs(14.0)] == [
        (12.0, "start"), (14.0, "heartbeat"), (15.0, "stop"),
    ]  # fmt: skip
    assert [found[:2] for found in reader.runs(15.001)] == [(15.0, "stop")]


def test_a_reader_reports_what_cannot_be_read(
    journal: Journal, reader: JournalReader, path: Path
) -> None:
    accept(journal, message((1, 1)))
    change(path, "ALTER TABLE segment RENAME TO moved")
    for read in (reader.segments, reader.check):
        with pytest.raises(JournalError, match="the journal cannot be read: no such table"):
            read()
    change(path, "DELETE FROM body")
    change(path, "ALTER TABLE counter RENAME TO moved_too")
    for read in (reader.counts, lambda: list(reader.all())):
        with pytest.raises(JournalError, match="the journal cannot be read: no such table"):
            read()
    change(path, "ALTER TABLE entry RENAME TO gone")
    with pytest.raises(JournalError, match="the journal cannot be read: no such table"):
        reader.last_id()


def test_a_closed_reader_has_released_its_file(path: Path, journal: Journal) -> None:
    made = JournalReader(path)
    made.close()
    with pytest.raises(JournalError, match="closed database"):
        made.last_id()


def test_recent_bodies_stay_readable_for_feeds_only(path: Path, journal: Journal) -> None:
    feeds = [
        message((1, n), None, device="feed01", era=FEED_ERA, content=str(n), auth="unsigned")
        for n in range(1, 40)
    ]
    accept(journal, *chain((1, 1), (1, 2)), *feeds)
    change(path, "INSERT INTO unfiled VALUES (99, 'feed01', 'unsigned', 9, 9, x'', '', 0)")
    with closing(schema.open_for_reading(path)) as connection:
        assert recent_bodies.RECENT == 32
        assert recent_bodies.entries(connection) == {*range(10, 42), 99}
        found = recent_bodies.bodies(connection, "feed01")
        assert len(found) == 32
