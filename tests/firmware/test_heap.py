"""How much heap the node takes on 32-bit words, as the chip has, from compiled files."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from firmware.virtual.host import interpreter, process
from server.command.device import stage
from tests.firmware.board_at_work import DEVICE, KEY, board
from tests.firmware.released import PUBLIC, SOURCE, made, offer
from tests.firmware.signing_gateway import SigningGateway
from tests.parts import require
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until

HERE = Path(__file__).parent
BAR_KB = 64
WHOLE_KB = 160
"""What a cold start, a signature, a report and an update need today, the virtual chip's own modules
included, in steps of 8 KB; the bar is BAR_KB, TLS aside. It may rise only because what the node
does has grown, and the change that raises it says so.
"""

_SHIMS = """
import gc
gc.collect()
before = gc.mem_alloc()
import _hal
_hal.boot.update({"speed": 1, "origin": 0, "offset_s": 0, "pins": {}, "partitions": {}})
import machine, network, esp32, ntptime, time
gc.collect()
print(gc.mem_alloc() - before)
"""


def _lay_out(folder: Path) -> Path:
    """The device's file system as it is flashed: boot.py and main.py as text, the rest compiled."""
    stage.lay_out(folder)
    return folder


def _shims_bytes() -> int:
    """What stands in for the chip's built-in modules, which take no heap on it."""
    found = interpreter.find_32_bit()
    assert found is not None
    command = found.command(["-c", _SHIMS], heap="256K", micropypath=[str(process.SHIMS)])
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.timeout(180)
def test_the_whole_node_runs_and_is_updated_in_a_bounded_heap(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    require("micropython-i386")
    plan = {
        "firmware": str(_lay_out(tmp_path / "flashed")),
        "board_file": str(SOURCE / "board/firebeetle.py"),
        "heap": f"{WHOLE_KB}K",
    }
    with (
        SigningGateway(mosquitto.port, DEVICE, KEY) as gateway,
        board(
            tmp_path / "board", mosquitto.port, interpreter="micropython-i386", plan=plan,
            release_key=PUBLIC,
        ) as work,
    ):  # fmt: skip
        gateway.clock = work.fleet.clock.now
        gateway.until(lambda: len(gateway.messages) >= 1)
        offer(gateway, 1795212000, made(3))
        gateway.until(lambda: any(e["k"] == "conf" and e["ok"] for e in gateway.events), 60)
        assert "MemoryError" not in work.console
        slept = work.count("sleep")
        until(lambda: work.count("sleep") > slept, 20, "it goes on")
    assert gateway.messages[0]["sg"] == 1
    shims = _shims_bytes()
    print(
        f"whole node with an update, 32-bit words: runs in {WHOLE_KB} KB of heap, of which the "
        f"virtual chip's modules hold {shims / 1024:.0f} KB: {WHOLE_KB - shims / 1024:.0f} KB, "
        f"and {BAR_KB} KB are the bar"
    )


@pytest.mark.parametrize("words", ["micropython", "micropython-i386"])
def test_signing_and_verifying_run_in_64_kb(tmp_path: Path, words: str) -> None:
    require(words)
    found = interpreter.find() if words == "micropython" else interpreter.find_32_bit()
    assert found is not None
    flashed = _lay_out(tmp_path / "flashed")
    line = json.dumps({"seed": bytes(32).hex(), "parts": [(b"x" * 2048).hex()]})
    begun = time.monotonic()
    ran = subprocess.run(
        found.command(
            [str(HERE / "on_device" / "sign_call.py")], heap="64K", micropypath=[str(flashed)]
        ),
        input=line + "\n", capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    print(f"{words}: key, signature and verification of 2 KB in {time.monotonic() - begun:.2f} s")
