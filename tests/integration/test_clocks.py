"""Steps of the gateway's clock and changes of summer time open no incident."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.database.tables import incident
from gateway.journal.diary import Diary
from gateway.projections.runner import Runner
from gateway.runtime.clock import Clock
from gateway.runtime.wakeup import Wakeup
from tests.integration.signing_device import T0, distance
from tests.integration.test_watch_projection import Scene

DAY_S = 86_400
EVERY_S = 600
SPRING, AUTUMN = 1774746000, 1792890000  # 2026-03-29 and 2026-10-25, 01:00 UTC, in Europe/Paris


class Day:
    """A node that sends every ten minutes to a gateway whose clock is ``ahead_s`` ahead."""

    def __init__(self, folder: Path, begin: int = T0) -> None:
        self.scene = Scene(folder)
        self.diary = Diary(self.scene.gateway.journal)
        self.at = begin
        self.ahead_s = 0.0
        self.diary.start(begin - 5.0, begin - 5.0)

    def send(self, messages: int) -> None:
        for _ in range(messages):
            message = self.scene.node.send(self.at, distance(430))
            received = message.received + self.ahead_s
            self.diary.note_step(received, message.received)  # as before each commit
            self.scene.gateway.receive(message._replace(received=received))
            self.scene.catch_up()
            self.scene.watch.idle(received + 1.0)
            self.at += EVERY_S

    def wait_silent(self, seconds: float) -> None:
        self.scene.watch.idle(self.at + self.ahead_s + seconds)

    def kinds(self) -> list[str]:
        return [row.kind for row in self.scene.rows(incident)]

    def close(self) -> None:
        self.scene.gateway.close()


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    made = Day(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("steps", [[DAY_S], [-DAY_S], [DAY_S, -DAY_S], [-DAY_S, DAY_S]])
def test_a_clock_step_of_a_day_is_not_a_silence(day: Day, steps: list[int]) -> None:
    day.send(12)
    for step in steps:
        day.ahead_s += step
        day.send(12)
    assert day.kinds() == []
    messages = [e for e in _entries(day) if e.kind == "msg"]
    assert [e.verdict for e in messages] == ["stored"] * len(messages)
    assert len(messages) == 12 * (1 + len(steps))
    assert [b'"step_s":%d.0' % step in e.body for e, step in zip(_steps(day), steps, strict=True)]


def test_a_node_that_falls_silent_after_a_step_ahead_is_noticed(day: Day) -> None:
    day.send(12)
    day.ahead_s = DAY_S
    day.send(12)
    day.wait_silent(6 * 3600.0)
    assert day.kinds() == ["silent"]


def test_without_its_leaf_a_step_would_be_a_silence(day: Day) -> None:
    """Control for the tests above."""
    day.send(12)
    day.wait_silent(DAY_S)
    assert day.kinds() == ["silent"]


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
def test_changes_of_summer_time_have_no_effect(
    tmp_path: Path, change: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "TZ", "Europe/Paris")
    time.tzset()
    try:
        day = Day(tmp_path, change - 6 * 3600)
        day.scene.watch._born = 0.0  # the messages are older than the scene
        day.send(12 * 6)
        assert day.kinds() == []
        assert len([e for e in _entries(day) if e.kind == "msg"]) == 12 * 6
        assert _steps(day) == []
        day.close()
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_runner_fires_no_timer_before_the_step_of_its_clock_is_journaled() -> None:
    fired: list[float] = []

    class Timers:
        name = "timers"

        def restore(self) -> None: ...
        def apply(self, entries: object) -> None: ...
        def idle(self, now: float) -> float | None:
            fired.append(now)
            return None

    class Stepped(Clock):
        def now(self) -> float:
            return time.monotonic() + (DAY_S if fired else 0)

    class Empty:
        def entries(self, after: int, limit: int) -> list[object]:
            return []

    runner = Runner(Timers(), Empty, None, Wakeup(), Stepped())  # pyright: ignore[reportArgumentType]
    runner._stale = False
    runner._turn()
    assert len(fired) == 1
    waits = runner._turn()  # the clock was stepped just now
    assert (len(fired), waits > 0) == (1, True)
    runner._turn()
    assert len(fired) == 2


def _entries(day: Day) -> list:
    reader = day.scene.gateway.reader()
    try:
        return list(reader.all())
    finally:
        reader.close()


def _steps(day: Day) -> list:
    return [e for e in _entries(day) if e.kind == "clock"]
