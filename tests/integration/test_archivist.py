"""Archiving while the gateway runs: at night, in small steps."""

from pathlib import Path

import pytest

from gateway import settings as gateway_settings
from gateway.errors import NoriaError
from gateway.journal.archive.schedule import LOOK_S, ArchiveSchedule
from tests.integration import archived
from tests.integration.archived import SEPTEMBER, noria
from tests.integration.running_gateway import RunningGateway
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archived.made(tmp_path_factory.mktemp("journal"))


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    return archived.copied(template, tmp_path / "data")


class Hour:
    """A clock that does not move."""

    speed = 1.0

    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at


def schedule_at(folder: Path, at: float, busy: bool = False) -> ArchiveSchedule:
    read = gateway_settings.read(folder / "noria.toml")
    return ArchiveSchedule(read, Hour(at), lambda: busy)  # type: ignore[arg-type]


def turns(schedule: ArchiveSchedule) -> int:
    """The number of steps until there is nothing to do."""
    made = 0
    while schedule.turn() < LOOK_S:
        made += 1
    schedule.end()
    return made


AUGUST_IS_DUE = SEPTEMBER + 90 * 86400.0  # midnight in UTC, which is not three in Paris


def test_at_night_the_gateway_archives_the_months_older_than_its_setting(folder: Path) -> None:
    assert turns(schedule_at(folder, AUGUST_IS_DUE + 3600.0 - 86400.0)) > 0  # a week overdue
    assert len(archived.segments(folder)) == 2
    assert turns(schedule_at(folder, AUGUST_IS_DUE + 12 * 3600.0)) == 0  # it is noon
    assert turns(schedule_at(folder, AUGUST_IS_DUE + 2.5 * 3600.0)) > 0
    assert archived.bodies(folder) == 0
    assert turns(schedule_at(folder, AUGUST_IS_DUE + 2.5 * 3600.0)) == 0
    assert archived.faults(folder) == []


def test_the_gateway_archives_nothing_while_ingest_is_busy(folder: Path) -> None:
    night = AUGUST_IS_DUE + 2.5 * 3600.0
    assert schedule_at(folder, night, busy=True).turn() < LOOK_S
    assert archived.segments(folder) == []
    with (folder / "noria.toml").open("a", encoding="utf-8") as file:
        file.write("archive_after_days = -1\n")
    with pytest.raises(NoriaError, match="archive_after_days = -1: use 0"):
        schedule_at(folder, night)


def test_a_run_stops_at_the_end_of_the_night_and_the_next_one_finishes_it(folder: Path) -> None:
    clock = Hour(AUGUST_IS_DUE + 2.5 * 3600.0)
    read = gateway_settings.read(folder / "noria.toml")
    schedule = ArchiveSchedule(read, clock, lambda: False)  # type: ignore[arg-type]
    schedule.turn()
    clock.at += 3600.0
    while schedule.turn() < LOOK_S:
        pass
    assert archived.bodies(folder) > 0
    clock.at += 23 * 3600.0
    turns(schedule)
    assert archived.bodies(folder) == 0


def test_a_running_gateway_archives_months_that_are_long_overdue(
    folder: Path, mosquitto: Mosquitto
) -> None:
    before = noria(folder, "journal", "export").stdout
    (folder / "noria.toml").unlink()
    gateway = RunningGateway(
        folder, f'data = "."\nbroker = "{mosquitto.url}"\narchive_after_days = 1\n'
    )
    gateway.start()
    try:
        until(lambda: len(archived.segments(folder)) == 3, 30, "June, July and August archived")
        until(lambda: archived.bodies(folder) == 0, 30, "their messages out of the journal")
        assert gateway.noria("journal", "export").startswith(before)
        assert gateway.noria("journal", "verify").startswith("All is as it was written")
    finally:
        gateway.stop()
