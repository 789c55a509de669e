"""Fixtures for real services, the rule that CI skips nothing, and how properties are searched."""

import gc
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.parts import database, everything_required
from tests.parts.influxdb_service import InfluxDB
from tests.parts.influxdb_service import influxdb as running_influxdb
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.mosquitto_service import mosquitto as running_mosquitto
from tests.parts.postgresql_service import PostgreSQL
from tests.parts.postgresql_service import postgresql as running_postgresql
from tests.properties import EXAMPLES

# Time depends on what else the machine does: neither a slow example nor slow generation is a
# fault. CI draws the same examples for the same commit, so that it never fails by chance; every
# other run draws new ones, and an example that failed is kept in its test with @example.
settings.register_profile(
    "noria",
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=everything_required(),
    print_blob=True,
)
settings.load_profile("noria")


def pytest_sessionstart() -> None:
    """Collect no garbage while modules are imported: nearly all of their objects stay."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Collect it from now on, but do not walk the modules and tests each time."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one under NORIA_REQUIRE=all."""
    report = yield
    if report.skipped and everything_required():
        report.outcome = "failed"
        report.longrepr = f"NORIA_REQUIRE=all allows no skip. {_skip_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that skips itself during collection."""
    report = yield
    if report.skipped and everything_required():
        report.outcome = "failed"
        report.longrepr = f"NORIA_REQUIRE=all allows no skip. {_skip_reason(report)}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line for each reason to skip, with the number of tests. -ra prints one a test."""
    reasons = Counter(map(_skip_reason, terminalreporter.getreports("skipped")))
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"SKIPPED [{count}] {reason}")


def _skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")


@pytest.fixture(scope="session", autouse=True)
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Gateways write the length of their logs below a temporary folder, not the developer's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A real Mosquitto for one test: anonymous, persistent, on a free port."""
    with running_mosquitto(tmp_path / "mosquitto") as broker:
        yield broker


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A real PostgreSQL, shared by the whole run; ``fresh`` makes an empty database."""
    with running_postgresql() as cluster:
        yield cluster


@pytest.fixture(params=["sqlite", "postgresql"])
def each_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run the test on SQLite and on PostgreSQL; ``tests.parts.database`` opens the current one."""
    cluster = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    with database.on(cluster):
        yield


@pytest.fixture(scope="session", params=["1.8", "2.9"])
def influxdb_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InfluxDB]:
    """A real InfluxDB 1.8 and a real 2.9, shared by the whole run."""
    with running_influxdb(request.param, tmp_path_factory.mktemp("influxdb")) as server:
        yield server


@pytest.fixture
def influxdb(influxdb_server: InfluxDB) -> InfluxDB:
    """An empty database or bucket on a real InfluxDB; a test runs once on 1.8 and once on 2.9."""
    return influxdb_server.fresh()
