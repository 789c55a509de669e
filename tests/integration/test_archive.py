"""Archived months: every command reads them, and refuses a segment that was changed."""

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.database import dead_letters
from gateway.domain.registry import Device, Install, Registry
from gateway.errors import ArchiveError, NoriaError
from gateway.ingest.batch import Ingest
from gateway.journal.archive import reader as archives
from gateway.journal.archive.segment import Segment
from gateway.journal.archive.writer import ArchiveWriter
from gateway.journal.diary import Diary
from gateway.journal.integrity.witness import LogMark
from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.projections.readings.projection import ReadingsProjection
from gateway.stores.sqlite import SqliteStore
from tests.committing import commit
from tests.integration import archived
from tests.integration.archived import AUGUST, JUNE, MESSAGES, SEPTEMBER, noria
from tests.integration.signing_device import Gateway, SigningDevice, distance


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archived.made(tmp_path_factory.mktemp("journal"))


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    return archived.copied(template, tmp_path / "data")


def test_an_export_is_the_same_to_the_byte_before_and_after(folder: Path) -> None:
    before = noria(folder, "journal", "export").stdout
    output = noria(folder, "journal", "archive", "--before", "2026-08").stdout
    assert [p.name.split(".")[0] for p in archived.segments(folder)] == ["2026-06", "2026-07"]
    assert output.startswith("Moved ")
    assert noria(folder, "journal", "export").stdout == before
    assert before.count('"topic"') == MESSAGES


def test_rebuilt_rows_are_the_same_before_and_after(folder: Path) -> None:
    noria(folder, "rebuild", "watch")
    noria(folder, "rebuild", "store")
    watched, readings = archived.rows(folder), noria(folder, "export", "readings").stdout
    assert readings.count("\n") > MESSAGES * 0.9
    archived.archive(folder, SEPTEMBER, largest=200)
    assert archived.bodies(folder) == 0
    noria(folder, "rebuild", "watch")
    noria(folder, "rebuild", "store")
    again = archived.rows(folder)
    assert _without_versions(again) == _without_versions(watched)
    assert noria(folder, "export", "readings").stdout == readings


def _without_versions(found: dict[str, Any]) -> str:
    return re.sub(r"'version': \d+", "", json.dumps(found))


def test_entries_root_and_acks_are_the_same_before_and_after(folder: Path) -> None:
    before = archived.entries(folder)
    node = SigningDevice(booted=JUNE)
    first = node.send(JUNE, distance(300))
    gateway = Gateway(folder)
    root, acks = gateway.journal.log.frontier, gateway.ingest.all_acks(1.0)
    gateway.close()
    assert archived.archive(folder, SEPTEMBER, largest=300) == 6  # each month is more than 300
    assert archived.entries(folder) == before
    gateway = Gateway(folder)
    assert (gateway.journal.log.frontier, gateway.ingest.all_acks(1.0)) == (root, acks)
    gateway.receive(first)  # sent again, months later
    assert gateway.journal.last_id == before[-1].id
    gateway.close()
    assert archived.faults(folder) == []


def test_a_month_that_has_not_ended_stays(folder: Path) -> None:
    archived.archive(folder, AUGUST - 1)
    assert [p.name.split(".")[0] for p in archived.segments(folder)] == ["2026-06"]
    archived.archive(folder, AUGUST)
    assert [p.name.split(".")[0] for p in archived.segments(folder)] == ["2026-06", "2026-07"]
    assert archived.bodies(folder) == 31 * 6


def test_a_dry_run_lists_the_months_and_moves_nothing(folder: Path) -> None:
    output = noria(folder, "journal", "archive", "--before", "2026-09-01", "--dry-run").stdout
    assert [line[:8] for line in output.splitlines()] == ["2026-06:", "2026-07:", "2026-08:"]
    assert "MB of messages would be moved." in output
    assert archived.segments(folder) == []
    assert archived.bodies(folder) == MESSAGES


def test_an_invalid_date_is_refused_with_a_valid_example(folder: Path) -> None:
    done = noria(folder, "journal", "archive", "--before", "last month", status=2)
    assert "last month: write it as 2026-04" in done.output


def test_a_file_outside_the_catalogue_is_reported_and_is_no_fault(folder: Path) -> None:
    archived.archive(folder, AUGUST)
    assert "does not name" not in noria(folder, "journal", "verify").output
    (folder / "archive" / "2025-01.1-9.archive").write_bytes(b"left behind")
    done = noria(folder, "journal", "verify")
    assert "the journal does not name 2025-01.1-9.archive: nothing reads that file" in done.output
    assert "All is as it was written" in done.output


