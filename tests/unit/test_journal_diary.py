"""The gateway's entries about itself, why it cannot journal, and the log's key."""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.domain.merkle import Frontier
from gateway.errors import JournalError
from gateway.journal import failure_file, log_key
from gateway.journal.diary import HEARTBEAT_S, HOUR_S, STEP_S, Diary
from gateway.journal.failure_file import FailureFile
from gateway.journal.integrity.witness import LogMark
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from tests.unit.journaled import NOW


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    made = Journal(path, "g1")
    yield made
    made.close()


def diary_entries(path: Path) -> list[tuple[str, float, dict[str, object]]]:
    with closing(JournalReader(path)) as reader:
        return [(e.kind, e.received, json.loads(e.body)) for e in reader.all()]


def test_a_new_log_begins_with_its_origin_key_and_build(journal: Journal, path: Path) -> None:
    diary = Diary(journal)
    diary.open(NOW, lambda: b"\x01\x02", "1.5")
    diary.open(NOW, lambda: b"\x03", "1.6")
    ((kind, at, body),) = diary_entries(path)
    origin = str(body.pop("origin"))
    assert (kind, at, body) == ("open", NOW, {"key": "0102", "build": "1.5", "previous": None})
    assert (len(origin), journal.log.origin) == (16, origin)
    seen = LogMark(origin, journal.log.frontier.grown(bytes(32)))
    diary.open(NOW, lambda: b"\x01", "1.5", seen)
    _, (_, _, second) = diary_entries(path)
    assert second["previous"] == {
        "origin": origin, "size": 2, "root": seen.frontier.root().hex(), "kept": 1,
    }  # fmt: skip
    assert journal.log.origin == second["origin"] != origin


def test_an_empty_journal_whose_log_was_seen_names_it(journal: Journal, path: Path) -> None:
    Diary(journal).open(NOW, lambda: b"k", "1", LogMark("zzzz", Frontier().grown(bytes(32))))
    ((_, _, body),) = diary_entries(path)
    assert isinstance(body["previous"], dict)
    assert body["previous"]["origin"] == "zzzz"


@pytest.mark.parametrize(
    ("after_s", "due"),
    [
        (599.9, []),
        (600.0, ["heartbeat"]),
        (3599.9, ["heartbeat"]),
        (3600.0, [0, "heartbeat"]),
    ],
)
def test_entries_are_due_at_their_intervals(
    journal: Journal, path: Path, after_s: float, due: list[object]
) -> None:
    assert (HEARTBEAT_S, HOUR_S, STEP_S) == (600.0, 3600.0, 2.0)
    diary = Diary(journal)
    diary.start(NOW, 50.0)
    assert diary.write_due(NOW + after_s, 50.0 + after_s) is bool(due)
    found = diary_entries(path)
    assert found[0] == ("run", NOW, {"run": "start"})
    assert [body.get("run", body.get("step_s")) for _, _, body in found[1:]] == due


def test_each_interval_begins_again_with_its_entry(journal: Journal, path: Path) -> None:
    diary = Diary(journal)
    diary.start(NOW, 0.0)
    written = [t for t in range(0, 7400, 100) if diary.write_due(NOW + t, float(t))]
    assert written == list(range(600, 7400, 600))
    hourly = [at - NOW for kind, at, _ in diary_entries(path) if kind == "clock"]
    assert hourly == [3600.0, 7200.0]
    diary.stop(NOW + 7500)
    assert diary_entries(path)[-1] == ("run", NOW + 7500, {"run": "stop"})


def test_hourly_refusals_follow_clock_and_heartbeat(journal: Journal, path: Path) -> None:
    diary = Diary(journal)
    diary.start(NOW, 0.0)
    with journal.transaction():
        journal.counters.add("bad_mac")
    assert diary.write_due(NOW + 600, 600.0)
    assert diary.write_due(NOW + 3600, 3600.0)
    assert [(kind, body) for kind, _, body in diary_entries(path)][2:] == [
        ("clock", {"source": "system", "step_s": 0}), ("run", {"run": "heartbeat"}),
        ("bad", {"bad_mac": 1}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("step_s", "noted"),
    [(2.0, None), (2.001, 2.001), (-2.0, None), (-2.001, -2.001), (60.00049, 60.0)],
)
def test_a_step_larger_than_two_seconds_is_noted_before_the_time_jumps(
    journal: Journal, path: Path, step_s: float, noted: float | None
) -> None:
    diary = Diary(journal)
    assert not diary.note_step(0.0, 0.0)
    diary.start(1000.0, 10.0)
    assert diary.write_due(1010.0 + step_s, 20.0) is (noted is not None)
    found = diary_entries(path)[1:]
    if noted is None:
        assert found == []
    else:
        at = min(1010.0, max(1000.0, 1010.0 + step_s))
        ((kind, received, body),) = found
        assert (kind, body) == ("clock", {"source": "system", "step_s": noted})
        assert received == pytest.approx(at, abs=0.002)
    assert not diary.note_step(1020.0 + step_s, 30.0)


def test_the_first_look_at_the_clock_is_no_step(journal: Journal) -> None:
    diary = Diary(journal)
    assert not diary.note_step(NOW, 5.0)
    assert not diary.note_step(NOW + 1, 6.0)
    assert diary.note_step(NOW + 9, 7.0)
    assert journal.last_id == 1


# Why nothing is journaled, and the log's key


def test_a_failure_is_published_in_a_file_of_one_size(tmp_path: Path) -> None:
    assert failure_file.read(tmp_path) is None
    file = FailureFile(tmp_path)
    where = tmp_path / "journal.trouble"
    assert (where.stat().st_size, where.stat().st_mode & 0o777) == (512, 0o600)
    assert failure_file.read(tmp_path) is None
    file.set("the disk is full, 100 %")
    assert failure_file.read(tmp_path) == "the disk is full, 100 %"
    file.set("short")
    assert failure_file.read(tmp_path) == "short"
    file.set("é" * 600)
    assert where.stat().st_size == 512
    assert failure_file.read(tmp_path) == "é" * 256
    file.clear()
    assert failure_file.read(tmp_path) is None
    file.set("again")
    file.close()
    assert failure_file.read(tmp_path) is None
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file._file)


def test_a_failure_of_an_earlier_process_is_cleared_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "journal.trouble").write_bytes(b"old".ljust(512))
    file = FailureFile(tmp_path)
    assert failure_file.read(tmp_path) is None
    (tmp_path / "journal.trouble").write_bytes(b"foreign".ljust(512))
    file.clear()  # already clear: nothing is written
    assert failure_file.read(tmp_path) == "foreign"
    file.close()


def test_a_failure_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    file = FailureFile(tmp_path)
    os.close(file._file)
    file.set("the disk is gone")


def test_the_logs_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    key = log_key.log_key(data)
    assert log_key.log_key(data) == key
    assert (data / "log.key").read_text("ascii") == key.hex() + "\n"
    assert (data / "log.key").stat().st_mode & 0o777 == 0o600
    assert data.stat().st_mode & 0o777 == 0o700
    for other in ("ab" * 31, "ab" * 33, "no hex", ""):
        (data / "log.key").write_text(other, "ascii")
        with pytest.raises(JournalError, match="is not a log key: restore it from a backup"):
            log_key.log_key(data)
    assert log_key.build()[0].isdigit()


def test_the_public_key_is_that_of_rfc_8032() -> None:
    private = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert log_key.public_key(bytes.fromhex(private)).hex() == public
