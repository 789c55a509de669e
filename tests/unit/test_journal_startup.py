"""The check of the journal at every start."""

import contextlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.errors import JournalError
from gateway.journal import log
from gateway.journal.integrity import startup_check
from gateway.journal.writer import Journal
from tests.unit.journaled import NOW, change, changed_leaf, checked, filled

MARCH = datetime(2026, 3, 1, tzinfo=UTC).timestamp()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.mark.parametrize("number", [0, 1, 2, 7, 8])
def test_an_intact_journal_starts(path: Path, number: int) -> None:
    filled(path, number)
    checked(path)


@pytest.mark.parametrize(
    ("entry", "named"), [(1, "1 to 4"), (4, "1 to 4"), (5, "5 to 6"), (6, "5 to 6"), (7, "7 to 7")]
)
def test_a_changed_leaf_is_named_by_its_part_of_the_tree(
    path: Path, entry: int, named: str
) -> None:
    filled(path, 7)
    changed_leaf(path, entry)
    with pytest.raises(JournalError, match=f"leaves {named} of the journal do not hash"):
        checked(path)


@pytest.mark.parametrize("at_once", [1, 2, 3, 8])
def test_the_check_hashes_leaves_in_batches(
    path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    assert (startup_check.TAIL, startup_check._AT_ONCE) == (65_536, 8192)
    monkeypatch.setattr(startup_check, "_AT_ONCE", at_once)
    filled(path, 7)
    checked(path)
    change(path, "DELETE FROM entry WHERE id = 4")
    with pytest.raises(JournalError, match="entry 4 of the journal is lost: restore"):
        checked(path)


def test_a_journal_longer_or_shorter_than_its_log_is_refused(path: Path) -> None:
    filled(path, 3)
    change(path, "DELETE FROM entry WHERE id = 3")
    with pytest.raises(JournalError, match="entries up to 2, but its log has 3 leaves"):
        checked(path)
    change(path, "INSERT INTO entry (id, time_ms, kind, subject, leaf) VALUES (4, 1, '', '', x'')")
    with pytest.raises(JournalError, match="entries up to 4, but its log has 3 leaves"):
        checked(path)


def test_a_damaged_frontier_is_refused(path: Path) -> None:
    filled(path, 3)
    change(path, "UPDATE frontier SET nodes = substr(nodes, 2)")
    with pytest.raises(JournalError, match=r"Merkle frontier is damaged: 63 bytes .* 3 leaves"):
        checked(path)


def test_the_check_begins_at_the_last_milestone_before_the_tail(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_MILESTONE", 2)
    for _ in range(4):
        filled(path, 2)  # milestones after 2, 4, 6, 8
    changed_leaf(path, 4)
    for tail, starts in ((2, True), (3, True), (4, True), (5, False), (8, False), (9, False)):
        monkeypatch.setattr(startup_check, "TAIL", tail)
        with contextlib.nullcontext() if starts else pytest.raises(JournalError):
            checked(path)
    changed_leaf(path, 7)
    monkeypatch.setattr(startup_check, "TAIL", 4)
    with pytest.raises(JournalError, match="leaves 5 to 8 of the journal"):
        checked(path)


def test_leaves_of_former_logs_are_counted_and_not_hashed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path, 3)
    journal = Journal(path, "g1")
    with journal.transaction():
        journal.log.begin_again(journal.log.seen)
        journal.log.append_fact("open", NOW, {"origin": "bbbb"})
    journal.close()
    filled(path, 2)
    changed_leaf(path, 2)
    change(path, "INSERT INTO milestone SELECT 3, size, nodes FROM frontier")  # a former log's
    checked(path)
    monkeypatch.setattr(startup_check, "TAIL", 3)
    checked(path)
    changed_leaf(path, 6)
    with pytest.raises(JournalError, match="leaves 6 to 6"):
        checked(path)


def test_a_milestone_of_a_later_log_has_its_own_number_of_leaves(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(path, 4)
    journal = Journal(path, "g1")
    with journal.transaction():
        journal.log.begin_again(journal.log.seen)
        journal.log.append_fact("open", NOW, {"origin": "bbbb"})
    journal.close()
    change(path, "INSERT INTO milestone SELECT 5, size, nodes FROM frontier")
    filled(path, 2)
    monkeypatch.setattr(startup_check, "TAIL", 2)
    checked(path)
    changed_leaf(path, 7)
    with pytest.raises(JournalError, match="leaves 7 to 7 of the journal"):
        checked(path)


def test_a_long_check_reports_its_progress(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    filled(path, 5)
    monkeypatch.setattr(startup_check, "_AT_ONCE", 1)
    times = iter([10.0, 11.0, 12.0, 12.1, 12.1, 13.0, 14.2, 14.5, 15.0])
    monkeypatch.setattr(startup_check.time, "monotonic", lambda: next(times))
    caplog.set_level("INFO")
    checked(path)
    assert [record.getMessage() for record in caplog.records] == [
        "verifying the journal: entry 3 of 5, 2 s", "verifying the journal: entry 5 of 5, 4 s",
    ]  # fmt: skip