def test_a_missing_segment_is_reported_and_nothing_else_is_lost(folder: Path) -> None:
    archived.archive(folder, AUGUST)
    noria(folder, "rebuild", "store")
    readings = noria(folder, "export", "readings").stdout
    away = archived.segments(folder)[1]
    away.rename(folder / "elsewhere")
    for command in (["journal", "export"], ["rebuild", "store"], ["rebuild", "watch"]):
        done = noria(folder, *command, status=1)
        assert isinstance(done.exception, ArchiveError)
        assert away.name in str(done.exception)
        assert "put it back" in str(done.exception)
        assert done.stdout == ""
    assert noria(folder, "export", "readings").stdout == readings  # it was not emptied
    assert len(archived.faults(folder)) == 1
    gateway = Gateway(folder)
    gateway.receive(SigningDevice(era="neweraaa", booted=int(SEPTEMBER)).send(int(SEPTEMBER)))
    gateway.close()
    away.symlink_to(folder / "elsewhere")
    assert noria(folder, "journal", "export").stdout.count('"topic"') == MESSAGES + 1


@pytest.fixture(scope="module")
def whole(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = archived.copied(template, tmp_path_factory.mktemp("archived"))
    archived.archive(folder, AUGUST)
    return folder


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_segment_with_any_byte_changed_or_cut_off_is_refused(
    whole: Path, data: st.DataObject
) -> None:
    (first, second) = archived.segments(whole)
    kept = second.read_bytes()
    at = data.draw(st.integers(0, len(kept) - 1))
    if data.draw(st.booleans()):
        second.write_bytes(kept[:at])
    else:
        other = kept[at] ^ data.draw(st.integers(1, 255))
        second.write_bytes(kept[:at] + bytes([other]) + kept[at + 1 :])
    try:
        with closing(JournalReader(whole / "journal.db")) as reader:
            with pytest.raises(ArchiveError, match=second.name):
                reader.check()
            with pytest.raises(ArchiveError, match=second.name):
                list(reader.all())
        assert any(second.name in fault for fault in archived.faults(whole))
    finally:
        second.write_bytes(kept)
    assert first.is_file()


def test_a_segment_of_another_journal_is_refused(folder: Path, tmp_path: Path) -> None:
    other = archived.made(tmp_path / "other")
    archived.archive(folder, AUGUST)
    archived.archive(other, AUGUST)
    ours, theirs = archived.segments(folder)[0], archived.segments(other)[0]
    assert ours.name == theirs.name
    ours.write_bytes(theirs.read_bytes())
    with pytest.raises(ArchiveError, match="its end is missing or another's"):
        archived.entries(folder)


def test_a_segment_has_its_log_its_range_and_its_frontiers(folder: Path) -> None:
    archived.archive(folder, AUGUST)
    with closing(sqlite3.connect(folder / "journal.db")) as raw:
        known = archives.catalogue(raw)
        (body,) = raw.execute("SELECT body FROM body WHERE entry = 1").fetchone()
    found = [Segment(folder / "archive" / row.name, row.digest) for row in known]
    first, second = [segment.index for segment in found]
    assert {first.log, second.log} == {json.loads(body)["origin"]}
    assert (first.first, second.first) == (1, first.last + 1)
    assert second.frontier_before == first.frontier
    assert known[0].bytes == found[0].path.stat().st_size
    assert found[0].path.stat().st_mode & 0o077 == 0


def test_a_body_that_was_changed_before_is_not_archived(folder: Path) -> None:
    (entry, *_) = [e for e in archived.entries(folder) if e.kind == "msg"]
    with closing(sqlite3.connect(folder / "journal.db")) as raw, raw:
        other = entry.body.replace(b'"mm":300', b'"mm":900')
        raw.execute("UPDATE body SET body = ? WHERE entry = ?", (other, entry.id))
    message = f"entry {entry.id} of the journal is not what its log says"
    with pytest.raises(NoriaError, match=message):
        archived.archive(folder)
    assert (archived.bodies(folder), archived.segments(folder)) == (MESSAGES, [])
    assert archived.faults(folder) == [
        f"entry {entry.id}: its body is not what its leaf commits to"
    ]


def test_a_second_run_beside_the_first_is_refused(folder: Path) -> None:
    with closing(ArchiveWriter(folder / "journal.db")) as one:
        steps = one.steps(SEPTEMBER)
        next(iter(steps))
        with pytest.raises(NoriaError, match="by another run"):
            archived.archive(folder)
        for _ in steps:
            pass
    assert archived.bodies(folder) == 0


def test_a_run_that_stops_early_leaves_no_unfinished_segment(folder: Path) -> None:
    before = archived.entries(folder)
    with closing(ArchiveWriter(folder / "journal.db")) as one:
        steps = iter(one.steps(SEPTEMBER))
        next(steps)
        steps.close()  # type: ignore[attr-defined]
    assert list((folder / "archive").glob("*.new")) == []
    assert archived.entries(folder) == before
    archived.archive(folder)
    assert archived.entries(folder) == before


def test_each_segment_has_entries_of_one_log(folder: Path) -> None:
    at = int(SEPTEMBER)
    journal = Journal(folder / "journal.db", "g1")
    old = journal.log.seen
    Diary(journal).open(at, lambda: bytes(32), "1.0", LogMark(old.origin, old.frontier))
    node = SigningDevice(era="neweraaa", booted=at)
    registry = Gateway(folder).ingest.registry
    for n in range(9):
        commit(Ingest(journal, registry), [node.send(at + n)], at + n)
    journal.close()
    before = archived.entries(folder)
    archived.archive(folder, SEPTEMBER + 40 * 86400)
    logs = [p.name.split(".")[0] for p in archived.segments(folder)]
    assert logs == ["2026-06", "2026-07", "2026-08", "2026-09"]
    with closing(sqlite3.connect(folder / "journal.db")) as raw:
        origins = [log for (log,) in raw.execute("SELECT log FROM segment ORDER BY first")]
    assert origins[:3] == [old.origin] * 3
    assert origins[3] != old.origin
    assert archived.entries(folder) == before
    assert archived.faults(folder) == []


def test_a_recalibration_skips_a_month_whose_file_is_missing_and_reports_it(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    noria(folder, "rebuild", "store")
    archived.archive(folder, AUGUST)
    june, _ = archived.segments(folder)
    june.rename(folder / "elsewhere")
    gateway, store = Gateway(folder), SqliteStore(folder / "readings.db")
    readings = ReadingsProjection(store, gateway.reader, gateway.engine)
    readings.restore()
    before = {(row.boot, row.seq): row.volume_l for row in store.export()}
    first = Install("k7f3q5", "north-1", 0.0, sensor_height_mm=1200)
    gateway.register(Registry(installs={"k7f3q5": (first,)}), float(SEPTEMBER))
    node = SigningDevice(era="neweraaa", booted=int(SEPTEMBER))
    gateway.receive(node.send(int(SEPTEMBER) + 60, distance(500)))
    with closing(gateway.reader()) as journal:
        readings.apply(journal.entries(journal.last_id() - 1, 1))
    after = [row for row in store.export() if row.era == node.era or row.at < SEPTEMBER]
    moved = {row.at for row in after if row.volume_l != before.get((row.boot, row.seq))}
    assert len(after) == len(before) + 1
    assert min(moved) >= datetime(2026, 7, 1, tzinfo=UTC).timestamp()
    assert len(moved) >= 60 * 6  # July's from the archive, August's from the journal
    assert f"{june.name} cannot be read" in caplog.text
    with gateway.engine.connect() as connection:
        assert dead_letters.newest(connection)["store"].number == 1
    store.close()
    gateway.close()


def test_archived_messages_that_a_broker_may_redeliver_are_recognised(tmp_path: Path) -> None:
    folder = archived.made(tmp_path / "data")
    gateway = Gateway(folder)
    third = Device("tasmota1", "north-2", unsigned=True)
    gateway.register(Registry(devices={"tasmota1": (third,)}), float(JUNE))
    with (
        closing(sqlite3.connect(folder / "journal.db")) as raw,
        raw,
    ):  # as if a third party had sent them
        raw.execute("UPDATE era SET era = 'unsigned'")
    last = [e for e in archived.entries(folder) if e.kind == "msg"]
    archived.archive(folder, SEPTEMBER)
    assert archived.bodies(folder) == 32
    messages = gateway.journal.messages
    assert all(messages.is_recent("k7f3q5", e.body) for e in last[-32:])
    assert not messages.is_recent("k7f3q5", last[-33].body)
    gateway.close()
