"""How much heap the node takes, its build run in place; on 32-bit words, as the chip has."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from firmware.virtual.host import interpreter
from server.command.device import stage
from tests.firmware.board_at_work import DEVICE, KEY, Work, board
from tests.firmware.released import PUBLIC, made, offer
from tests.firmware.signing_gateway import SigningGateway
from tests.parts import require
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until

HERE = Path(__file__).parent
WHOLE_KB = {"micropython-i386": 68, "micropython": 120}
"""What a cold start, a signature, a report of a full message and an update need, TLS aside, the
virtual chip's own modules included. 68 KB of 32-bit words are the limit; words of 64 bits are for
comparison. Raise them only for a new feature, and name it in the commit.

Names count as well: MicroPython keeps every name it has loaded in tables, each twice the size of
the one before. Up to 1,260 names fit; one more takes 9 KB in one piece, and the update fails. The
whole run has 1,249, those of the virtual chip included.
"""
AMPLE_KB = 512

_SHIMS = """
import gc, sys
gc.collect()
before = gc.mem_alloc()
import _rom
_hal = __import__("_hal")
_hal.boot.update({"speed": 1, "origin": 0, "offset_s": 0, "pins": {}, "partitions": {}})
import machine, network, esp32, ntptime, time, _vfs
gc.collect()
print(gc.mem_alloc() - before)
"""


def _live_bytes(work: Work) -> int:
    return work.fleet.boards[DEVICE].heap_live


def _updated(folder: Path, port: int, words: str, plan: dict[str, Any]) -> Work:
    """A cold start, a signed first message and an update, under ``plan``."""
    with (
        SigningGateway(port, DEVICE, KEY) as gateway,
        board(
            folder, port, interpreter=words, compiled=True, plan=plan, release_key=PUBLIC
        ) as work,
    ):  # fmt: skip
        gateway.clock = work.fleet.clock.now
        gateway.until(lambda: len(gateway.messages) >= 1)
        offer(gateway, 1795212000, made(3))
        gateway.until(lambda: any(e["k"] == "conf" and e["ok"] for e in gateway.events), 60)
        slept = work.count("sleep")
        until(lambda: work.count("sleep") > slept, 20, "it goes on")
        assert "MemoryError" not in work.console and "no room" not in work.console
    assert gateway.messages[0]["sg"] == 1
    held = bytes.fromhex(json.loads((folder / DEVICE / "nvs-noria.json").read_text())["slots"])
    assert held[0] == 1  # slot a of the ROM, and no longer the cable's
    return work


@pytest.mark.timeout(180)
@pytest.mark.parametrize("words", WHOLE_KB)
def test_the_whole_node_runs_and_is_updated_in_a_bounded_heap(
    tmp_path: Path, mosquitto: Mosquitto, words: str
) -> None:
    require(words)
    _updated(tmp_path / "bounded", mosquitto.port, words, {"heap": f"{WHOLE_KB[words]}K"})
    ample = {"heap": f"{AMPLE_KB}K", "weigh": True}
    live = _live_bytes(_updated(tmp_path / "weighed", mosquitto.port, words, ample))
    print(
        f"{words}: whole node with an update runs in -X heapsize={WHOLE_KB[words]}K; at most "
        f"{live / 1024:.1f} KB live at any call of the chip, of which "
        f"{_shims_bytes(tmp_path / 'weighed', words) / 1024:.1f} KB stand for its own modules"
    )
    assert live < WHOLE_KB[words] * 1024


def _shims_bytes(folder: Path, words: str) -> int:
    """Heap of the shims for the chip's built-in modules, which take none on the chip."""
    found = interpreter.find() if words == "micropython" else interpreter.find_32_bit()
    assert found is not None
    compiled = folder / "compiled"
    image = compiled / "shims.romfs"
    arguments = ["-c", _SHIMS, "0", "gc", str(image), str(image.stat().st_size)]
    command = found.command(arguments, heap="256K", micropypath=[str(compiled)])
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.timeout(120)
def test_full_messages_of_a_backlog_go_out_in_68_kb(tmp_path: Path, mosquitto: Mosquitto) -> None:
    require("micropython-i386")
    plan = {"heap": f"{WHOLE_KB['micropython-i386']}K"}
    with (
        SigningGateway(mosquitto.port, DEVICE, KEY) as gateway,
        board(
            tmp_path, mosquitto.port, speed=1200, interpreter="micropython-i386", compiled=True,
            plan=plan,
        ) as work,
    ):  # fmt: skip
        gateway.clock = work.fleet.clock.now
        gateway.until(lambda: len(gateway.messages) >= 1)
        work.do("network_out", uplink="site")
        wakes = work.wakes
        until(lambda: work.wakes > wakes + 40, 60, "readings gather")
        work.do("network_back", uplink="site")
        gateway.until(lambda: max(len(given["r"]) for given in gateway.messages) >= 28, 40)
        assert "MemoryError" not in work.console


@pytest.mark.parametrize("words", ["micropython", "micropython-i386"])
def test_signing_and_verifying_run_in_64_kb(tmp_path: Path, words: str) -> None:
    require(words)
    found = interpreter.find() if words == "micropython" else interpreter.find_32_bit()
    assert found is not None
    flashed = tmp_path / "flashed"
    stage.lay_out(flashed)
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
