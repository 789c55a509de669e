"""``noria device flash``, ``test`` and ``calibrate`` through the real mpremote, over a terminal, to
real MicroPython on a virtual ESP32. A chip's own boot loader is not had here: what esptool is told
is asserted, what it does is not."""

import asyncio
import contextlib
import importlib.util
import json
import os
import pty
import re
import socket
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from gateway.database import connect, fact
from gateway.errors import NoriaError
from gateway.registry import rows
from server.command.device import cable, stage
from server.command.main import cli
from tests.firmware.board_at_work import DEVICE, KEY, Work
from tests.parts import require
from tests.unit.test_registry_file import WHOLE

BOARDS = Path(__file__).parents[2] / "firmware" / "device" / "board"
Noria = Callable[..., Result]


@pytest.fixture
def noria(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Noria:
    """Runs the command on a new installation with one IBC and one station."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NORIA_CONFIG", str(tmp_path / "noria" / "noria.toml"))
    (tmp_path / "r.toml").write_text(WHOLE)

    def run(*arguments: str, typed: str = "") -> Result:
        return CliRunner().invoke(cli, arguments, input=typed)

    assert run("init", "noria").exit_code == 0
    assert run("registry", "import", "r.toml").exit_code == 0
    return run


@contextlib.contextmanager
def on_cable(folder: Path, name: str = "firebeetle", **config: Any) -> Generator[tuple[Work, str]]:
    """A blank board on a cable: its world, and the path of its port."""
    require("micropython")
    (folder / "blank").mkdir()
    plan: dict[str, Any] = {
        "speed": 120,
        "interpreter": "micropython",
        "firmware": str(folder / "blank"),
        "board_file": str(BOARDS / f"{name}.py"),
        "boards": [
            {"device": DEVICE, "config": {"board": name, **config}, "model": {"spike_share": 0.0}}
        ],
    }
    work = Work(plan, folder / "board")
    work.start()

    async def plug_in() -> str:
        board = work.fleet.boards[DEVICE]
        board.power_off()
        return board.plug_in()

    try:
        yield work, asyncio.run_coroutine_threadsafe(plug_in(), work.loop).result(20)
    finally:
        work.stop()


def _root(folder: Path) -> Path:
    return folder / "board" / DEVICE / "root"


def _made(noria: Noria, *more: str, tank: str = "north-1", typed: str = "word\n") -> dict[str, Any]:
    result = noria("device", "new", "--tank", tank, "--out", "made", *more, typed=typed)
    assert result.exit_code == 0, result.output
    return json.loads(Path("made/config.json").read_text())


def test_a_blank_board_is_flashed_tested_and_its_files_are_what_was_sent(
    noria: Noria, tmp_path: Path
) -> None:
    made = _made(noria, "--wifi", "site")
    with on_cable(tmp_path, wifi=[{"ssid": "site"}]) as (work, port):
        (_root(tmp_path) / "node").mkdir()
        (_root(tmp_path) / "node" / "wake.py").write_text("raise ValueError('an older firmware')")
        result = noria("device", "flash", port, "made", "--no-table")
        assert result.exit_code == 0, result.output
        assert f"{made['device']} is on the board" in result.output
        root = _root(tmp_path)
        assert not (root / "node" / "wake.py").exists()  # it would win over the new one
        assert (root / "node" / "wake.mpy").stat().st_size > 500
        assert (root / "main.py").exists() and (root / "boot.py").exists()
        assert json.loads((root / "config.json").read_text()) == made
        result = _again(work, lambda port: noria("device", "test", port))
    assert result.exit_code == 0, result.output
    for part in ("level sensor", "battery", "accelerometer", "flash partition", "radio"):
        assert f"ok    {part}" in result.output
    assert re.search(r"4[34]\d mm, spread \d, [5-7] of 7 samples", result.output), result.output


def _flashed(folder: Path) -> None:
    """What a flash leaves, without its time."""
    root = _root(folder)
    stage.lay_out(root, compiled=False)
    (root / "config.json").write_bytes((folder / "made" / "config.json").read_bytes())


def _again(work: Work, act: Callable[[str], Result]) -> Result:
    """After the reset that ends a flash the board runs; plug it in once more."""

    async def plug_in() -> str:
        board = work.fleet.boards[DEVICE]
        board.power_off()
        return board.plug_in()

    return act(asyncio.run_coroutine_threadsafe(plug_in(), work.loop).result(20))


def test_a_part_that_is_missing_fails_by_its_name_with_a_remedy(
    noria: Noria, tmp_path: Path
) -> None:
    _made(noria, "--wifi", "elsewhere")
    with on_cable(tmp_path, wifi=[{"ssid": "elsewhere"}], sensor="hx711") as (work, _):
        _flashed(tmp_path)
        work.tell("seize", mode="carried", after_s=0)
        result = _again(work, lambda port: noria("device", "test", port))
    assert result.exit_code == 1
    assert "FAIL  level sensor     no echo" in result.output  # a scale hangs there, not the A02YYUW
    assert "check its supply, and RX and TX, which cross" in result.output
    assert "FAIL  radio" in result.output and "no network of 1 answered" in result.output
    assert "ok    battery" in result.output


def test_a_board_with_other_bytes_than_were_sent_is_found_out(
    noria: Noria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _made(noria)
    real = cable.Cable.mpremote

    def torn(self: cable.Cable, *arguments: str, words: str) -> str:
        said = real(self, *arguments, words=words)
        if arguments[0] == "cp":
            (_root(tmp_path) / "node" / "ring.mpy").write_bytes(b"torn")
        return said

    monkeypatch.setattr(cable.Cable, "mpremote", torn)
    with on_cable(tmp_path) as (_, port):
        result = noria("device", "flash", port, "made", "--no-table")
    assert isinstance(result.exception, NoriaError)
    assert "node/ring.mpy: flash it again" in str(result.exception)


def test_a_tank_is_calibrated_with_a_bucket_and_its_table_is_a_leaf(
    noria: Noria, tmp_path: Path
) -> None:
    _made(noria)
    with on_cable(tmp_path) as (work, _):
        _flashed(tmp_path)
        world = work.fleet.boards[DEVICE].world
        world.set_draw(0)
        world.set_level(300)
        result = _again(
            work,
            lambda port: noria(
                "device", "calibrate", DEVICE, "--port", port, typed="300\nmuch\n200\n\n"
            ),
        )
    # Two rows make no table, and 200 L after 300 cannot be: nothing was kept.
    assert "'much' is no number of litres" in result.output
    assert "both must rise" in result.output
    assert isinstance(result.exception, NoriaError) and "nothing was kept" in str(result.exception)
    typed = "20\n21\n100\n95\n400\n374\n\n"
    result = noria("device", "calibrate", DEVICE, typed=typed)
    assert result.exit_code == 0, result.output
    engine = connect(tmp_path / "noria" / "data" / "noria.db")
    tank = rows.load(engine).tank("north-1")
    assert tank is not None and tank.shape == "table"
    assert tank.table == ((21, 20), (95, 100), (374, 400)) and tank.capacity_l == 400
    with engine.connect() as connection:
        newest = list(connection.execute(fact.select()))[-1]
    assert newest.kind == "cal" and newest.body["table"] == [[21, 20], [95, 100], [374, 400]]


def test_a_scale_is_calibrated_with_a_known_weight(noria: Noria, tmp_path: Path) -> None:
    made = _made(noria, tank="cans", typed="")
    scale = {"sensor": "hx711", "zero": 84000, "counts_per_kg": 21500}
    with on_cable(tmp_path, **scale) as (work, _):
        _flashed(tmp_path)
        world = work.fleet.boards[DEVICE].world
        world.set_draw(0)
        world.set_level(0)
        result = _again(work, lambda port: _weighed(noria, world, made["device"], port))
        board = json.loads((_root(tmp_path) / "config.json").read_text())
    assert result.exit_code == 0, result.output
    # The platform itself weighs 12 kg in this world: that is its zero.
    assert abs(board["zero"] - (84000 + 12 * 21500)) < 3000
    assert abs(board["counts_per_kg"] - 21500) < 100
    assert board["key"] == made["key"]


def _weighed(noria: Noria, world: Any, device: str, port: str) -> Result:
    """Bare platform, then 50 L of water, which the world adds when it is asked for."""
    asked = click.prompt

    def prompt(text: str, *arguments: Any, **more: Any) -> Any:
        if text.startswith("Put a known weight"):
            world.set_level(50)
        return asked(text, *arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(click, "prompt", prompt)
        return noria("device", "calibrate", device, "--port", port, typed="\n50\n")


# Without a board


def test_every_step_can_be_told_without_a_board(noria: Noria, tmp_path: Path) -> None:
    _made(noria, "--board", "t_sim7080g", "--apn", "iot.example", "--gnss")
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
    assert [step.split()[3] for step in steps[3:]] == ["exec", "cp", "fs", "reset"]
    assert "node/ring.mpy" in steps[5] and "config.json" in steps[5]
    result = noria("device", "test", "/dev/ttyACM7", "--dry-run")
    assert "$ mpremote connect /dev/ttyACM7 exec" in result.output
    result = noria(
        "device", "calibrate", DEVICE, "--dry-run", typed="20\n21\n100\n95\n400\n374\n\n"
    )
    assert "table = [[21, 20], [95, 100], [374, 400]]" in result.output


def test_a_port_that_is_not_there_is_named(noria: Noria) -> None:
    _made(noria)
    for command in (("flash", "/dev/ttyUSB99", "made"), ("test", "/dev/ttyUSB99")):
        result = noria("device", *command)
        assert isinstance(result.exception, NoriaError)
        assert "/dev/ttyUSB99 is not there: " in str(result.exception)


def test_a_board_that_does_not_answer_is_told_in_words(noria: Noria) -> None:
    _made(noria)
    master, slave = pty.openpty()
    result = noria("device", "test", os.ttyname(slave))
    os.close(master)
    os.close(slave)
    assert isinstance(result.exception, NoriaError)
    assert "does not answer, it may be asleep: press its reset button" in str(result.exception)


def test_a_missing_tool_is_named_with_how_to_get_it(
    noria: Noria, monkeypatch: pytest.MonkeyPatch
) -> None:
    _made(noria)
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
    made = json.loads(Path("made/config.json").read_text())
    old, new = registry.device(DEVICE), registry.device(made["device"])
    assert old is not None and old.revoked
    assert new is not None and not new.revoked and new.key != old.key
    assert (new.tank, new.uplink, new.sensor) == (old.tank, old.uplink, old.sensor)
    assert len(registry.devices[DEVICE]) == 2  # its history stays
    assert socket.gethostname() not in Path("made/config.json").read_text()
    assert KEY.hex() not in result.output
    missing = noria("device", "replace", "abcdef")
    assert "no device has this id" in str(missing.exception)
