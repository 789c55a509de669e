"""The maker's commands without a board: every step is printed, every refusal has a message."""

import importlib.util
import json
import os
import pty
import re
import socket
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.database.engine import connect
from gateway.devices import state
from gateway.errors import NoriaError
from gateway.registry import rows
from server.command.device import cable
from tests.firmware.board_at_work import DEVICE, KEY
from tests.firmware.released import PUBLIC
from tests.firmware.released import made as released
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
    assert commands == ["exec", "exec", "exec", "romfs", "exec", "cp", "fs", "reset"]
    assert steps[6].split()[4] == "deploy" and steps[6].endswith("build.romfs")
    copied = [Path(path).name for path in steps[8].split()[5:-1]]
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


def test_a_new_board_takes_no_release_below_the_highest_floor_kept_here(
    noria: Noria, tmp_path: Path
) -> None:
    config = tmp_path / "noria" / "noria.toml"
    engine = connect(tmp_path / "noria" / "data" / "noria.db")
    ours = "xiao_esp32s3"
    kept = [
        released(9, floor=4, board=ours),
        released(7, floor=6, board=ours),
        released(8, floor=8, board="t_sim7080g"),
    ]
    with engine.begin() as connection:
        for n, one in enumerate(kept):
            row = {"id": str(n), "bundle": one.bundle()}
            connection.execute(sa.insert(state.release).values(**row))
    assert "release_floor" not in made(noria)  # without its key it takes none
    Path("made/config.json").unlink()
    config.write_text(config.read_text() + f'release_key = "{PUBLIC}"\n')
    assert made(noria)["release_floor"] == 6
    old = json.loads(Path("made/config.json").read_text())["device"]
    with engine.begin() as connection:
        row = {"id": "3", "bundle": released(9, board="any").bundle()}
        connection.execute(sa.insert(state.release).values(**row))
    assert noria("device", "replace", old, "--out", "next").exit_code == 0
    assert json.loads(Path("next/config.json").read_text())["release_floor"] == 9


def test_a_blind_sensor_gets_the_height_of_the_floor(noria: Noria) -> None:
    assert made(noria, "--sensor", "jsn-sr04t")["floor_mm"] == 1100


def test_a_board_without_a_modem_gets_no_sim(noria: Noria, tmp_path: Path) -> None:
    result = noria("device", "new", "--tank", "north-1", "--apn", "iot.example", "--out", "made")
    assert isinstance(result.exception, NoriaError)
    assert "take --board t_sim7080g" in str(result.exception)
    assert not (tmp_path / "made").exists()


def test_a_replacement_keeps_what_was_fitted_and_an_option_changes_it(noria: Noria) -> None:
    old = made(
        noria, "--lid", "reed", "--uplink", "north", "--sensor", "jsn-sr04t", "--mode", "serial",
        "--near-mm", "400", "--temp-zero", "-3", "--wifi", "site",
    )  # fmt: skip
    result = noria("device", "replace", old["device"], "--out", "next", "--near-mm", "450")
    assert result.exit_code == 0, result.output
    new = json.loads(Path("next/config.json").read_text())
    fitted = ("lid", "sensor", "mode", "floor_mm", "temp_zero")
    assert {name: new[name] for name in fitted} == {name: old[name] for name in fitted}
    assert new["near_mm"] == 450 and new["wifi"] == [] and new["key"] != old["key"]
    assert "It has no network yet" in result.output
    kept = "".join(path.read_text() for path in Path("noria/data/boards").iterdir())
    for secret in (old["key"], "wifi-word", "site", old["broker"]["password"]):
        assert secret not in kept


def test_a_list_makes_a_folder_for_each_row_or_none_at_all(noria: Noria) -> None:
    rows_ = "tank,out,lid,motion,wifi,report\nnorth-1,a,reed,yes,site;spare,3600\ncans,b,,no,,\n"
    Path("list.csv").write_text(rows_)
    result = noria("device", "new", "--list", "list.csv", "--interval", "300", typed="word one\n"
                   "word two\n")  # fmt: skip
    assert result.exit_code == 0, result.output
    first, second = (json.loads(Path(name, "config.json").read_text()) for name in "ab")
    assert [net["ssid"] for net in first["wifi"]] == ["site", "spare"]
    assert (first["lid"], first["report_s"], first["interval_s"]) == ("reed", 3600, 300)
    assert (second["motion"], second["interval_s"], second["sensor"]) == (False, 300, "hx711")
    assert first["device"] != second["device"] and first["key"] != second["key"]
    for text, named in (
        ("tank,lid\nnorth-1,reed\nnowhere,\n", "nowhere"),
        ("tank,report\nnorth-1,5\n", "line 2"),
        ("tank,colour\nnorth-1,red\n", "'colour' is no option"),
        ("tank,motion\nnorth-1,perhaps\n", "yes or no"),
        ("tank\n", "no row"),
    ):
        Path("list.csv").write_text(text)
        before = {path.name for path in Path().iterdir()}
        result = noria("device", "new", "--list", "list.csv")
        assert isinstance(result.exception, NoriaError) and named in str(result.exception)
        assert {path.name for path in Path().iterdir()} == before


def test_a_configuration_that_the_node_would_refuse_reaches_no_board(noria: Noria) -> None:
    good = made(noria)
    for change, named in (
        ({"report_s": "soon"}, "report_s 'soon'"),
        ({"interval": 300}, "interval: no node has this field: did you mean interval_s?"),
        ({"broker": {**good["broker"], "prot": 1883}}, "did you mean broker.port?"),
        ({"board": "esp8266"}, "board is none of"),
        ({"mode": "asked", "sensor": "probe"}, "mode 'asked': is a a02yyuw's"),
        ({"mode": "aj-sr04m"}, "mode 'aj-sr04m': is a jsn-sr04t's, not a a02yyuw's"),
        ({"mode": "ascii"}, "use pulse, serial, aj-sr04m, asked"),
    ):
        Path("made/config.json").write_text(json.dumps({**good, **change}))
        result = noria("device", "flash", "/dev/ttyUSB0", "made", "--dry-run")
        assert isinstance(result.exception, NoriaError) and named in str(result.exception), change


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
