"""What the archive costs: reading it beside reading the journal, commits beside it, and a start.

CPU rather than time on the wall where one thread does the work: a busy machine does not change it.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gateway.journal.reader import JournalReader
from gateway.journal.writer import Journal
from gateway.runtime import file_lock
from tests.benchmarks import figures
from tests.integration import archived

MESSAGES = int(os.environ.get("NORIA_ARCHIVE_MESSAGES", "400000"))
READ_LIMIT = 4.0
"""Inflated and checked, an archived entry may cost so many times a live one."""
START_LIMIT = 3.0
"""A start of a journal four times as long; it hashes 65,536 to 139,264 leaves of either."""


def cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds of this process."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def read(folder: Path) -> int:
    """Every entry, as a rebuild does."""
    with closing(JournalReader(folder / "journal.db")) as reader:
        return sum(1 for _ in reader.all())


@pytest.mark.benchmark
@pytest.mark.timeout(900)
def test_an_archived_entry_is_read_at_a_few_times_the_cost_of_a_live_one(tmp_path: Path) -> None:
    folder = archived.filled(tmp_path, MESSAGES // 4)
    live = cpu_s(lambda: read(folder))
    bodies = sum(len(e.body) for e in archived.entries(folder))
    archived.archive(folder)
    size = sum(path.stat().st_size for path in archived.segments(folder))
    moved = cpu_s(lambda: read(folder))
    us = moved / MESSAGES * 4e6
    figures.put("reading an archived entry", f"{us:.1f} us", f"{moved / live:.1f} x a live one")
    figures.put("an archive's size", f"{size / bodies:.2f} of the bodies", "made-up, repetitive")
    assert moved < READ_LIMIT * live


@pytest.mark.benchmark
@pytest.mark.timeout(900)
def test_a_start_costs_the_same_however_long_the_journal_is(tmp_path: Path) -> None:
    taken: list[float] = []
    for part in (4, 1):
        folder = tmp_path / str(part)
        folder.mkdir()
        archived.filled(folder, MESSAGES // part)
        taken.append(cpu_s(lambda at=folder: Journal(at / "journal.db", "g1").close()))
    short, long = taken
    figures.put(
        f"a start, {MESSAGES // 4} and {MESSAGES} entries", f"{short:.2f} and {long:.2f} s of CPU"
    )
    assert long < START_LIMIT * short


@pytest.mark.benchmark
@pytest.mark.timeout(900)
def test_commits_go_on_beside_archiving(tmp_path: Path) -> None:
    folder = archived.filled(tmp_path, MESSAGES // 8)
    words = ("journal", "archive", "--before", "2026-07", "--config", folder / "noria.toml")
    with (
        file_lock.hold(folder / file_lock.NAME),
        closing(Journal(folder / "journal.db", "g1")) as journal,
    ):
        alone = commits_ms(journal, lambda done: done < 300)
        command = [sys.executable, "-m", "server.command", *words]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as run:
            beside = commits_ms(journal, lambda _done: run.poll() is None)
    assert run.returncode == 0
    assert archived.faults(folder) == []
    figures.put("a commit beside archiving", _spread(beside), f"alone {_spread(alone)}")


def commits_ms(journal: Journal, goes_on: Callable[[int], bool]) -> list[float]:
    """How long each commit of 20 messages takes, fifty a second."""
    taken: list[float] = []
    while goes_on(len(taken)):
        begun = time.perf_counter()
        with journal.transaction():
            for _ in range(20):
                journal.log.append("msg", archived.SEPTEMBER, "k7f3q5", b"x" * 400)
        taken.append((time.perf_counter() - begun) * 1000)
        time.sleep(0.02)
    return sorted(taken)


def _spread(taken: list[float]) -> str:
    p50, p99 = taken[len(taken) // 2], taken[int(len(taken) * 0.99)]
    return f"p50 {p50:.1f}, p99 {p99:.1f}, longest {taken[-1]:.0f} ms"
