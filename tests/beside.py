"""Runs some folders in a second pytest beside the first: one summary, one JUnit file.

``-p tests.beside --beside=FOLDER`` (as often as needed): most tests wait for processes, so that
two of them at once cost a computer with two cores little more than one. The second pytest gets the
tests that the first has selected, in their order, and writes each report as a line of JSON.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any, Literal

import pytest

_POLL_S = 0.1


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("beside")
    group.addoption("--beside", action="append", default=[], metavar="FOLDER", help=__doc__)
    group.addoption("--reports-to", metavar="FILE", help="a line of JSON for each report")


def pytest_configure(config: pytest.Config) -> None:
    if path := config.getoption("--reports-to"):
        config.pluginmanager.register(Reporting(config, Path(path)))
    elif folders := config.getoption("--beside"):
        config.pluginmanager.register(Beside(config, [config.rootpath / f for f in folders]))


class Reporting:
    """In the second pytest: writes its reports."""

    def __init__(self, config: pytest.Config, path: Path) -> None:
        self._config = config
        self._file = path.open("a", encoding="utf-8")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        written = self._config.hook.pytest_report_to_serializable(
            config=self._config, report=report
        )
        self._file.write(json.dumps(written) + "\n")
        self._file.flush()

    def pytest_unconfigure(self) -> None:
        self._file.close()


class Beside:
    """In the first pytest: starts the second one, and takes its reports as its own."""

    def __init__(self, config: pytest.Config, folders: list[Path]) -> None:
        self._config = config
        self._folders = folders
        self._missing: dict[str, pytest.Item] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="noria-beside-")
        self._reports = Path(self._folder.name) / "reports.jsonl"
        self._log = Path(self._folder.name) / "log"
        self._reader: IO[str] | None = None
        self._begun = ""
        self._steps: list[pytest.TestReport] = []

    @pytest.hookimpl(trylast=True)  # after -m and -k
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Take the tests of those folders out, unless there are no others."""
        theirs = [i for i in items if any(i.path.is_relative_to(f) for f in self._folders)]
        if len(theirs) < len(items):
            self._missing = {item.nodeid: item for item in theirs}
            items[:] = [item for item in items if item.nodeid not in self._missing]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        if not self._missing or session.config.option.collectonly:
            return (yield)
        session.testscollected += len(self._missing)
        self._start()
        try:
            result = yield
            while self._process and self._process.poll() is None:
                self._take()
                if session.shouldfail:  # -x, --maxfail
                    raise session.Failed(session.shouldfail)
                time.sleep(_POLL_S)
            self._take()
            self._steps.clear()
            for item in list(self._missing.values()):
                self._log_report(self._never_ran(item, "call"))
                self._log_report(self._never_ran(item, "teardown"))
        finally:
            self._stop()
        return result

    def pytest_runtest_logfinish(self) -> None:
        """After each test of the first pytest: what the second one did meanwhile."""
        if self._process is not None:
            self._take()

    def _start(self) -> None:
        names = Path(self._folder.name) / "names"
        names.write_text("".join(f"{name}\n" for name in self._missing), "utf-8")
        self._reports.touch()
        self._reader = self._reports.open(encoding="utf-8")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                    "-p", "tests.beside", f"--reports-to={self._reports}",
                    f"@{names}",
                ],
                cwd=self._config.rootpath, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def _take(self) -> None:
        """Log every report that is wholly written."""
        assert self._reader is not None
        while line := self._reader.readline():
            self._begun += line
            if self._begun.endswith("\n"):
                written, self._begun = json.loads(self._begun), ""
                self._log_report(self._read(written))

    def _read(self, written: dict[str, Any]) -> pytest.TestReport:
        if isinstance(written["longrepr"], list):  # the place and reason of a skip
            written["longrepr"] = tuple(written["longrepr"])
        return self._config.hook.pytest_report_from_serializable(config=self._config, data=written)

    def _log_report(self, report: pytest.TestReport) -> None:
        """Its reports together, or their letters would stand beside another file's name."""
        self._steps.append(report)
        if report.when != "teardown":
            return
        self._missing.pop(report.nodeid, None)
        hook = self._config.hook
        hook.pytest_runtest_logstart(nodeid=report.nodeid, location=report.location)
        for step in self._steps:
            hook.pytest_runtest_logreport(report=step)
        self._steps.clear()

    def _never_ran(self, item: pytest.Item, when: Literal["call", "teardown"]) -> pytest.TestReport:
        """A failed report: the second pytest ended before this test."""
        status = self._process.returncode if self._process else None
        end = self._log.read_text("utf-8", errors="replace")[-3000:]
        why = f"the second pytest ended with status {status} before this test:\n{end}"
        if when == "teardown":
            return pytest.TestReport(item.nodeid, item.location, {}, "passed", None, when)
        return pytest.TestReport(item.nodeid, item.location, {}, "failed", why, when)

    def _stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()
        self._process = None
        if self._reader is not None:
            self._reader.close()
        self._folder.cleanup()
