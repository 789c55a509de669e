"""Batches: each whole and in order, judged on one thread while another saves the one before."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.errors import JournalError
from gateway.journal.group_commit import Write
from tests.unit.committed import File


@pytest.fixture
def file(tmp_path: Path) -> Iterator[File]:
    made = File(tmp_path / "journal.db")
    yield made
    made.database.roll_back()
    made.database.close()


def test_a_saved_batch_is_on_disk_before_it_is_reported(file: File) -> None:
    file.save(1)
    assert (file.saved(), file.committed) == ([1], [1])


def test_a_batch_that_fails_leaves_nothing_and_is_not_reported(file: File) -> None:
    with pytest.raises(JournalError, match="the journal cannot be written: UNIQUE"):
        file.save(1, fails=True)
    assert (file.saved(), file.committed) == ([], [])
    with pytest.raises(JournalError, match="a batch before it could not be saved"):
        file.save(2)
    file.database.roll_back()
    file.save(3)
    assert (file.saved(), file.committed) == ([3], [3])


def test_another_error_of_a_write_is_raised_as_it_is_and_rolled_back(file: File) -> None:
    def write(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO counter VALUES ('a', 1)")
        raise ZeroDivisionError

    failing: Write = write
    file.database.begin()
    with pytest.raises(ZeroDivisionError):
        file.database.save([failing], lambda: None)
    assert file.saved() == []
    assert file.database.execute("SELECT count(*) FROM counter").fetchone() == (0,)


def test_submitted_batches_are_saved_in_order_and_a_query_waits_for_them(file: File) -> None:
    free = file.hold()
    batches = [file.submit(n) for n in (1, 2)]
    assert not any(batch.done() for batch in batches)
    assert (file.saved(), file.committed) == ([], [])
    threading.Timer(0.02, free.set).start()
    file.database.begin()
    assert file.database.execute("SELECT count(*) FROM counter").fetchone() == (2,)
    assert file.committed == [0, 1, 2]
    assert file.saved() == [1, 2]


def test_batches_that_were_saved_are_not_kept_in_memory(file: File) -> None:
    for n in range(5):
        file.submit(n).result()
    assert len(file.database._saving) == 1
    file.database.wait()
    assert len(file.database._saving) == 0


def test_a_batch_that_is_saved_waits_for_those_submitted_before(file: File) -> None:
    free = file.hold()
    file.submit(1)
    threading.Timer(0.02, free.set).start()
    file.save(2)
    assert file.committed == [0, 1, 2]


def test_all_batches_after_one_that_failed_fail_until_the_rollback(file: File) -> None:
    free = file.hold()
    first, second = file.submit(1, fails=True), file.submit(2)
    free.set()
    with pytest.raises(JournalError, match="cannot be written"):
        file.database.execute("SELECT 1")
    assert isinstance(first.exception(), JournalError)
    assert "a batch before it" in str(second.exception())
    assert (file.saved(), file.committed) == ([], [0])
    third = file.submit(3)  # the failed ones are still there: it fails too
    assert "a batch before it" in str(third.exception())
    with pytest.raises(JournalError, match="cannot be written"):  # the reason is not lost
        file.database.execute("SELECT 1")
    file.database.roll_back()
    file.save(4)
    assert (file.saved(), file.committed) == ([4], [0, 4])


def test_a_change_while_a_batch_is_judged_is_part_of_it(file: File) -> None:
    insert = "INSERT INTO counter VALUES (?, ?)"
    file.database.begin()
    file.database.execute(insert, ("a", 8))
    file.database.executemany(insert, [("b", 9)])
    assert file.saved() == []
    file.database.save(*file.writes(10))
    assert file.saved() == [8, 9, 10]
    file.database.begin()
    file.database.execute(insert, ("c", 11))
    file.database.roll_back()
    file.save(12)
    assert file.saved() == [8, 9, 10, 12]


def test_a_query_outside_a_batch_begins_no_transaction(file: File) -> None:
    file.database.execute("SELECT 1")
    file.save(1)
    file.database.execute("SELECT 1")
    file.submit(2).result()
    file.database.execute("SELECT 1")
    with closing(sqlite3.connect(file.path, timeout=0)) as raw, raw:
        raw.execute("DELETE FROM counter")
    file.save(3)
    assert file.saved() == [3]


def test_a_rollback_ends_the_batch_that_was_judged(file: File) -> None:
    file.database.begin()
    file.database.execute("SELECT 1")
    file.database.roll_back()
    file.database.execute("SELECT 1")
    with closing(sqlite3.connect(file.path, timeout=0)) as raw, raw:
        raw.execute("DELETE FROM counter")


def test_closing_saves_what_was_submitted(tmp_path: Path) -> None:
    file = File(tmp_path / "journal.db")
    free = file.hold()
    file.submit(1)
    threading.Timer(0.02, free.set).start()
    file.database.close()
    assert (file.saved(), file.committed) == ([1], [0, 1])
    with pytest.raises(sqlite3.ProgrammingError):
        file.database.execute("SELECT 1")


def test_closing_reports_what_could_not_be_saved(tmp_path: Path) -> None:
    file = File(tmp_path / "journal.db")
    file.submit(1, fails=True)
    with pytest.raises(JournalError):
        file.database.close()
    assert file.saved() == []
