"""The journal's writer: commits, the quarantine, and facts that are journaled once."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.errors import JournalError
from gateway.journal import writer
from gateway.journal.counters import Mark
from gateway.journal.integrity.witness import LogMark
from gateway.journal.messages import Arrival
from gateway.journal.writer import Journal
from tests.unit.journaled import DEVICE, NOW, change, facts, leaf_hashes, rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    made = Journal(path, "g1")
    yield made
    made.close()


def test_each_commit_is_noted_with_the_logs_state(path: Path) -> None:
    noted: list[LogMark] = []
    journal = Journal(path, "g1", noted.append)
    assert noted == []
    facts(journal, 2)
    assert noted == [journal.log.seen]
    assert noted[0].frontier.size == 2
    journal.close()


def test_a_batch_is_on_disk_before_it_is_noted(path: Path) -> None:
    noted: list[int] = []
    journal = Journal(path, "g1", lambda _seen: noted.append(len(leaf_hashes(path))))
    with journal.transaction():
        journal.log.append_fact("run", NOW, {})
        journal.log.flush()
        journal.log.append_fact("run", NOW, {})
        assert leaf_hashes(path) == []
    facts(journal, 1)
    assert noted == [2, 3]
    journal.close()


def test_a_batch_that_fails_leaves_nothing_and_is_not_noted(path: Path) -> None:
    noted: list[LogMark] = []
    journal = Journal(path, "g1", noted.append)
    for failing in (ZeroDivisionError, KeyboardInterrupt):
        with pytest.raises(failing), journal.transaction():
            journal.log.append_fact("run", NOW, {})
            journal.log.flush()
            journal.counters.add("stored")
            raise failing
    assert (noted, leaf_hashes(path), journal.last_id) == ([], [], 0)
    facts(journal, 1)
    assert (len(noted), len(leaf_hashes(path))) == (1, 1)
    assert rows(path, "SELECT * FROM counter") == []
    journal.close()


def test_another_writer_is_excluded_while_a_batch_is_judged(journal: Journal, path: Path) -> None:
    with (
        closing(sqlite3.connect(path, timeout=0)) as other,
        journal.transaction(),
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("DELETE FROM counter")
    change(path, "DELETE FROM counter")


def test_a_file_that_cannot_be_read_after_a_failure_is_read_again_before_the_next_batch(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts(journal, 2)
    with monkeypatch.context() as patch:
        patch.setattr(writer.Eras, "reload", _fail)
        for _ in range(2):
            with (
                pytest.raises(JournalError, match="the journal cannot be read: disk I/O error"),
                journal.transaction(),
            ):
                journal.log.append_fact("run", NOW, {})
                raise ZeroDivisionError
    facts(journal, 1)
    assert (journal.last_id, len(leaf_hashes(path))) == (3, 3)


def _fail(_eras: object) -> None:
    raise sqlite3.OperationalError("disk I/O error")


def test_an_error_of_the_database_is_one_of_the_journal(journal: Journal) -> None:
    with (
        pytest.raises(JournalError, match="the journal cannot be written: no such table"),
        journal.transaction(),
    ):
        journal._database.execute("INSERT INTO missing VALUES (1)")
    facts(journal, 1)
    assert journal.last_id == 1


def test_a_refused_payload_is_counted_marked_and_kept_truncated(
    journal: Journal, path: Path
) -> None:
    topic = f"noria/1/{DEVICE}/up"
    with journal.transaction():
        journal.refuse(Arrival(topic, b"x" * 5000, NOW + 0.5), "bad_mac", DEVICE)
        journal.refuse(Arrival("n/1/" + "y" * 300, b"z", NOW), "unknown_device")
    assert rows(path, "SELECT time_ms, reason, topic, payload FROM quarantine") == [
        (int((NOW + 0.5) * 1000), "bad_mac", topic, b"x" * 4096),
        (int(NOW * 1000), "unknown_device", "n/1/" + "y" * 196, b"z"),
    ]
    assert journal.counters.marks() == [Mark(DEVICE, "bad_mac", 1, int(NOW))]
    counts = dict(rows(path, "SELECT * FROM counter"))
    assert (counts["bad_mac"], counts["unknown_device"]) == (1, 1)
    assert journal.last_id == 0


def test_the_quarantine_keeps_the_last_rows(
    journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (writer.QUARANTINE_ROWS, writer.QUARANTINE_BYTES) == (1000, 4096)
    monkeypatch.setattr(writer, "QUARANTINE_ROWS", 3)
    with journal.transaction():
        for n in range(5):
            journal.refuse(Arrival("t", b"%d" % n, NOW), "unknown_device")
    assert rows(path, "SELECT payload FROM quarantine ORDER BY id") == [(b"2",), (b"3",), (b"4",)]


def test_a_fact_with_a_key_is_journaled_once(journal: Journal, path: Path) -> None:
    with journal.transaction():
        assert journal.append_fact_once("k1", "reg", NOW, {"a": 1}, "t1", {"to": "x"}) == 1
        assert journal.append_fact_once("k1", "reg", NOW, {"a": 2}, "t1", {}) == 1
        assert journal.append_fact_once("k2", "reg", NOW, {"a": 1}, "-", {}) == 2
    assert rows(path, "SELECT * FROM fact_key ORDER BY key") == [("k1", 1), ("k2", 2)]
    assert rows(path, "SELECT body FROM body") == [(b'{"a":1}',)] * 2
    (first, *_) = rows(path, "SELECT kind, subject, leaf FROM entry ORDER BY id")
    assert first[:2] == ("reg", "t1")
    assert first[2].splitlines()[-1] == b"to=x"
    with pytest.raises(ValueError, match="cannot be a leaf"), journal.transaction():
        journal.append_fact_once("k3", "reg", NOW, {}, "t 1\n", {})


def test_a_damaged_file_is_refused_with_a_remedy(journal: Journal, path: Path) -> None:
    facts(journal, 1)
    journal.close()
    change(path, "DROP TABLE milestone")
    with pytest.raises(
        JournalError, match=r"is damaged: no such table.*; restore it from a backup"
    ):
        Journal(path, "g1")
