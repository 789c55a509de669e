"""How many deep-sleep wakes two cores carry."""

import asyncio
import os
from pathlib import Path

import pytest

from firmware.virtual.host.board import Event
from firmware.virtual.host.fleet import Fleet
from tests.firmware.virtual.bench import PINS
from tests.parts import require

WAKES = 400
CORES = 2


@pytest.mark.benchmark
def test_two_cores_carry_60_deep_sleep_wakes_a_second(tmp_path: Path) -> None:
    require("micropython")
    firmware = tmp_path / "firmware"
    firmware.mkdir()
    (firmware / "boot.py").write_text("")
    (firmware / "main.py").write_text(
        "import machine\nmachine.RTC().memory(b'kept')\nmachine.deepsleep(60000)\n"
    )
    before = os.times()
    asyncio.run(_play(firmware, tmp_path))
    after = os.times()
    # Counted in processor time: other work on the machine does not slow the figure.
    spent_s = sum(after[:4]) - sum(before[:4])
    rate = WAKES / spent_s * CORES
    print(f"{rate:.0f} wakes/s on {CORES} cores")
    assert rate >= 60


async def _play(firmware: Path, folder: Path) -> None:
    count, enough = 0, asyncio.Event()

    def on_event(event: Event) -> None:
        nonlocal count
        count += event["event"] == "sleep"
        if count >= WAKES:
            enough.set()

    boards = [{"device": f"node{letter}{letter}"} for letter in "abcdefgh"]
    plan = {"speed": 3000, "interpreter": "micropython", "firmware": str(firmware)}
    async with Fleet(
        {**plan, "board_file": str(PINS), "boards": boards}, folder / "boards", on_event
    ):
        await asyncio.wait_for(enough.wait(), 60)
