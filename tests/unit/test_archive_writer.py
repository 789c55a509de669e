"""What is moved into the archive, step by step, and what stays."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway.domain import merkle
from gateway.domain.merkle import Frontier
from gateway.errors import ArchiveError, JournalError
from gateway.journal.archive import disk_space
from gateway.journal.archive.reader import SegmentRow
from gateway.journal.archive.span import MonthSpan
from gateway.journal.archive.writer import ArchiveProgress, ArchiveWriter, months
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.runtime.file_lock import LockHeldError, hold
from gateway.wire import FEED_ERA
from tests.unit.archiving import FEBRUARY, JANUARY, MARCH, archive, left, names, written
from tests.unit.journaled import DEVICE, accept, change, message, rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_a_month_is_moved_step_by_step(path: Path) -> None:
    written(path, *[JANUARY] * 1500)
    written(path, FEBRUARY)
    root = rows(path, "SELECT nodes FROM frontier")
    with closing(ArchiveWriter(path)) as run:
        assert not run.is_due(FEBRUARY - 1)
        assert run.is_due(FEBRUARY)
        assert list(run.steps(FEBRUARY - 1)) == []
        steps = [(step.what, step.done, step.of) for step in run.steps(FEBRUARY)]
        assert not run.is_due(FEBRUARY)
        size = (path.parent / "archive" / "2026-01.1-1500.archive").stat().st_size
    texts = sum(len(b"%d" % n) + 8 for n in range(1500))
    assert run.moved == ArchiveProgress(1, 1500, texts, size)
    assert steps == [
        ("2026-01: writing", 1024, 1500), ("2026-01: writing", 1500, 1500),
        ("2026-01: reading back", 1024, 1500), ("2026-01: reading back", 1500, 1500),
        *[("2026-01: emptying the journal", min(1500, 256 * n), 1500) for n in range(1, 7)],
    ]  # fmt: skip
    assert left(path) == [1501]
    assert rows(path, "SELECT nodes FROM frontier") == root
    ((*row,),) = rows(path, "SELECT first, last, removed, name, bytes, log, size FROM segment")
    assert row == [1, 1500, 1500, "2026-01.1-1500.archive", size, "", 1500]
    with closing(JournalReader(path)) as reader:
        found = [entry.body for entry in reader.all()]
        assert found == [b"%dxxxxxxxx" % n for n in (*range(1500), 0)]
        assert reader.segments() == [SegmentRow(1, 1500, 1500, row[3], _digest(path), size)]


def _digest(path: Path) -> bytes:
    return rows(path, "SELECT digest FROM segment")[0][0]


def test_the_frontier_after_a_segment_begins_the_next(path: Path) -> None:
    written(path, *[JANUARY] * 5)
    hashes = [merkle.leaf_hash(text) for (text,) in rows(path, "SELECT leaf FROM entry")]
    _, moved = archive(path, FEBRUARY, largest=2)
    assert (moved.segments, moved.entries) == (3, 5)
    assert names(path) == ["2026-01.1-2.archive", "2026-01.3-4.archive", "2026-01.5-5.archive"]
    assert rows(path, "SELECT last, size, nodes FROM segment ORDER BY first") == [
        (n, n, Frontier().grown(*hashes[:n]).to_bytes()) for n in (2, 4, 5)
    ]
    assert not (path.parent / "archive" / "segment.new").exists()
    assert (path.parent / "archive").stat().st_mode & 0o777 == 0o700


def test_facts_and_the_last_messages_of_a_feed_stay(path: Path) -> None:
    journal = Journal(path, "g1")
    sent = [
        message((1, n), None, era=FEED_ERA, content=str(n), auth="unsigned") for n in range(1, 35)
    ]
    accept(journal, *sent, received=JANUARY)
    with journal.transaction():
        journal.log.append_fact("run", JANUARY, {})
        journal.log.append("fork", JANUARY, DEVICE, b"f")
    journal.close()
    _, moved = archive(path, FEBRUARY)
    assert left(path) == [*range(3, 36)]
    assert moved.entries == 36
    assert rows(path, "SELECT removed FROM segment") == [(36,)]


def test_a_run_that_stopped_is_finished_by_the_next(path: Path) -> None:
    written(path, *[JANUARY] * 600)
    with closing(ArchiveWriter(path)) as run:
        for step in run.steps(FEBRUARY):
            if step.what.endswith("emptying the journal"):
                break
    assert left(path) == list(range(257, 601))
    with closing(ArchiveWriter(path)) as run:
        assert run.is_due(JANUARY)  # the segment is to be finished
        steps = [(step.what, step.done, step.of) for step in run.steps(JANUARY)]
        assert (run.moved.segments, run.moved.entries) == (0, 344)
    assert steps == [
        ("2026-01: reading back", 600, 600),
        ("2026-01: emptying the journal", 512, 600), ("2026-01: emptying the journal", 600, 600),
    ]  # fmt: skip
    assert left(path) == []


@pytest.mark.parametrize(
    ("damage", "entry"),
    [
        ("UPDATE body SET body = x'00' WHERE entry = 3", 3),
        ("DELETE FROM entry WHERE id = 3", 3),
        ("INSERT INTO milestone VALUES (4, 4, zeroblob(32))", 4),
    ],
)
def test_a_damaged_month_stays_where_it_is(path: Path, damage: str, entry: int) -> None:
    written(path, *[JANUARY] * 5)
    written(path, FEBRUARY)
    change(path, damage)
    with pytest.raises(JournalError, match=f"entry {entry} of the journal is not what its log"):
        archive(path, FEBRUARY)
    assert names(path) == []
    assert len(left(path)) == 6
    assert not (path.parent / "archive" / "segment.new").exists()


def test_a_month_whose_last_entry_of_a_segment_is_lost_stays(path: Path) -> None:
    written(path, *[JANUARY] * 6)
    change(path, "DELETE FROM entry WHERE id = 3")
    with pytest.raises(JournalError, match="entry 3 of the journal is not what its log"):
        archive(path, FEBRUARY, largest=3)
    assert names(path) == []


def test_a_segment_that_was_changed_is_not_trusted_with_the_bodies(path: Path) -> None:
    written(path, *[JANUARY] * 5)
    archive(path, FEBRUARY)
    change(path, "UPDATE segment SET removed = 2")
    file = path.parent / "archive" / "2026-01.1-5.archive"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ArchiveError, match="was changed or cut short"):
        archive(path, FEBRUARY)
    assert rows(path, "SELECT removed FROM segment") == [(2,)]


def test_errors_of_disk_and_database_lose_nothing(path: Path) -> None:
    written(path, *[JANUARY] * 5)
    change(path, "DROP TABLE era")
    with pytest.raises(
        ArchiveError, match=r"or the journal cannot be written \(no such table: era"
    ):
        archive(path, FEBRUARY)
    assert len(left(path)) == 5
    (path.parent / "archive" / "2026-01.1-5.archive").unlink()
    change(path, "DELETE FROM segment")
    (path.parent / "archive" / "2026-01.1-5.archive").mkdir()
    with pytest.raises(ArchiveError, match=r"cannot be written \(Is a directory\): nothing was"):
        archive(path, FEBRUARY)
    assert not (path.parent / "archive" / "segment.new").exists()


def test_two_runs_at_once_are_refused(path: Path) -> None:
    written(path, JANUARY)
    (path.parent / "archive").mkdir()
    with (
        hold(path.parent / "archive" / "archive.lock"),
        pytest.raises(LockHeldError, match="is being filled by another run: wait"),
    ):
        archive(path, FEBRUARY)


def test_months_lists_what_would_be_moved(path: Path) -> None:
    written(path, *[JANUARY] * 3)
    written(path, FEBRUARY, kind="run")
    written(path, FEBRUARY, MARCH)
    assert list(months(path, MARCH)) == [
        (MonthSpan("2026-01", 1, 3), 27), (MonthSpan("2026-02", 4, 5), 9),
    ]  # fmt: skip
    archive(path, FEBRUARY)
    assert list(months(path, MARCH)) == [(MonthSpan("2026-02", 4, 5), 9)]
    assert list(months(path, FEBRUARY)) == []


# Disk space


def test_archiving_leaves_room_for_ingest(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert disk_space.KEPT_FREE_BYTES == 32_000_000
    written(path, JANUARY)
    free = disk_space.shutil.disk_usage(path.parent).free
    monkeypatch.setattr(disk_space, "KEPT_FREE_BYTES", free * 2)
    with pytest.raises(ArchiveError, match=r"only \d+ MB are free in"):
        archive(path, FEBRUARY)
    assert names(path) == []
    monkeypatch.setattr(disk_space, "KEPT_FREE_BYTES", 0)
    disk_space.require_free(path.parent)


def test_free_pages_are_returned_in_small_steps(path: Path) -> None:
    written(path, *[JANUARY] * 800, size=3900)
    archive(path, FEBRUARY)
    with closing(ArchiveWriter(path)) as run:
        before = run.file_bytes
        assert before == _pages(path, "page_count") * 4096
        free = _pages(path, "freelist_count")
        steps = [(step.what, step.done, step.of) for step in run.release_pages()]
        after = run.file_bytes
    assert free > 640
    total = free - 512
    done = [step[1] for step in steps]
    assert all(step[0] == "giving room back" and step[2] == total for step in steps)
    assert done == [64 * n for n in range(1, len(done) + 1)]
    assert done[-1] >= total > done[-1] - 64
    assert 0 <= before - after - done[-1] * 4096 <= 2 * 4096  # and pages that SQLite needs itself
    assert path.stat().st_size == after


def _pages(path: Path, name: str) -> int:
    return rows(path, f"PRAGMA {name}")[0][0]


def test_a_file_that_cannot_become_smaller_is_left(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE t (b)")
        raw.executemany("INSERT INTO t VALUES (?)", [(b"x" * 4000,)] * 700)
        raw.execute("DELETE FROM t")
        raw.commit()
        assert list(disk_space.release_pages(raw)) == []
