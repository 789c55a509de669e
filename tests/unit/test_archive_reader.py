"""Archived bodies by entry."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.errors import ArchiveError
from gateway.journal import schema
from gateway.journal.archive import reader as archives
from gateway.journal.archive.reader import Archive, SegmentRow, catalogue, folder_of
from gateway.journal.reader import JournalReader
from tests.unit.archiving import FEBRUARY, JANUARY, MARCH, archive, names, written
from tests.unit.journaled import change


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def archived(path: Path) -> Iterator[Path]:
    """Entries 1 to 9 in segments of 4, 4 and 1, then one that stays."""
    written(path, *[JANUARY] * 9)
    written(path, FEBRUARY)
    archive(path, FEBRUARY, largest=4)
    yield path


def test_bodies_are_found_by_entry(archived: Path) -> None:
    with closing(schema.open_for_reading(archived)) as connection:
        opened = Archive(lambda: catalogue(connection), folder_of(archived))
        assert folder_of(archived) == archived.parent / "archive"
        assert [row[:4] for row in catalogue(connection)] == [
            (1, 4, 4, "2026-01.1-4.archive"), (5, 8, 8, "2026-01.5-8.archive"),
            (9, 9, 9, "2026-01.9-9.archive"),
        ]  # fmt: skip
        expected = {n: b"%dxxxxxxxx" % (n - 1) for n in range(1, 10)}
        assert opened.bodies(range(12)) == expected
        assert opened.bodies([9, 1, 5, 4, 8]) == {n: expected[n] for n in (9, 1, 5, 4, 8)}
        opened.close()
        assert opened.bodies([4]) == {4: expected[4]}
        opened.close()


def test_an_erased_body_is_in_no_segment(path: Path) -> None:
    written(path, *[JANUARY] * 3)
    change(path, "DELETE FROM body WHERE entry = 2")
    archive(path, FEBRUARY)
    with closing(schema.open_for_reading(path)) as connection:
        opened = Archive(lambda: catalogue(connection), folder_of(path))
        assert set(opened.bodies([1, 2, 3])) == {1, 3}
        opened.close()


def test_a_segment_that_was_added_later_is_found(archived: Path) -> None:
    with closing(schema.open_for_reading(archived)) as connection:
        opened = Archive(lambda: catalogue(connection), folder_of(archived))
        assert opened.bodies([10]) == {}
        archive(archived, MARCH)
        assert opened.bodies([10]) == {10: b"0xxxxxxxx"}
        opened.close()


def test_the_catalogue_is_asked_only_for_entries_after_the_known_ones(archived: Path) -> None:
    with closing(schema.open_for_reading(archived)) as connection:
        found = catalogue(connection)
    asked: list[int] = []

    def known() -> list[SegmentRow]:
        asked.append(1)
        return found

    opened = Archive(known, folder_of(archived))
    opened.bodies(range(1, 10))
    assert len(asked) == 1
    opened.bodies([10])
    assert len(asked) == 2
    opened.close()


def test_four_blocks_stay_in_memory(path: Path) -> None:
    assert archives._BLOCKS == 4
    written(path, *[JANUARY] * 6)
    archive(path, FEBRUARY, largest=1)
    with closing(schema.open_for_reading(path)) as connection:
        opened = Archive(lambda: catalogue(connection), folder_of(path))
        opened.bodies([1, 2, 3, 4, 5])
        for name in names(path):
            (folder_of(path) / name).unlink()
        assert set(opened.bodies([2, 3, 4, 5])) == {2, 3, 4, 5}
        with pytest.raises(ArchiveError, match=r"entries 1 to 1: .*cannot be read") as raised:
            opened.bodies([1])
        assert raised.value.last == 1
        opened.close()


def test_a_segment_stays_open_for_its_blocks(path: Path) -> None:
    written(path, *[JANUARY] * 1100)
    archive(path, FEBRUARY)
    with closing(schema.open_for_reading(path)) as connection:
        opened = Archive(lambda: catalogue(connection), folder_of(path))
        assert set(opened.bodies([1, 1024])) == {1, 1024}
        (folder_of(path) / names(path)[0]).unlink()
        assert set(opened.bodies([1025, 1100])) == {1025, 1100}
        opened.close()


def test_a_check_reads_the_segments_after_an_entry(archived: Path) -> None:
    with closing(JournalReader(archived)) as reader:
        reader.check()
        file = folder_of(archived) / "2026-01.5-8.archive"
        data = file.read_bytes()
        file.write_bytes(data[:30] + bytes([data[30] ^ 1]) + data[31:])
        for after in (0, 7):
            with pytest.raises(ArchiveError, match=r"entries 5 to 8: .*was changed") as raised:
                reader.check(after)
            assert raised.value.last == 8
        reader.check(8)
        with pytest.raises(ArchiveError, match=r"entries 5 to 8: .*was changed"):
            list(reader.all())


def test_only_bodies_that_are_absent_are_looked_up(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one that is here, nor an erased one of a fact, which no segment ever holds."""
    written(path, *[JANUARY] * 3)
    written(path, JANUARY, kind="run")
    change(path, "DELETE FROM body WHERE entry IN (2, 4)")
    asked: list[list[int]] = []
    monkeypatch.setattr(Archive, "bodies", lambda _, absent: asked.append(list(absent)) or {})
    with closing(JournalReader(path)) as reader:
        assert [entry.id for entry in reader.all()] == [1, 2, 3, 4]
        assert asked == [[2]]
        reader.entries(2, 4)
    assert asked == [[2]]
