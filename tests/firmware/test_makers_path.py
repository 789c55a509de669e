"""The maker's commands without a board: every step is printed, every refusal has a message."""

import importlib.util
import json
import os
import pty
import re
import socket
from pathlib import Path

import pytest

from gateway.database.engine import connect
from gateway.errors import NoriaError
from gateway.registry import rows
from server.command.device import cable
from tests.firmware.board_at_work import DEVICE, KEY
from tests.installation import Noria, made


def test_every_step_can_be_printed_without_a_board(noria: Noria, tmp_path: Path) -> None:
    made(noria, "--board", "t_sim7080g", "--apn", "iot.example", "--gnss")
    (tmp_path / "image.bin").write_bytes(b"x")
    result = noria(
        "device", "flash", "/dev/ttyACM7", "made", "--micropython", "image.bin", "--dry-run"
    )
    assert result.exit_code == 0, result.output
    steps = [line[4:] for line in result.output.splitlines() if line.startswith("  $ ")]
    chip = "esptool --port /dev/ttyACM7 --chip esp32s3"
    assert steps[0] == f"{chip} erase-flash"
    assert steps[1] == f"{chip} write-flash 0x0 image.bin"
    assert steps[2].startswith(f"{chip} write-flash 0x8000 ")
    commands = [step.split()[3] for step in steps[3:]]
    assert commands == ["exec", "exec", "romfs", "exec", "cp", "fs", "reset"]
    assert steps[5].split()[4] == "deploy" and steps[5].endswith("build.romfs")
    copied = [Path(path).name for path in steps[7].split()[5:-1]]
    assert copied == ["boot.py", "config.json", "main.py"]
    result = noria("device", "flash", "/dev/ttyACM7", "made", "--source", "--dry-run")
    assert "romfs" not in result.output and "node/storage/ring.py" in result.output
    result = noria("device", "test", "/dev/ttyACM7", "--dry-run")
    assert "$ mpremote connect /dev/ttyACM7 exec" in result.output
    result = noria(
        "device", "calibrate", DEVICE, "--dry-run", typed="20\n21\n100\n95\n400\n374\n\n"
    )
    assert "table = [[21, 20], [95, 100], [374, 400]]" in result.output


def test_a_port_that_is_not_there_is_named(noria: Noria) -> None:
    made(noria)
    for command in (("flash", "/dev/ttyUSB99", "made"), ("test", "/dev/ttyUSB99")):
        result = noria("device", *command)
        assert isinstance(result.exception, NoriaError)
        assert "/dev/ttyUSB99 is not there: " in str(result.exception)


def test_a_board_that_does_not_answer_gives_a_plain_message(
    noria: Noria, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(noria)
    monkeypatch.setattr(cable, "HELLO_S", 3)
    master, slave = pty.openpty()
    result = noria("device", "test", os.ttyname(slave))
    os.close(master)
    os.close(slave)
    assert isinstance(result.exception, NoriaError)
    assert "does not answer, it may be asleep: press its reset button" in str(result.exception)


def test_a_missing_tool_is_named_with_how_to_get_it(
    noria: Noria, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(noria)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "mpremote" else found(name)
    )
    master, slave = pty.openpty()
    result = noria("device", "test", os.ttyname(slave))
    os.close(master)
    os.close(slave)
    assert "mpremote is not installed: pip install 'noria[device]'" in str(result.exception)


def test_a_configuration_that_is_missing_is_named(noria: Noria, tmp_path: Path) -> None:
    result = noria("device", "flash", "/dev/ttyUSB0", "nowhere", "--dry-run")
    assert isinstance(result.exception, NoriaError)
    assert "nowhere/config.json" in str(result.exception)


def test_what_is_fitted_is_in_the_configuration(noria: Noria) -> None:
    board = made(noria, "--lid", "reed", "--no-motion", "--interval", "300", "--report", "3600")
    fitted = {name: board[name] for name in ("lid", "motion", "interval_s", "report_s")}
    assert fitted == {"lid": "reed", "motion": False, "interval_s": 300, "report_s": 3600}


def test_a_blind_sensor_gets_the_height_of_the_floor(noria: Noria) -> None:
    assert made(noria, "--sensor", "jsn-sr04t")["floor_mm"] == 1100


def test_a_board_without_a_modem_gets_no_sim(noria: Noria, tmp_path: Path) -> None:
    result = noria("device", "new", "--tank", "north-1", "--apn", "iot.example", "--out", "made")
    assert isinstance(result.exception, NoriaError)
    assert "take --board t_sim7080g" in str(result.exception)
    assert not (tmp_path / "made").exists()


def test_a_replacement_takes_over_the_tank_and_the_old_one_is_revoked(
    noria: Noria, tmp_path: Path
) -> None:
    result = noria("device", "replace", DEVICE, "--out", "made")
    assert result.exit_code == 0, result.output
    registry = rows.load(connect(tmp_path / "noria" / "data" / "noria.db"))
    board = json.loads(Path("made/config.json").read_text())
    old, new = registry.device(DEVICE), registry.device(board["device"])
    assert old is not None and old.revoked
    assert new is not None and not new.revoked and new.key != old.key
    assert (new.tank, new.uplink, new.sensor) == (old.tank, old.uplink, old.sensor)
    assert len(registry.devices[DEVICE]) == 2  # its history stays
    host = re.escape(socket.gethostname())  # as a word: a short one may be part of a drawn key
    assert not re.search(rf"\b{host}\b", Path("made/config.json").read_text())
    assert KEY.hex() not in result.output
    missing = noria("device", "replace", "abcdef")
    assert "no device has this id" in str(missing.exception)
