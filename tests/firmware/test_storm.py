"""Exceptions of any class in calls of radio, bus and flash: the node always reports again.

``make test`` runs 24 storms; NORIA_STORMS sets another number, from 1,000 on with other
seeds. The firmware is as on the chip, from ``boot.py`` on; a storm is in the calls of the modelled
chip's modules and of the real socket (virtual/shims/_storm.py).
"""

import asyncio
import os
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from firmware.virtual.host.board import Board, Event
from firmware.virtual.host.fleet import Fleet
from tests.firmware.virtual.acker import Acker
from tests.parts import require
from tests.parts.mosquitto_service import Mosquitto

STORMS = int(os.environ.get("NORIA_STORMS", "24"))
AT_ONCE = 24
SPEED = 2400.0
INTERVAL_S = 600
LONGEST_S = 6 * 3600
"""The longest back-off: a radio's is 4 h, that of failed starts 6 h (slots.py)."""
LATE_S = LONGEST_S + 1800
"""Of sleep between the end of a storm and the next message: the back-off, and a reading's pace.
What a busy machine takes for a wake does not count."""
KEY = bytes(range(32)).hex()
LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
STRUCK = re.compile(r"^storm: (radio|bus|flash) (\S+) (\w+)$", re.MULTILINE)
COUNTED = {
    "radio": ("hostname", "wifi_connect", "wifi_status", "socket_new"),
    "bus": ("uart_open", "uart", "adc_uv"),
}
"""Calls of which every exception is counted; the rest has an answer of its own (no signal)."""
AN_ANSWER = {"radio": ("OSError", "ValueError"), "bus": ()}
"""Classes that are the network's or a certificate's answer, and no fault."""


@dataclass
class Run:
    """One board: its storm, when that ended, and what came of it."""

    device: str
    storm: dict[str, Any]
    wakes: int
    ended: bool = False
    events: int = 0
    """Events of all boards before its storm ended."""
    spoke: bool = False
    count: int = 0
    """Wakes or messages at the last change."""
    over: bool = False
    started: int = 0
    """Wakes in all."""


def _runs(first: int, count: int) -> list[Run]:
    made = list[Run]()
    for number in range(first, first + count):
        draw = random.Random(number)
        parts = draw.choice([["radio"], ["bus"], ["flash"], ["radio", "bus", "flash"]])
        storm = {"seed": number, "parts": parts, "share": draw.choice([0.01, 0.05, 0.2, 1.0])}
        name = "".join(LETTERS[number >> shift & 31] for shift in (10, 5, 0))
        made.append(Run("storm" + name, storm, draw.randint(3, 9)))
    return made


def _plan(runs: list[Run], port: int) -> dict[str, Any]:
    config = {
        "wifi": [{"ssid": "site", "password": "a password"}],
        "broker": {"host": "127.0.0.1", "port": port},
        "interval_s": INTERVAL_S,
        "report_s": 900,
        "temp_zero": 20,
        "lid": "reed",
    }
    boards = [
        {"device": run.device, "key": KEY, "config": config, "model": {"spike_share": 0.0}}
        for run in runs
    ]
    return {"speed": SPEED, "interpreter": "micropython", "compiled": True, "boards": boards}


async def _weather(runs: list[Run], port: int, folder: Path) -> tuple[list[Event], Acker]:
    """Each board begins in calm, has its storm, and then has calm until it reports."""
    events = list[Event]()
    fleet = Fleet(_plan(runs, port), folder, events.append)
    acker = Acker(port, {run.device: KEY for run in runs}, fleet.clock.now)
    with acker:
        async with fleet:
            deadline = asyncio.get_running_loop().time() + 300
            while not all(run.over for run in runs):
                assert asyncio.get_running_loop().time() < deadline, _mute(runs, fleet, folder)
                for run in runs:
                    slept = sum(e["s"] for e in events[run.events :]
                                if e["event"] == "sleep" and e["device"] == run.device)  # fmt: skip
                    _step(run, fleet.boards[run.device], acker, slept)
                    if run.ended and not run.events:
                        run.events = len(events)
                await asyncio.sleep(0.02)
    return events, acker


def _step(run: Run, board: Board, acker: Acker, slept_s: float) -> None:
    sent = len(acker.received(run.device))
    if not run.ended and board.storm is None:
        if sent:
            board.storm, run.count = run.storm, board.wakes
    elif not run.ended:
        if board.wakes >= run.count + run.wakes:
            board.storm, run.ended, run.count = None, True, sent
    elif not run.spoke:
        assert not run.events or slept_s < LATE_S, f"{run}: slept for {slept_s:.0f} s, mute"
        if sent > run.count:
            run.spoke, run.count = True, board.wakes
    else:
        run.over = board.wakes >= run.count + 3  # its backlog is there, too
        run.started = board.wakes


def _mute(runs: list[Run], fleet: Fleet, folder: Path) -> str:
    late = next(run for run in runs if not run.over)
    console = (folder / late.device / "console.log").read_text("utf-8")
    return f"{late} {fleet.boards[late.device].state}\n{console[-3000:]}"


@pytest.mark.timeout(60 + 3 * STORMS)
def test_whatever_radio_bus_and_flash_raise_the_node_reports_again_and_counts_them(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    require("micropython")
    begin = 0 if STORMS < 1000 else 1000
    done = 0
    struck: dict[str, int] = {"radio": 0, "bus": 0, "flash": 0}
    while done < STORMS:
        runs = _runs(begin + done, min(AT_ONCE, STORMS - done))
        folder = tmp_path / str(done)
        events, acker = asyncio.run(_weather(runs, mosquitto.port, folder))
        assert not [event for event in events if event["event"] in ("stuck", "crash", "watchdog")]
        assert all(event["s"] <= LONGEST_S for event in events if event["event"] == "sleep")
        for run in runs:
            _judge(run, acker, (folder / run.device / "console.log").read_text("utf-8"), struck)
        done += len(runs)
    print(f"{STORMS} storms raised {struck}; every node reported within its back-off")
    assert all(count > STORMS // 4 for count in struck.values())


def _judge(run: Run, acker: Acker, console: str, struck: dict[str, int]) -> None:
    line = acker.lines[run.device]
    assert line.forks == line.bad_mac == 0, run
    raised: list[tuple[str, str, str]] = STRUCK.findall(console)
    for part, _, _ in raised:
        struck[part] += 1
    events = [e for message in acker.received(run.device) for e in message.get("e", [])]
    told = {event["s"]: event for event in events if event["k"] == "fault" and "n" in event}
    for part, calls in COUNTED.items():
        if run.storm["parts"] != [part]:
            continue
        _readings_went_on(run, acker)
        if any(p == part and call in calls and name not in AN_ANSWER[part]
               for p, call, name in raised):  # fmt: skip
            names = {name[:12] for _, _, name in raised}
            if "StopIteratio" in names:
                names.add("RuntimeError")  # what a generator makes of it
            assert told[part]["n"] >= 1 and told[part]["c"] in names, (run, told)


def _readings_went_on(run: Run, acker: Acker) -> None:
    """No wake of a storm without its reading, even if that is null; the last may wait."""
    readings = len(acker.readings(run.device))
    assert readings >= run.started - 2, f"{run}: {readings} readings of {run.started} wakes"
