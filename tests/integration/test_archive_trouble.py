"""Archiving that is killed, runs out of disk space or runs beside ingest loses nothing."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.errors import ArchiveError
from gateway.journal.archive import disk_space
from gateway.journal.archive.writer import ArchiveWriter
from tests.integration import archived
from tests.integration.archived import MESSAGES, SEPTEMBER, noria
from tests.integration.signing_device import Gateway, SigningDevice, distance
from tests.parts import missing

POINTS = int(os.environ.get("NORIA_ARCHIVE_KILLS", "12"))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archived.made(tmp_path_factory.mktemp("journal"))


def test_after_a_kill_at_any_step_the_next_run_continues_and_nothing_is_lost(
    template: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "tests.integration.killed_archiving"]
    done = subprocess.run(
        [*command, template, tmp_path, str(POINTS)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    kills = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(kills) >= POINTS
    for kill in kills:
        assert kill["status"] == -9, kill
        assert (kill["left"], kill["after"], kill["bodies"]) == (True, True, 0), kill
        assert (kill["strays"], kill["faults"]) == ([], []), kill
    halfway = [kill["halfway"] for kill in kills]
    assert any(h["segments"] and h["bodies"] == MESSAGES for h in halfway)  # both have them
    assert any(h["segments"] and 0 < h["bodies"] < MESSAGES for h in halfway)


def test_free_pages_are_returned_to_the_file_system(tmp_path: Path) -> None:
    folder = archived.filled(tmp_path, 12_000)
    size = (folder / "journal.db").stat().st_size
    output = noria(folder, "journal", "archive", "--before", "2026-07").stdout
    now = (folder / "journal.db").stat().st_size
    assert now < size - 2_000_000
    assert f"The journal's file is {(size - now) / 1e6:.1f} MB smaller." in output
    assert archived.faults(folder) == []


def test_ingest_continues_beside_archiving(template: Path, tmp_path: Path) -> None:
    folder = archived.copied(template, tmp_path / "data")
    gateway = Gateway(folder)
    node = SigningDevice(era="neweraaa", booted=int(SEPTEMBER))
    ended = threading.Event()

    def archive() -> None:
        try:
            archived.archive(folder, SEPTEMBER, largest=200)
        finally:
            ended.set()

    thread = threading.Thread(target=archive)
    thread.start()
    sent = 0
    while not ended.is_set() or sent < 50:
        gateway.receive(node.send(int(SEPTEMBER) + sent, distance(300)))
        sent += 1
    thread.join()
    gateway.close()
    assert archived.bodies(folder) == sent
    assert [e.kind for e in archived.entries(folder)].count("msg") >= MESSAGES * 0.9 + sent
    assert archived.faults(folder) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk for the data folder, which only root can mount."""
    folder = tmp_path / "data"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        missing(f"no small disk can be mounted here ({done.stderr.strip()}): run as root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def left_free(folder: Path, left_bytes: int) -> Path:
    """Fill the disk up to ``left_bytes``; returns the file that fills it."""
    filler = folder / "filler"
    stat = os.statvfs(folder)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, stat.f_bavail * stat.f_bsize - left_bytes)
    return filler


def test_archiving_never_uses_the_last_disk_space(template: Path, small_disk: Path) -> None:
    archived.copied(template, small_disk)
    left_free(small_disk, 20_000_000)
    done = noria(small_disk, "journal", "archive", "--before", "2026-09", status=1)
    assert "only 20 MB are free" in str(done.exception)
    assert archived.bodies(small_disk) == MESSAGES
    assert archived.segments(small_disk) == []


@pytest.fixture
def full_disk(template: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small disk with a journal, on which archiving may use the last byte."""
    archived.copied(template, small_disk)
    monkeypatch.setattr(disk_space, "KEPT_FREE_BYTES", 0)
    return small_disk


def test_a_full_disk_is_reported_and_archiving_continues_when_there_is_space(
    full_disk: Path,
) -> None:
    before = archived.entries(full_disk)
    with closing(ArchiveWriter(full_disk / "journal.db")) as run:
        filler = left_free(full_disk, 8192)
        with pytest.raises(ArchiveError, match=r"No space left on device.*nothing was lost"):
            list(run.steps(SEPTEMBER))
        assert archived.segments(full_disk) == []
        assert not (full_disk / "archive" / "segment.new").exists()
        filler.unlink()
        list(run.steps(SEPTEMBER))
    assert archived.entries(full_disk) == before
    assert archived.bodies(full_disk) == 0


def test_a_disk_that_fills_up_between_segment_and_removal_loses_nothing(
    full_disk: Path,
) -> None:
    before = archived.entries(full_disk)
    with closing(ArchiveWriter(full_disk / "journal.db")) as run:
        steps = run.steps(SEPTEMBER)
        while not archived.segments(full_disk):
            next(steps)
        filler = left_free(full_disk, 0)
        with pytest.raises(ArchiveError, match=r"full.*nothing was lost"):
            list(steps)
        assert archived.entries(full_disk) == before
        filler.unlink()
        list(run.steps(SEPTEMBER))
    assert archived.entries(full_disk) == before
    assert archived.bodies(full_disk) == 0
