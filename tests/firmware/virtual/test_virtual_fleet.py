"""A fleet as a process: the real firmware, a real broker, stories by JSON lines, a clean end."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.virtual.host.scaled import ScaledClock
from tests.firmware.virtual.acker import Acker
from tests.parts import require
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until

RUN = (sys.executable, "-m", "firmware.virtual.host.run")
SPEED = 600.0
KEYS = {
    f"node{letter}{letter}": (bytes([number]) * 32).hex() for number, letter in enumerate("abcd")
}
IBC, SCALE, SOUTH, _ = KEYS


class FleetProcess:
    """``python -m firmware.virtual.host.run`` under a test's hands."""

    def __init__(self, plan: dict[str, Any], folder: Path) -> None:
        path = folder / "fleet.json"
        path.write_text(json.dumps(plan))
        self.folder = folder / "fleet"
        self.process = subprocess.Popen(
            [*RUN, "--fleet", path, "--data", self.folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.events: list[dict[str, Any]] = []
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def do(self, **command: object) -> dict[str, Any]:
        """Gives a command and returns its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()
        return self._answers.get(timeout=60)

    def seen(self, name: str, device: str | None = None) -> list[dict[str, Any]]:
        """Events by name so far."""
        return [
            event
            for event in list(self.events)
            if event["event"] == name and device in (None, event.get("device"))
        ]

    def end(self) -> int:
        """Closes its input; the exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        code = self.process.wait(60)
        self._reader.join(5)
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event = json.loads(line)
            self.events.append(event)
            if event["event"] in ("done", "error"):
                self._answers.put(event)


def plan(port: int, interpreter: str, devices: int = len(KEYS)) -> dict[str, Any]:
    """Boards behind two uplinks, one of them a station on a scale, with the real firmware."""
    boards: list[dict[str, Any]] = []
    for device, key in list(KEYS.items())[:devices]:
        scale = device == SCALE
        config: dict[str, Any] = {
            "wifi": [{"ssid": "site", "password": "a secret"}],
            "broker": {"host": "127.0.0.1", "port": port},
            "sensor": "hx711" if scale else "a02yyuw",
        }
        model = {
            "kind": "station" if scale else "ibc",
            "uplink": "south" if device == SOUTH else "n",
        }
        boards.append({"device": device, "key": key, "config": config, "model": model})
    return {"speed": SPEED, "origin": time.time(), "interpreter": interpreter, "boards": boards}


@pytest.fixture(params=["micropython", "cpython"])
def fleet(
    request: pytest.FixtureRequest, tmp_path: Path, mosquitto: Mosquitto
) -> Iterator[tuple[FleetProcess, Acker]]:
    """Four boards talking to a broker that a small gateway listens on."""
    if request.param == "micropython":
        require("micropython")
    given = plan(mosquitto.port, request.param)
    clock = ScaledClock(SPEED, given["origin"])
    with Acker(mosquitto.port, KEYS, clock.now) as acker:
        process = FleetProcess(given, tmp_path)
        yield process, acker
        process.process.kill()
        process.process.wait()


def boards_running(folder: Path) -> list[str]:
    """Processes whose working folder is in ``folder``: interpreters of this fleet's boards."""
    found: list[str] = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append(process.name)
        except OSError:
            continue  # it ended, or it is not ours
    return found


def test_the_real_firmware_reports_and_its_line_is_acknowledged(
    fleet: tuple[FleetProcess, Acker],
) -> None:
    process, acker = fleet
    acker.until_received(KEYS, 6, 40)
    assert process.end() == 0
    for device in KEYS:
        line = acker.lines[device]
        assert (line.bad_mac, line.forks, len(line.tip)) == (0, 0, 1)
        (_, seq, _) = next(iter(line.tip.values()))
        assert seq >= 6
        assert all(1 <= reading["of"] <= 9 for reading in acker.readings(device))
    grams = [reading["g"] for reading in acker.readings(SCALE)]
    assert all(value is not None and 60_000 < value < 200_000 for value in grams)
    distances = [reading["mm"] for reading in acker.readings(IBC)]
    assert all(400 < value < 900 for value in distances)
    assert process.seen("crash") + process.seen("stuck") + process.seen("watchdog") == []


def test_json_lines_control_the_boards(fleet: tuple[FleetProcess, Acker]) -> None:
    process, acker = fleet
    acker.until_received(KEYS, 2, 40)
    # A seizure: motion and tilt are reported, then the board is dark.
    assert process.do(do="seize", device=IBC, after_s=400)["event"] == "done"
    until(lambda: {"motion", "tilt"} <= set(acker.events(IBC)), 20, "motion and tilt")
    until(lambda: process.seen("dark", IBC) != [], 20, "silence")
    # A site loses its network: no message arrives, and later all do.
    process.do(do="network_out", uplink="south")
    before = len(acker.received(SOUTH))
    sleeps = len(process.seen("sleep", SOUTH))
    until(lambda: len(process.seen("sleep", SOUTH)) >= sleeps + 3, 20, "three lonely wakes")
    assert len(acker.received(SOUTH)) <= before + 1
    process.do(do="network_back", uplink="south")
    acker.until_received([SOUTH], before + 2, 40)
    assert len(acker.readings(SOUTH)) >= len(acker.received(SOUTH)) + 2
    state = {board["device"]: board for board in process.do(do="state")["value"]}
    assert state[IBC]["state"] == "off"
    assert state[SOUTH]["wakes"] > 4
    assert process.end() == 0


def test_a_wrong_command_is_answered_and_harms_nothing(tmp_path: Path) -> None:
    process = FleetProcess({**plan(1, "cpython", 1), "boards": []}, tmp_path)
    assert "'dance'" in process.do(do="dance")["message"]
    assert "'nobody'" in process.do(do="seize", device="nobody")["message"]
    assert "uplink 'x'" in process.do(do="network_out", uplink="x")["message"]
    assert process.do(do="state")["value"] == []
    assert process.end() == 0


@pytest.mark.parametrize("way", ["end of input", "SIGTERM", "SIGINT", "stop"])
def test_nothing_runs_on_after_the_end(way: str, tmp_path: Path) -> None:
    # Nobody listens on port 1: every board stays awake, trying, while the end comes.
    process = FleetProcess(plan(1, "cpython"), tmp_path)
    until(lambda: len(process.seen("wake")) == len(KEYS), 20, "every board's first wake")
    assert process.process.stdin is not None
    if way == "stop":
        process.process.stdin.write(b'{"do": "stop"}\n')
        process.process.stdin.flush()
    elif way != "end of input":
        os.kill(process.process.pid, getattr(signal, way))
    if way == "end of input":
        assert process.end() == 0
    else:
        assert process.process.wait(60) == 0
    assert boards_running(process.folder) == []


def test_boards_of_a_killed_host_end_by_themselves(tmp_path: Path) -> None:
    process = FleetProcess(plan(1, "cpython"), tmp_path)
    until(lambda: len(process.seen("wake")) == len(KEYS), 20, "every board's first wake")
    process.process.kill()
    process.process.wait()
    until(lambda: boards_running(process.folder) == [], 20, "the boards' end")


def test_an_impossible_fleet_is_refused_with_its_reason(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    path.write_text(
        '{"interpreter": "cpython", "boards": [{"device": "nodeaa", "model": {"colour": "blue"}}]}'
    )
    ran = subprocess.run(
        [*RUN, "--fleet", path],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 2
    assert "colour" in ran.stderr
    assert "Traceback" not in ran.stderr
