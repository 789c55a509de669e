"""Fixtures for real services, and the rule that CI skips nothing."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.parts import database, everything_required
from tests.parts.influxdb_service import InfluxDB
from tests.parts.influxdb_service import influxdb as running_influxdb
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.mosquitto_service import mosquitto as running_mosquitto
from tests.parts.postgresql_service import PostgreSQL
from tests.parts.postgresql_service import postgresql as running_postgresql


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under NORIA_REQUIRE=all a skipped test is a failed one: CI proves everything or says no."""
    report = yield
    if report.skipped and everything_required():
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"NORIA_REQUIRE=all allows no skip. {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that skips itself while it is collected."""
    report = yield
    if report.skipped and everything_required():
        report.outcome = "failed"
        report.longrepr = f"NORIA_REQUIRE=all allows no skip. {report.longrepr}"
    return report


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Gateways note their logs' lengths in a folder of the run, not in the developer's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A real Mosquitto of the test's own: anonymous, persistent, on a free port."""
    with running_mosquitto(tmp_path / "mosquitto") as broker:
        yield broker


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A real PostgreSQL, shared by the whole run; ``fresh`` makes an empty database."""
    with running_postgresql() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def each_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """The test runs on each database: ``tests.parts.database`` opens the one in turn."""
    cluster = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    with database.on(cluster):
        yield


@pytest.fixture(scope="session", params=["1.8", "2.9"])
def influxdb_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InfluxDB]:
    """A real InfluxDB, once of each line, shared by the whole run."""
    with running_influxdb(request.param, tmp_path_factory.mktemp("influxdb")) as server:
        yield server


@pytest.fixture
def influxdb(influxdb_server: InfluxDB) -> InfluxDB:
    """An empty database or bucket on a real InfluxDB; a test runs once on each line."""
    return influxdb_server.fresh()
