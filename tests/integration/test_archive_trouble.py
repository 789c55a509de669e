"""Archiving that is killed, runs out of room, or runs beside ingest: nothing is lost, ever."""

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


def test_a_kill_at_any_step_leaves_both_or_the_segment_and_the_next_run_goes_on(
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


def test_room_goes_back_to_the_disk(tmp_path: Path) -> None:
    folder = archived.filled(tmp_path, 12_000)
    size = (folder / "journal.db").stat().st_size
    said = noria(folder, "journal", "archive", "--before", "2026-07").stdout
    now = (folder / "journal.db").stat().st_size
    assert now < size - 2_000_000
    assert f"The journal's file is {(size - now) / 1e6:.1f} MB smaller." in said
    assert archived.faults(folder) == []


def test_ingest_goes_on_beside_archiving(template: Path, tmp_path: Path) -> None:
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
    said = 0
    while not ended.is_set() or said < 50:
        gateway.receive(node.send(int(SEPTEMBER) + said, distance(300)))
        said += 1
    thread.join()
    gateway.close()
    assert archived.bodies(folder) == said
    assert [e.kind for e in archived.entries(folder)].count("msg") >= MESSAGES * 0.9 + said
    assert archived.faults(folder) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own for the data folder; root can mount one anywhere."""
    folder = tmp_path / "data"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        missing(f"no small disk can be mounted here ({done.stderr.strip()}): run as root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def left_free(folder: Path, left_bytes: int) -> Path:
    """Takes all the room but so much."""
    filler = folder / "filler"
    stat = os.statvfs(folder)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, stat.f_bavail * stat.f_bsize - left_bytes)
    return filler


def test_archiving_never_takes_the_last_room(template: Path, small_disk: Path) -> None:
    archived.copied(template, small_disk)
    left_free(small_disk, 20_000_000)
    done = noria(small_disk, "journal", "archive", "--before", "2026-09", status=1)
    assert "only 20 MB are free" in str(done.exception)
    assert archived.bodies(small_disk) == MESSAGES
    assert archived.segments(small_disk) == []


@pytest.fixture
def full_disk(template: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small disk with a journal on it, of which archiving would take the last byte."""
    archived.copied(template, small_disk)
    monkeypatch.setattr(disk_space, "KEPT_FREE_BYTES", 0)
    return small_disk


def test_a_full_disk_is_told_and_archiving_goes_on_when_there_is_room(
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
