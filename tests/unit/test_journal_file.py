"""The journal's file: how it is opened, and rows that are inserted together."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.errors import JournalError
from gateway.journal import pending_index, schema
from gateway.journal.pending_index import FILED_AT, MessageRow, PendingIndex
from tests.unit.journaled import rows

# Rows that are inserted into ``message`` together


def _row(entry: int, device: str = "k7f3q5") -> MessageRow:
    return (entry, device, "abcdefgh", 1, entry, bytes(32), str(entry), False)


class Indexed:
    """A pending index on a journal's file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = schema.open_for_writing(path)
        self.index = PendingIndex(self.database)

    def batch(self, *entries: int) -> None:
        for entry in entries:
            self.index.add(_row(entry))
        self.index.save()

    def counts(self) -> tuple[int, int]:
        ((filed,),) = rows(self.path, "SELECT count(*) FROM message")
        ((unfiled,),) = rows(self.path, "SELECT count(*) FROM unfiled")
        return filed, unfiled


@pytest.fixture
def indexed(tmp_path: Path) -> Iterator[Indexed]:
    made = Indexed(tmp_path / "journal.db")
    yield made
    made.database.close()


def test_rows_wait_until_a_query_needs_them(
    indexed: Indexed, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed.batch(1, 2)
    indexed.batch(3)
    assert indexed.counts() == (0, 3)
    indexed.index.add(_row(4))
    indexed.index.file()
    found = indexed.database.execute("SELECT * FROM message ORDER BY entry").fetchall()
    assert found == [tuple(_row(n)) for n in (1, 2, 3, 4)]
    indexed.index.save()
    assert indexed.counts() == (4, 0)
    monkeypatch.setattr(pending_index, "FILED_AT", 2)
    indexed.batch(5)
    assert indexed.counts() == (4, 1)
    indexed.batch(6)
    assert indexed.counts() == (6, 0)


def test_filing_writes_nothing_where_nothing_waits(indexed: Indexed) -> None:
    before = indexed.database.total_changes
    indexed.index.file()
    assert indexed.database.total_changes == before


def test_many_rows_are_filed_with_their_batch(
    indexed: Indexed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert FILED_AT == 8192  # eight of each of 1,000 devices
    monkeypatch.setattr(pending_index, "FILED_AT", 4)
    indexed.batch(1, 2, 3)
    assert indexed.counts() == (0, 3)
    indexed.batch(4)
    assert indexed.counts() == (4, 0)
    indexed.batch(5, 6, 7)
    assert indexed.counts() == (4, 3)
    indexed.batch()
    assert indexed.counts() == (4, 3)
    indexed.batch(8)
    assert indexed.counts() == (8, 0)
    indexed.batch(*range(9, 15))
    assert indexed.counts() == (14, 0)


def test_rows_that_were_rolled_back_are_forgotten_and_saved_ones_counted(
    indexed: Indexed, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed.batch(1)
    indexed.index.add(_row(2))
    indexed.index.reload()
    monkeypatch.setattr(pending_index, "FILED_AT", 2)
    indexed.batch()
    assert indexed.counts() == (0, 1)
    indexed.batch(3)
    assert indexed.counts() == (2, 0)


# The file


def test_the_writer_makes_a_private_file_that_survives_a_power_cut(tmp_path: Path) -> None:
    path = tmp_path / "new" / "data" / "journal.db"
    with closing(schema.open_for_writing(path)) as connection:
        pragmas = ("auto_vacuum", "journal_mode", "synchronous", "user_version")
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in pragmas]
        assert found == [2, "wal", 2, 3]  # incremental; FULL; the format
        assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (8192,)
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (30_000,)
        assert connection.isolation_level is None
        assert connection.execute("SELECT * FROM frontier").fetchall() == [(1, 0, b"")]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    with closing(schema.open_for_writing(path)) as connection:
        assert connection.execute("SELECT count(*) FROM frontier").fetchone() == (1,)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    schema.open_for_writing(tmp_path / "journal.db").close()
    with closing(schema.open_for_reading(tmp_path / "journal.db")) as connection:
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (30_000,)
        assert connection.isolation_level is None
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM entry")


@pytest.mark.parametrize(
    ("version", "remedy"),
    [
        (0, "is empty: start the gateway once"),
        (2, "has format 2; this program uses 3: no release wrote it"),
        (4, "has format 4; this program uses 3: use the newer program"),
    ],
)
def test_another_format_is_refused_with_a_remedy(tmp_path: Path, version: int, remedy: str) -> None:
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(JournalError, match=remedy):
        schema.open_for_reading(path)
    if version:
        with pytest.raises(JournalError, match=remedy):
            schema.open_for_writing(path)


def test_a_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"no journal at .*: start the gateway once"):
        schema.open_for_reading(tmp_path / "none.db")
    foreign = tmp_path / "foreign.db"
    foreign.write_bytes(b"no database at all, " * 100)
    with pytest.raises(JournalError, match="cannot be read as a journal: file is not a database"):
        schema.open_for_reading(foreign)
    with pytest.raises(JournalError, match="cannot be opened as a journal: file is not a database"):
        schema.open_for_writing(foreign)
