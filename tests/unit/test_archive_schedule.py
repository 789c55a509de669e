"""When the running gateway archives."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import settings
from gateway.errors import ArchiveError
from gateway.journal.archive.schedule import LOOK_S, ArchiveSchedule, running
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from tests.parts.services import until
from tests.unit.archiving import FEBRUARY, JANUARY, left, names, utc, written
from tests.unit.journaled import change


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


DAY_S = 86_400.0
NIGHT = utc(2026, 4, 2) + 1.5 * 3600  # 03:30 in Paris


class Hour(Clock):
    """A clock that a test moves."""

    at = NIGHT

    def now(self) -> float:
        return self.at


class Night:
    """A schedule on a journal whose January is a month of 600 entries."""

    def __init__(self, path: Path, days: int = 59) -> None:
        written(path, *[JANUARY] * 600)
        self.clock, self.busy, self.path = Hour(), False, path
        (path.parent / "noria.toml").write_text(f'data = "."\narchive_after_days = {days}\n')
        read = settings.read(path.parent / "noria.toml")
        self.settings = read
        self.schedule = ArchiveSchedule(read, self.clock, lambda: self.busy)

    def set(self, moment: float) -> None:
        object.__setattr__(self.clock, "at", moment)

    def turns(self, moment: float) -> list[float]:
        """The rests until there is nothing to do."""
        self.set(moment)
        rests = [self.schedule.turn()]
        while rests[-1] < LOOK_S:
            rests.append(self.schedule.turn())
        return rests


@pytest.fixture
def night(path: Path) -> Iterator[Night]:
    made = Night(path)
    yield made
    made.schedule.end()


def test_at_night_a_month_older_than_the_setting_is_archived(night: Night) -> None:
    rests = night.turns(NIGHT)
    assert LOOK_S == 60.0
    assert len(rests) == 6  # written, read back, deleted in three transactions; then nothing
    assert all(0.05 <= rest < 30.0 for rest in rests[:-1])
    assert rests[-1] == 60.0
    assert left(night.path) == []


@pytest.mark.parametrize(
    ("moment", "moved"),
    [
        (NIGHT - 1801.0, False),  # 02:59:59 in Paris
        (NIGHT - 1800.0, True),
        (NIGHT + 1799.0, True),
        (NIGHT + 1800.0, False),  # 04:00
        (FEBRUARY + 66 * DAY_S - 1.0, False),  # by day, a week later
        (FEBRUARY + 66 * DAY_S, True),
    ],
)
def test_a_month_is_archived_in_one_hour_of_the_night_or_a_week_later_by_day(
    night: Night, moment: float, moved: bool
) -> None:
    assert (len(night.turns(moment)) > 1) is moved
    assert (left(night.path) == []) is moved


def test_the_age_is_counted_from_the_end_of_the_month(path: Path) -> None:
    night = Night(path, days=61)  # 60 days and some hours have passed
    assert night.turns(NIGHT) == [LOOK_S]
    night.schedule.end()


def test_nothing_is_archived_while_ingest_is_busy(night: Night) -> None:
    night.busy = True
    assert night.schedule.turn() == 1.0
    assert names(night.path) == []
    night.busy = False
    assert night.schedule.turn() < LOOK_S


def test_a_run_of_the_night_ends_with_its_hour_and_one_of_the_day_does_not(
    night: Night,
) -> None:
    written(night.path, *[FEBRUARY] * 3)
    night.schedule.turn()
    assert night.turns(NIGHT + 3600.0)[-1] == LOOK_S
    assert len(left(night.path)) == 603
    night.set(NIGHT + 60 * DAY_S + 12 * 3600)
    night.schedule.turn()
    night.turns(NIGHT + 60 * DAY_S + 18 * 3600)
    assert left(night.path) == []


def test_a_run_that_is_ended_or_fails_begins_again(night: Night) -> None:
    night.schedule.turn()
    night.schedule.end()
    night.schedule.end()
    change(night.path, "ALTER TABLE era RENAME TO moved")
    with pytest.raises(ArchiveError, match="no such table"):
        night.turns(NIGHT)
    change(night.path, "ALTER TABLE moved RENAME TO era")
    night.turns(NIGHT)
    assert left(night.path) == []


def test_while_it_runs_a_thread_archives_unless_ingest_is_busy(path: Path) -> None:
    night, wake = Night(path), Wakeup()
    wake.set_busy(True)
    with running(night.settings, night.clock, wake):
        assert [t.name for t in threading.enumerate()].count("archive") == 1
        time.sleep(0.1)
        assert len(left(path)) == 600
    wake.set_busy(False)
    with running(night.settings, night.clock, wake):
        until(lambda: left(path) == [], 30, "archived")
    assert "archive" not in [t.name for t in threading.enumerate()]
    assert not [name for name in open_files() if name.startswith(str(path))]


def test_nothing_runs_where_the_archive_is_turned_off(path: Path) -> None:
    night = Night(path, days=0)
    with running(night.settings, night.clock, Wakeup()):
        assert "archive" not in [t.name for t in threading.enumerate()]


def open_files() -> list[str]:
    return [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]


def test_a_run_reports_what_it_moved(night: Night, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    night.turns(NIGHT)
    assert [one.getMessage() for one in caplog.records] == [
        "archived 600 entries: 0.0 MB of messages in 0.0 MB"
    ]
