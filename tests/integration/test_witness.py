"""The log's length, noted outside the journal: what is noticed as a restored log, and what not."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.domain.merkle import Frontier, leaf_hash
from gateway.journal import rollback
from gateway.journal.diary import Diary
from gateway.journal.integrity.witness import SLOT_BYTES, LogMark, Witness
from gateway.journal.writer import Journal

NOW = 1795212000.0


class Log:
    """A journal with a witness of two notes, opened as the program opens them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes = (folder / "a.witness", folder / "elsewhere" / "b.witness")
        self.start()

    def start(self) -> None:
        self.witness = Witness(self.notes)
        self.journal = Journal(self.folder / "journal.db", "g1", self.witness.keep)
        self.lost = rollback.find_rollback(self.journal, self.witness)
        Diary(self.journal).open(NOW, lambda: b"k", "1", self.lost)
        self.witness.keep(self.journal.log.seen)

    def write(self, facts: int) -> None:
        for n in range(facts):
            with self.journal.transaction():
                self.journal.log.append_fact("run", NOW, {"run": "heartbeat", "n": n})

    def stop(self) -> None:
        self.journal.close()
        self.witness.close()

    def restart_after(self, change: Callable[[], object]) -> LogMark | None:
        """What the next start finds lost."""
        self.stop()
        change()
        self.start()
        return self.lost

    def copied(self) -> Path:
        self.stop()
        copy = self.folder / "copy.db"
        shutil.copy(self.folder / "journal.db", copy)
        self.start()
        return copy


def test_a_log_that_grew_is_not_lost(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.write(7)
    assert log.restart_after(lambda: None) is None
    assert log.restart_after(log.notes[0].unlink) is None
    log.stop()


def test_a_witness_behind_the_log_reports_nothing_lost(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.write(3)
    log.stop()
    old = [note.read_bytes() for note in log.notes]
    log.start()
    log.write(9)
    assert (
        log.restart_after(lambda: [n.write_bytes(o) for n, o in zip(log.notes, old, strict=True)])
        is None
    )
    log.stop()


@pytest.mark.parametrize("extra", [0, 2, 40])
def test_a_shorter_or_different_log_is_lost_even_when_it_has_grown_past_the_witness(
    tmp_path: Path, extra: int
) -> None:
    log = Log(tmp_path)
    log.write(5)
    copy = log.copied()
    log.write(4)
    shown = log.journal.log.seen

    def put_back_and_grow() -> None:
        shutil.copy(copy, tmp_path / "journal.db")
        other = Journal(tmp_path / "journal.db", "g1")  # as if by a program that keeps no note
        for n in range(extra):
            with other.transaction():
                other.log.append_fact("run", NOW, {"run": "heartbeat", "other": n})
        other.close()

    assert log.restart_after(put_back_and_grow) == shown
    assert log.restart_after(lambda: None) is None
    log.stop()


def test_a_journal_without_a_witness_was_copied_from_elsewhere(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.write(5)
    shown = log.journal.log.seen
    assert log.restart_after(lambda: [note.unlink() for note in log.notes]) == shown
    log.stop()


def test_a_journal_that_is_gone_is_named_by_the_new_log(tmp_path: Path) -> None:
    log = Log(tmp_path)
    log.write(5)
    shown = log.journal.log.seen
    assert log.restart_after(lambda: [f.unlink() for f in tmp_path.glob("journal.db*")]) == shown
    assert log.restart_after(lambda: None) is None
    log.stop()


def test_after_a_torn_write_the_witness_before_counts(tmp_path: Path) -> None:
    witness = Witness([tmp_path / "w"])
    frontier = Frontier()
    for n in range(6):
        frontier = frontier.grown(leaf_hash(b"%d" % n))
        witness.keep(LogMark("abc", frontier))
    with (tmp_path / "w").open("r+b") as file:
        newest = max((0, SLOT_BYTES), key=lambda at: _size(file, at))
        file.seek(newest + 90)
        file.write(b"torn")
    (seen,) = witness.seen()
    assert (seen.origin, seen.frontier.size) == ("abc", 5)


def _size(file, at: int) -> int:  # type: ignore[no-untyped-def]
    file.seek(at)
    return int(file.read(SLOT_BYTES).split(b" ")[2])


def test_a_witness_that_cannot_be_written_is_logged_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    witness = Witness([tmp_path / "file" / "w", tmp_path / "w"])
    witness.keep(LogMark("abc", Frontier()))
    witness.keep(LogMark("abc", Frontier()))
    assert [seen.origin for seen in witness.seen()] == ["abc"]
    assert len(caplog.records) == 1
    assert "set witness to a folder" in caplog.text
    assert (tmp_path / "w").stat().st_mode & 0o077 == 0
