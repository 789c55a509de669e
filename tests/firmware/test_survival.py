"""With any fault of a board a start ends in a report or a sleep, never at the prompt."""

import json
import shutil
from pathlib import Path

import pytest

from tests.firmware.board_at_work import DEVICE, Work, board
from tests.firmware.released import SOURCE
from tests.firmware.signing_gateway import SigningGateway
from tests.parts import require
from tests.parts.mosquitto_service import Mosquitto
from tests.parts.services import until

LADDER = [600.0, 1200.0, 2400.0, 4800.0]


def _sleeps(work: Work) -> list[float]:
    return [event["s"] for event in work.events if event["event"] == "sleep"]


def _broken(folder: Path, file: str, text: str) -> dict[str, str]:
    """The plan of a board whose firmware has ``text`` at the end of ``file``."""
    firmware = folder / "firmware"
    shutil.copytree(SOURCE, firmware, ignore=shutil.ignore_patterns("__pycache__", "*.json"))
    path = firmware / file
    path.write_text(path.read_text("utf-8") + text, "utf-8")
    return {"firmware": str(firmware), "board_file": str(SOURCE / "board/firebeetle.py")}


_NO_PARTITION = """

class esp32:
    class Partition:
        TYPE_DATA = 1

        @staticmethod
        def find(*_given, **_named):
            return []
"""


@pytest.mark.parametrize(
    ("file", "text", "error"),
    [
        ("node/wake.py", "\nimport nothing_of_the_kind\n", "ImportError"),
        ("node/wake.py", "\n!\n", "SyntaxError"),
        ("node/measure/measurement.py", "\nhold = bytearray(1 << 28)\n", "MemoryError"),
        ("node/start.py", "\ndef start(*_):\n    raise SystemExit\n", "SystemExit"),
        ("node/start.py", "\ndef start(*_):\n    start(*_)\n", "RuntimeError"),
        ("board/firebeetle.py", _NO_PARTITION, "no flash partition"),
        ("slots.py", "\nimport nothing_of_the_kind\n", "ImportError"),
    ],
)
def test_a_fault_of_the_firmware_ends_in_longer_and_longer_sleeps(
    tmp_path: Path, mosquitto: Mosquitto, file: str, text: str, error: str
) -> None:
    require("micropython")
    plan = _broken(tmp_path, file, text)
    with board(tmp_path, mosquitto.port, speed=2400, plan=plan) as work:
        until(lambda: len(_sleeps(work)) >= 4, 40, "four sleeps")
        assert error in work.console and work.count("stuck") == work.count("crash") == 0
    expected = [3600.0] * 4 if file == "slots.py" else LADDER
    assert _sleeps(work)[:4] == expected


def test_a_missing_configuration_sleeps_and_is_reported_when_it_is_back(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port) as work:
        gateway.clock = work.fleet.clock.now
        gateway.until(lambda: len(gateway.messages) >= 1)
        config = tmp_path / DEVICE / "root" / "config.json"
        text = config.read_text("utf-8")
        config.unlink()
        until(lambda: 1200.0 in _sleeps(work), 30, "the second fault's sleep")
        assert "Traceback" in work.console and work.count("stuck") == 0
        config.write_text(text, "utf-8")
        gateway.until(lambda: any(event["k"] == "fault" for event in gateway.events))
        fault = next(event for event in gateway.events if event["k"] == "fault")
        slept = len(_sleeps(work))
        until(lambda: len(_sleeps(work)) >= slept + 2, 20, "it works again")
    assert (fault["s"], fault["c"]) == ("main", "OSError")
    assert _sleeps(work)[-1] <= 600.0


def test_starts_that_die_again_and_again_keep_the_radio_off_and_the_readings_coming(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    """A brown-out loop: each start dies when its current is highest, here at its first message."""
    with board(tmp_path, mosquitto.port) as work:
        gateway.clock = work.fleet.clock.now
        for starts in range(1, 12):
            until(lambda starts=starts: _faults(tmp_path) >= min(starts, 9), 20, "a start")
            if _faults(tmp_path) >= 9:
                break
            work.do("power_off")
            work.do("power_on")
        sent = len(gateway.messages)
        slept = len(_sleeps(work))
        until(lambda: len(_sleeps(work)) > slept, 20, "the first wake that ends by itself")
        assert _faults(tmp_path) >= 9 and len(gateway.messages) == sent
        gateway.until(lambda: len(gateway.messages) > sent)  # once the wait is over
        until(lambda: _faults(tmp_path) == 0, 20, "a wake that ended well")
    assert work.count("stuck") == 0


def _faults(folder: Path) -> int:
    kept = folder / DEVICE / "nvs-noria.json"
    return json.loads(kept.read_text("utf-8")).get("faults", 0) if kept.exists() else 0


def test_losing_nvs_is_reported_once_and_readings_continue_under_the_mac(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port) as work:
        gateway.clock = work.fleet.clock.now
        gateway.until(lambda: len(gateway.messages) >= 2)
        first = gateway.messages[0]
        assert first["sg"] == 1 and "sg" not in gateway.messages[1]
        work.do("power_off")
        (tmp_path / DEVICE / "nvs-noria.json").unlink()
        work.do("power_on")
        gateway.until(lambda: any(event.get("s") == "sig" for event in gateway.events))
        count = len(gateway.messages)
        gateway.until(lambda: len(gateway.messages) >= count + 3)
        late = gateway.messages[count:]
    assert [e["c"] for e in gateway.events if e.get("s") == "sig"] == ["lost"]
    assert all("sg" not in message and message["r"] for message in late)
