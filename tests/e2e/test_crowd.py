"""A demo of many nodes of mixed kinds on real MicroPython: nobody starves, the pages answer.

``NORIA_CROWD=200 NORIA_CROWD_S=120`` is the size that is promised; figures are printed.
"""

import json
import os
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.monitoring import status
from server.demo import run
from tests.parts import require

NODES = int(os.environ.get("NORIA_CROWD", "24"))
SECONDS = float(os.environ.get("NORIA_CROWD_S", "15"))
SPEED = 120.0


@pytest.mark.timeout(SECONDS + 180)
def test_messages_of_a_crowd_are_processed_and_the_pages_stay_usable(
    capsys: pytest.CaptureFixture[str],
) -> None:
    require("mosquitto")
    require("micropython")
    words: list[str] = []
    with run.running(
        speed=SPEED, interpreter="micropython", count=NODES, report=words.append
    ) as demo:
        folder = demo.settings.source.parent
        roots = [child.pid for child in demo.children]
        before, start = _spent_s(roots), time.monotonic()
        answers = _browsed(demo, start + SECONDS)
        used = (_spent_s(roots) - before) / (time.monotonic() - start)
        events = _events(folder / "fleet.log")
        projections = status.read_status(demo.settings)["projections"]
        lag = {name: projection["lag"] for name, projection in projections.items()}
    sleeps = Counter(event["device"] for event in events if event["event"] == "sleep")
    with capsys.disabled():
        print(
            f"\ncrowd: {NODES} nodes at {demo.settings.clock_speed:g} times, {SECONDS:g} s: "
            f"{sum(sleeps.values()) / SECONDS:.1f} wakes/s, {used:.2f} cores, "
            f"wakes a node {min(sleeps.values())} to {max(sleeps.values())}, lag {lag}, "
            f"page {statistics.median(answers) * 1000:.0f} ms, "
            f"slowest {max(answers) * 1000:.0f} ms"
        )
    assert len(sleeps) == NODES, "a node never ended its first wake"
    assert min(sleeps.values()) * 2 >= statistics.median(sleeps.values()), "a node starves"
    assert max(lag.values()) <= NODES
    for bad in ("crash", "stuck", "watchdog"):
        assert [event for event in events if event["event"] == bad] == []
    # Everybody keeps its promise: no network is called out, but for the story's own.
    assert not any("Network out" in word for word in words), words


def _site(demo: run.Demo) -> str:
    return f"http://{demo.settings.server_listen}"


def _browsed(demo: run.Demo, until: float) -> list[float]:
    """Seconds that the overview took, asked once a second by somebody signed in."""
    took: list[float] = []
    with httpx.Client(follow_redirects=True, timeout=30) as client:
        client.get(demo.link).raise_for_status()
        while (start := time.monotonic()) < until:
            assert demo.ended_early() is None
            client.get(f"{_site(demo)}/").raise_for_status()
            took.append(time.monotonic() - start)
            time.sleep(max(0.0, 1.0 - took[-1]))
    return took


def _events(log: Path) -> list[dict[str, Any]]:
    lines = log.read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def _spent_s(roots: list[int]) -> float:
    """Processor seconds of process trees, of those that ended in them too (proc(5), *stat*)."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it ended in between
        process = int(path.parent.name)
        parents[process] = int(fields[1])
        ticks[process] = sum(int(field) for field in fields[11:15])
    inside = set(roots)
    while more := {p for p, parent in parents.items() if parent in inside} - inside:
        inside |= more
    return sum(ticks.get(process, 0) for process in inside) / os.sysconf("SC_CLK_TCK")
