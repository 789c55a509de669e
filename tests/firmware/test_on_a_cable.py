"""``noria device flash``, ``test`` and ``calibrate`` through the real mpremote, over a terminal, to
real MicroPython on a virtual ESP32. There is no boot loader of a chip here: what esptool is given
is asserted, what it does is not."""

import asyncio
import contextlib
import json
import re
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

from gateway.database.engine import connect
from gateway.database.tables import fact
from gateway.domain.registry import Registry
from gateway.errors import NoriaError
from gateway.journal.reader import JournalReader
from gateway.registry import rows
from server.command.device import cable, stage
from tests.firmware.board_at_work import DEVICE, Work
from tests.installation import Noria, made
from tests.integration.running_gateway import RunningGateway
from tests.parts import require
from tests.parts.services import free_port, until

BOARDS = Path(__file__).parents[2] / "firmware" / "device" / "board"


@contextlib.contextmanager
def on_cable(
    folder: Path,
    name: str = "xiao_esp32s3",
    in_place: bool = False,
    heap: str = "640K",
    **config: Any,
) -> Generator[tuple[Work, str]]:
    """A blank board on a cable: its world, and the path of its port.

    ``in_place``: its MicroPython has ROMFS, and a blank partition for it.
    """
    require("micropython")
    (folder / "blank").mkdir()
    plan: dict[str, Any] = {
        "speed": 120,
        "interpreter": "micropython",
        "rom": in_place,
        "heap": heap,
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


def root_of(folder: Path) -> Path:
    return folder / "board" / DEVICE / "root"


def test_a_blank_board_is_flashed_and_tested_and_then_its_signature_is_verified(
    noria: Noria, tmp_path: Path
) -> None:
    """The maker's whole path: new, flash, test; then the board reports to its gateway."""
    require("mosquitto")
    listen = f'broker_listen = "127.0.0.1:{free_port()}"\n'
    gateway = RunningGateway(tmp_path / "noria", listen)
    gateway.start()
    config = made(noria, "--wifi", "site")
    with on_cable(tmp_path, wifi=[{"ssid": "site"}]) as (work, port):
        (root_of(tmp_path) / "node").mkdir()
        (root_of(tmp_path) / "node" / "wake.py").write_text("raise ValueError('an older firmware')")
        result = noria("device", "flash", port, "made", "--no-table")
        assert result.exit_code == 0, result.output
        assert f"{config['device']} is on the board" in result.output
        root = root_of(tmp_path)
        assert not (root / "node" / "wake.py").exists()  # it would win over the new one
        assert (root / "node" / "wake.mpy").stat().st_size > 500
        assert (root / "main.py").exists() and (root / "boot.py").exists()
        assert json.loads((root / "config.json").read_text()) == config
        result = again(work, lambda port: noria("device", "test", port))
        kept = _registry(tmp_path).device(config["device"])
        work.do("power_off")
        work.do("power_on")
        until(lambda: "sig" in _proofs(gateway, config["device"]), 30, "a signature is verified")
    gateway.stop()
    assert kept is not None and kept.public_key is not None
    assert f"The public key of {config['device']} is in the registry." in result.output
    assert set(_proofs(gateway, config["device"])) <= {"sig", "mac"}  # what needs none has none
    assert gateway.status()["refused"]["bad_mac"] == gateway.status()["received"]["flagged"] == 0
    assert result.exit_code == 0, result.output
    for part in ("level sensor", "battery", "accelerometer", "flash partition", "radio"):
        assert f"ok    {part}" in result.output
    assert re.search(r"4[34]\d mm, spread \d, [5-9] of [5-9] samples", result.output), result.output


def test_a_board_that_runs_builds_in_place_is_given_one_there(noria: Noria, tmp_path: Path) -> None:
    config = made(noria, "--wifi", "site")
    with on_cable(tmp_path, in_place=True, wifi=[{"ssid": "site"}]) as (work, port):
        partition = tmp_path / "board" / DEVICE / "romfs.bin"
        with partition.open("r+b") as held:  # it is memory of the board: never truncated
            held.write(b"an older update" * 39321)
        result = noria("device", "flash", port, "made", "--no-table")
        assert result.exit_code == 0, result.output
        root = root_of(tmp_path)
        assert {path.name for path in root.iterdir()} == {"boot.py", "main.py", "config.json"}
        assert json.loads((root / "config.json").read_text()) == config
        built = stage.image(_laid_out(tmp_path))
        held = partition.read_bytes()
        assert held[: len(built)] == built
        assert held[-(-len(built) // 4096) * 4096 :].strip(b"\xff") == b""  # no update is left
        result = again(work, lambda port: noria("device", "test", port))
    assert result.exit_code == 0, result.output
    assert "ok    level sensor" in result.output


def _laid_out(folder: Path) -> Path:
    stage.lay_out(folder / "laid")
    return folder / "laid"


def _after(step: str, spoil: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``mpremote`` just brought to the board by ``step`` is spoilt there."""
    real = cable.Cable.mpremote

    def spoiling(self: cable.Cable, *arguments: str, words: str) -> str:
        output = real(self, *arguments, words=words)
        if arguments[0] == step:
            spoil()
        return output

    monkeypatch.setattr(cable.Cable, "mpremote", spoiling)


def test_a_build_that_arrives_torn_in_the_flash_is_found_out(
    noria: Noria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(noria)

    def tear() -> None:
        with (tmp_path / "board" / DEVICE / "romfs.bin").open("r+b") as partition:
            partition.seek(40_000)
            partition.write(b"torn")

    _after("romfs", tear, monkeypatch)
    with on_cable(tmp_path, in_place=True) as (_, port):
        result = noria("device", "flash", port, "made", "--no-table")
    assert isinstance(result.exception, NoriaError)
    assert "another build than was sent: flash it again" in str(result.exception)


def _registry(folder: Path) -> Registry:
    return rows.load(connect(folder / "noria" / "data" / "noria.db"))


def _proofs(gateway: RunningGateway, device: str) -> list[str | None]:
    """What proved each message that the gateway has of a device."""
    with contextlib.closing(JournalReader(gateway.folder / "data" / "journal.db")) as reader:
        return [entry.auth for entry in reader.all() if entry.subject == device and entry.auth]


def flashed(folder: Path) -> None:
    """What a flash leaves, without its time."""
    root = root_of(folder)
    stage.lay_out(root, compiled=False)
    (root / "config.json").write_bytes((folder / "made" / "config.json").read_bytes())


def again(work: Work, act: Callable[[str], Result]) -> Result:
    """After the reset that ends a flash the board runs; plug it in once more."""

    async def plug_in() -> str:
        board = work.fleet.boards[DEVICE]
        board.power_off()
        return board.plug_in()

    return act(asyncio.run_coroutine_threadsafe(plug_in(), work.loop).result(20))


def test_a_part_that_is_missing_fails_by_its_name_with_a_remedy(
    noria: Noria, tmp_path: Path
) -> None:
    made(noria, "--wifi", "elsewhere")
    with on_cable(tmp_path, wifi=[{"ssid": "elsewhere"}], sensor="hx711") as (work, _):
        flashed(tmp_path)
        work.do("seize", mode="carried", after_s=0)
        result = again(work, lambda port: noria("device", "test", port))
    assert result.exit_code == 1
    assert (
        "FAIL  level sensor     missing, 0 of 3 samples" in result.output
    )  # a scale hangs there, not the A02YYUW
    assert "check its supply, and RX and TX, which cross" in result.output
    assert "FAIL  radio" in result.output and "no network of 1 answered" in result.output
    assert "ok    battery" in result.output


def test_a_board_with_other_bytes_than_were_sent_is_found_out(
    noria: Noria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(noria)
    torn = root_of(tmp_path) / "node" / "storage" / "ring.mpy"
    _after("cp", lambda: torn.write_bytes(b"torn"), monkeypatch)
    with on_cable(tmp_path) as (_, port):
        result = noria("device", "flash", port, "made", "--no-table")
    assert isinstance(result.exception, NoriaError)
    assert "node/storage/ring.mpy: flash it again" in str(result.exception)


def test_a_tank_is_calibrated_with_a_bucket_and_its_table_is_a_leaf(
    noria: Noria, tmp_path: Path
) -> None:
    made(noria)
    with on_cable(tmp_path) as (work, _):
        flashed(tmp_path)
        world = work.fleet.boards[DEVICE].world
        world.set_draw(0)
        world.set_level(300)
        result = again(
            work,
            lambda port: noria(
                "device", "calibrate", DEVICE, "--port", port, typed="300\nmuch\n200\n\n"
            ),
        )
    # Two rows make no table, and 200 L after 300 cannot be: the first is kept, to go on later.
    assert "'much' is no number of litres" in result.output
    assert "both must rise" in result.output
    assert isinstance(result.exception, NoriaError) and "they are kept" in str(result.exception)
    result = noria("device", "calibrate", DEVICE, typed="\n")
    assert "It continues after 1 rows" in result.output and result.exit_code
    result = noria("device", "calibrate", DEVICE, "--anew", typed="20\n21\n100\n95\n")
    assert result.exit_code  # broken off by the end of what was typed
    result = noria("device", "calibrate", DEVICE, typed="400\n374\n\n")
    assert result.exit_code == 0, result.output
    engine = connect(tmp_path / "noria" / "data" / "noria.db")
    tank = _registry(tmp_path).tank("north-1")
    assert tank is not None and tank.shape == "table"
    assert tank.table == ((21, 20), (95, 100), (374, 400)) and tank.capacity_l == 400
    with engine.connect() as connection:
        newest = list(connection.execute(fact.select()))[-1]
    assert newest.kind == "cal" and newest.body["table"] == [[21, 20], [95, 100], [374, 400]]


def test_a_scale_is_calibrated_with_a_known_weight(noria: Noria, tmp_path: Path) -> None:
    config = made(noria, tank="cans", typed="")
    scale = {"sensor": "hx711", "zero": 84000, "counts_per_kg": 21500}
    with on_cable(tmp_path, **scale) as (work, _):
        flashed(tmp_path)
        world = work.fleet.boards[DEVICE].world
        world.set_draw(0)
        world.set_level(0)
        result = again(work, lambda port: _weighed(noria, world, config["device"], port))
        back = again(work, lambda port: noria("device", "restore", port, "again"))
        board = json.loads((root_of(tmp_path) / "config.json").read_text())
    assert result.exit_code == 0, result.output
    # The platform itself weighs 12 kg in this world: that is its zero.
    assert abs(board["zero"] - (84000 + 12 * 21500)) < 3000
    assert abs(board["counts_per_kg"] - 21500) < 100
    assert board["key"] == config["key"]
    learned = {name: board[name] for name in ("zero", "counts_per_kg")}
    for folder in ("made", "again"):
        read = json.loads(Path(folder, "config.json").read_text())
        assert {name: read[name] for name in learned} == learned and read["key"] == config["key"]
    assert back.exit_code == 0, back.output
    result = noria("device", "replace", config["device"], "--out", "next", typed="")
    assert result.exit_code == 0, result.output
    following = json.loads(Path("next/config.json").read_text())
    assert {name: following[name] for name in learned} == learned
    assert following["key"] != config["key"]


def _weighed(noria: Noria, world: Any, device: str, port: str) -> Result:
    """Bare platform, then 50 L of water, which the world adds when it is asked for."""
    asked = click.prompt

    def prompt(text: str, *arguments: Any, **more: Any) -> Any:
        if text.startswith("Put a known weight"):
            world.set_level(50)
        return asked(text, *arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(click, "prompt", prompt)
        return noria("device", "calibrate", device, "--port", port, "--dir", "made", typed="\n50\n")
