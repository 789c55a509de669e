"""With any fault of a board a start ends in a report or a sleep, never at the prompt."""

import json
import re
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


def test_a_bad_configuration_keeps_the_last_good_one_and_names_its_field(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    def told() -> list[str]:
        return [event["c"] for event in gateway.events if event.get("s") == "config"]

    with board(tmp_path, mosquitto.port) as work:
        gateway.clock = work.fleet.clock.now
        gateway.until(lambda: len(gateway.messages) >= 1)
        config = tmp_path / DEVICE / "root" / "config.json"
        good = config.read_text("utf-8")
        for count, (text, field) in enumerate((
            (good.replace('"report_s": 900', '"report_s": "soon"'), "report_s"),
            (good.replace("127.0.0.1", ""), "broker.host"),
            (good[:-20], "json"),
            (None, "file"),
        )):  # fmt: skip
            assert text != good
            work.do("power_off")
            if text is None:
                config.unlink()
            else:
                config.write_text(text, "utf-8")
            work.do("power_on")
            gateway.until(lambda count=count: len(told()) == 2 * count + 1)
            assert told()[-1] == field
            sent = len(gateway.messages)
            gateway.until(lambda sent=sent: len(gateway.messages) >= sent + 2)
            work.do("power_off")
            config.write_text(good, "utf-8")
            work.do("power_on")
            gateway.until(lambda count=count: len(told()) == 2 * count + 2)
            assert told()[-1] == "ok"
    assert work.count("stuck") == 0 and _faults(tmp_path) == 0


def test_a_missing_configuration_sleeps_and_is_reported_when_it_is_back(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port) as work:
        gateway.clock = work.fleet.clock.now
        gateway.until(lambda: len(gateway.messages) >= 1)
        config = tmp_path / DEVICE / "root" / "config.json"
        text = config.read_text("utf-8")
        work.do("power_off")
        nvs = tmp_path / DEVICE / "nvs-noria.json"
        values = json.loads(nvs.read_text("utf-8"))
        assert bytes.fromhex(values.pop("config")).decode() == text  # nor is the last good one kept
        nvs.write_text(json.dumps(values), "utf-8")
        config.unlink()
        work.do("power_on")
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
    """A brown-out loop: each start dies when its current is highest, here at its first message.
    Its cell is weak: with a healthy one it would be a hand on the bench."""
    with board(tmp_path, mosquitto.port) as work:
        work.do("set_battery", millivolts=3600)
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


def test_after_interrupted_starts_on_the_bench_a_power_on_reports_within_two_minutes(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port) as work:
        gateway.clock = work.fleet.clock.now
        for starts in range(1, 13):
            until(lambda starts=starts: _faults(tmp_path) >= starts, 20, "a start")
            work.do("power_off")
            work.do("power_on")
        sent, slept = len(gateway.messages), len(_sleeps(work))
        gateway.until(lambda: len(gateway.messages) > sent)
        assert all(seconds <= 120 for seconds in _sleeps(work)[slept : slept + 1])
        until(lambda: _faults(tmp_path) == 0, 20, "the count is clear")


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


def test_a_node_whose_nvs_takes_nothing_measures_and_speaks_under_the_mac(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    changes = ["nvs_set_i32", "nvs_set_blob", "nvs_erase_key", "nvs_commit"]
    with board(tmp_path, mosquitto.port, lid="reed") as work:
        work.do("power_off")
        (tmp_path / DEVICE / "nvs-noria.json").unlink(missing_ok=True)
        work.fleet.boards[DEVICE].storm = {"seed": 1, "parts": changes, "share": 1.0}
        gateway.clock = work.fleet.clock.now
        sent = len(gateway.messages)
        work.do("power_on")
        gateway.until(lambda: len(gateway.messages) >= sent + 4)
    late = gateway.messages[sent:]
    assert all("sg" not in message and message["r"] for message in late)
    told = [event for event in gateway.events if event.get("s") == "flash"]
    assert told and all(event["n"] >= 1 for event in told)


def test_a_radio_with_errors_of_its_own_is_tried_again_by_the_normal_back_off_and_counted(
    tmp_path: Path, mosquitto: Mosquitto, gateway: SigningGateway
) -> None:
    with board(tmp_path, mosquitto.port) as work:
        gateway.clock = work.fleet.clock.now
        gateway.until(lambda: len(gateway.messages) >= 1)
        virtual = work.fleet.boards[DEVICE]
        virtual.storm = {"seed": 9, "parts": ["wifi_connect"], "share": 1.0}
        until(lambda: work.console.count("storm: radio wifi_connect") >= 5, 60, "five attempts")
        assert _faults(tmp_path) == 0 and max(_sleeps(work)) <= 600.0
        virtual.storm = None
        sent = len(gateway.messages)
        gateway.until(lambda: len(gateway.messages) >= sent + 3, 60)
    told = [event for event in gateway.events if event.get("s") == "radio"]
    raised = re.findall(r"^storm: radio wifi_connect (\w+)$", work.console, re.MULTILINE)
    counted = [name for name in raised if name != "OSError"]
    assert [(event["n"], event["c"]) for event in told] == [(len(counted), counted[-1][:12])]
