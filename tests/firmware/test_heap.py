"""How much heap the node takes on 32-bit words, as the chip has: its build in place, and as files.

``-X heapsize`` limits MicroPython's heap, in which the shims for the chip's own modules are counted
too. What TLS takes is not: this interpreter's mbedTLS allocates with ``malloc``, the chip's from
the RAM that MicroPython leaves it.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.virtual.host import interpreter
from server.command.device import stage
from tests.firmware.board_at_work import DEVICE, KEY, UPLINK, Work, board
from tests.firmware.released import PUBLIC, made, offer
from tests.firmware.signing_gateway import SigningGateway
from tests.firmware.test_certificates import CONFIG, Authority, lay
from tests.parts import require
from tests.parts.mosquitto_service import Mosquitto, mosquitto
from tests.parts.services import free_port, listening, until

HERE = Path(__file__).parent
WORDS = "micropython-i386"
HEAP_KB = {"in place": 72, "files": 100}
"""What a cold start, a signature, a command, a full message and an update need, all over TLS.

Raise them only for a new feature, and name it in the commit. Names count as well: MicroPython
keeps every name it has loaded, in tables each twice the size of the one before, the last of 4.5 KB
in one piece; ``firmware/names.py`` shortens those that only one module uses.
"""
N = 1795212000

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


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[Mosquitto, int, str]]:
    """A broker with TLS for the node, the port of a plain listener for the test, the CA."""
    plain, authority = free_port(), Authority()
    lay(tmp_path / "broker", authority, "good")
    with mosquitto(tmp_path / "broker", CONFIG.replace("PLAIN", str(plain))) as running:
        until(lambda: listening(plain), 10, "the plain listener is there")
        yield running, plain, authority.pem.decode()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("build", HEAP_KB)
def test_the_whole_node_speaks_tls_and_is_updated_in_a_bounded_heap(
    tmp_path: Path, broker: tuple[Mosquitto, int, str], build: str
) -> None:
    require(WORDS)
    running, plain, ca = broker
    with (
        SigningGateway(plain, DEVICE, KEY) as gateway,
        board(
            tmp_path, running.port, interpreter=WORDS, release_key=PUBLIC,
            compiled="files" if build == "files" else True,
            plan={"heap": f"{HEAP_KB[build]}K"},
            broker={"host": "localhost", "port": running.port, "ca": ca},
        ) as work,
    ):  # fmt: skip
        gateway.clock = work.fleet.clock.now
        gateway.until(lambda: len(gateway.messages) >= 1)
        assert gateway.messages[0]["sg"] == 1
        offer(gateway, N, made(3))
        gateway.until(lambda: _conf(gateway, N, "update") and _conf(gateway, N, ""), 60)
        gateway.publish_json("down", {"v": 1, "n": N + 1, "set": {"interval_s": 60}})
        gateway.until(lambda: _conf(gateway, N + 1, ""))
        _send_a_full_message(work, gateway)
        live = sum(event["k"] == "fault" for event in gateway.events)
    assert live == 0 and "MemoryError" not in work.console and "no room" not in work.console
    held = bytes.fromhex(json.loads((tmp_path / DEVICE / "nvs-noria.json").read_text())["slots"])
    assert held[0] == 1  # slot a, and no longer the cable's
    chips = _shims_bytes(tmp_path / "compiled" / "shims.romfs")
    print(f"{build}: {HEAP_KB[build]} KB, {chips / 1024:.1f} of them for the chip's own modules")


def _conf(gateway: SigningGateway, n: int, code: str) -> bool:
    confs = (event for event in gateway.events if event["k"] == "conf" and event["n"] == n)
    return any(event.get("c", "") == code for event in confs)


def _send_a_full_message(work: Work, gateway: SigningGateway) -> None:
    """Readings gather while the network is out; then a message takes as many as it holds."""
    work.do("network_out", uplink=UPLINK)
    wakes = work.wakes
    until(lambda: work.wakes > wakes + 40, 60, "readings gather")
    work.do("network_back", uplink=UPLINK)
    gateway.until(lambda: max(len(message["r"]) for message in gateway.messages) >= 28, 40)
    # Acknowledged, and freed.
    count = len(gateway.messages)
    gateway.until(lambda: len(gateway.messages) > count)


def _shims_bytes(image: Path) -> int:
    """Heap of the shims for the chip's built-in modules, which take none on the chip."""
    found = interpreter.find_32_bit()
    assert found is not None
    arguments = ["-c", _SHIMS, "0", "gc", str(image), str(image.stat().st_size)]
    command = found.command(arguments, heap="256K", micropypath=[str(image.parent)])
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("words", ["micropython", WORDS])
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
