"""The log's length in files beside the journal."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.domain.merkle import Frontier
from gateway.journal.integrity.witness import SLOT_BYTES, LogMark, Witness, forget

_MARKS = [
    LogMark("0123456789abcdef", Frontier().grown(*([b"%032d" % n for n in range(size)])))
    for size in range(5)
]


@pytest.fixture
def notes(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "a" / "w", tmp_path / "b" / "w"


@pytest.fixture
def kept(notes: tuple[Path, Path]) -> Iterator[Witness]:
    made = Witness(notes)
    yield made
    made.close()


def test_a_witness_returns_the_longest_mark_of_each_file(
    kept: Witness, notes: tuple[Path, Path]
) -> None:
    assert kept.seen() == []
    for mark in _MARKS:
        kept.keep(mark)
        assert kept.seen() == [mark, mark]
    again = Witness(notes[1:])
    assert again.seen() == [_MARKS[4]]
    again.keep(_MARKS[1])
    again.keep(_MARKS[2])
    assert again.seen() == [_MARKS[2]]
    assert kept.seen() == [_MARKS[4], _MARKS[2]]
    again.close()


def test_two_slots_are_written_in_turn(kept: Witness, notes: tuple[Path, Path]) -> None:
    assert SLOT_BYTES == 8192
    kept.keep(_MARKS[2])
    kept.keep(_MARKS[3])
    file = notes[0].read_bytes()
    for at in (SLOT_BYTES, 0):
        line = file[at:].partition(b"\n")[0]
        assert line.split(b" ")[1:3] == [b"0123456789abcdef", b"3" if at == 0 else b"2"]


@pytest.mark.parametrize("slot", [0, 1])
def test_a_slot_that_is_half_written_leaves_the_other(
    kept: Witness, notes: tuple[Path, Path], slot: int
) -> None:
    kept.keep(_MARKS[2])  # slot 1
    kept.keep(_MARKS[3])  # slot 0
    with notes[0].open("r+b") as file:
        file.seek(slot * SLOT_BYTES + 70)
        file.write(b"\xff")
    assert kept.seen() == [_MARKS[2 if slot == 0 else 3], _MARKS[3]]


def test_files_are_private_and_one_that_cannot_be_made_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    good = tmp_path / "new" / "deep" / "w"
    made = Witness([tmp_path / "file" / "w", good])
    made.keep(_MARKS[1])
    assert made.seen() == [_MARKS[1]]
    made.close()
    assert good.stat().st_mode & 0o777 == 0o600
    assert good.parent.stat().st_mode & 0o777 == 0o700
    assert "a restored journal may go unnoticed" in caplog.text
    assert Witness([good]).seen() == [_MARKS[1]]


def test_a_file_that_fails_later_is_left_out_and_the_other_is_written(
    notes: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    made = Witness(notes)
    made.keep(_MARKS[1])
    failing = made._files[0]
    read_only = os.open(notes[0], os.O_RDONLY)
    os.dup2(read_only, failing)  # every write to it fails from now on
    os.close(read_only)
    made.keep(_MARKS[2])
    made.keep(_MARKS[3])
    assert made.seen() == [_MARKS[3]]
    assert caplog.text.count("the log's length cannot be noted") == 1
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(failing)
    made.close()


def test_a_closed_witness_has_no_files_open(notes: tuple[Path, Path]) -> None:
    made = Witness(notes)
    files = list(made._files)
    made.close()
    for file in files:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(file)
    made.sync()


def test_a_file_that_cannot_be_synced_is_reported(notes: tuple[Path, Path]) -> None:
    made = Witness(notes)
    for file in made._files:
        os.close(file)
    with pytest.raises(OSError, match="Bad file descriptor"):
        made.sync()


def test_forgetting_deletes_the_files_that_exist(notes: tuple[Path, Path]) -> None:
    Witness(notes[:1]).close()
    forget(notes)
    assert not any(note.exists() for note in notes)
