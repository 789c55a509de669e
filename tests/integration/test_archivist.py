"""The archive while the gateway runs: at night, a little at a time, and what goes on without it."""

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
    """A clock that stands at one moment."""

    speed = 1.0

    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at


def archivist(folder: Path, at: float, pressed: bool = False) -> ArchiveSchedule:
    read = gateway_settings.read(folder / "noria.toml")
    return ArchiveSchedule(read, Hour(at), lambda: pressed)  # type: ignore[arg-type]


def turns(one: ArchiveSchedule) -> int:
    """How many steps it made until it had nothing to do."""
    made = 0
    while one.turn() < LOOK_S:
        made += 1
    one.end()
    return made


AUGUST_IS_DUE = SEPTEMBER + 90 * 86400.0  # midnight in UTC, which is not three in Paris


def test_at_night_the_gateway_archives_what_its_setting_says(folder: Path) -> None:
    assert turns(archivist(folder, AUGUST_IS_DUE + 3600.0 - 86400.0)) > 0  # a week overdue
    assert len(archived.segments(folder)) == 2
    assert turns(archivist(folder, AUGUST_IS_DUE + 12 * 3600.0)) == 0  # it is noon
    assert turns(archivist(folder, AUGUST_IS_DUE + 2.5 * 3600.0)) > 0
    assert archived.bodies(folder) == 0
    assert turns(archivist(folder, AUGUST_IS_DUE + 2.5 * 3600.0)) == 0
    assert archived.faults(folder) == []


def test_the_gateway_archives_nothing_while_it_is_pressed_or_told_not_to(folder: Path) -> None:
    night = AUGUST_IS_DUE + 2.5 * 3600.0
    assert archivist(folder, night, pressed=True).turn() < LOOK_S
    assert archived.segments(folder) == []
    with (folder / "noria.toml").open("a", encoding="utf-8") as file:
        file.write("archive_after_days = -1\n")
    with pytest.raises(NoriaError, match="archive_after_days = -1: use 0"):
        archivist(folder, night)


def test_a_night_that_is_over_ends_the_run_and_the_next_one_finishes_it(folder: Path) -> None:
    clock = Hour(AUGUST_IS_DUE + 2.5 * 3600.0)
    read = gateway_settings.read(folder / "noria.toml")
    one = ArchiveSchedule(read, clock, lambda: False)  # type: ignore[arg-type]
    one.turn()
    clock.at += 3600.0
    while one.turn() < LOOK_S:
        pass
    assert archived.bodies(folder) > 0
    clock.at += 23 * 3600.0
    turns(one)
    assert archived.bodies(folder) == 0


def test_a_running_gateway_archives_what_is_long_overdue(
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
