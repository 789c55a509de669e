"""The wiring that people solder is the wiring that the firmware drives."""

import re
from pathlib import Path

from firmware.virtual.host import pins

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "hardware/ibc-firebeetle/README.md"
DRAWING = ROOT / "hardware/ibc-firebeetle/wiring.svg"
BOARD = ROOT / "firmware/device/board/firebeetle.py"
ROW = re.compile(r"^\| `(\w+)` \| .+ \| (\d+) \|$", re.MULTILINE)


def test_the_wiring_table_names_every_pin_of_the_board_file_and_no_other() -> None:
    rows = ROW.findall(GUIDE.read_text("utf-8"))
    assert len(rows) == len(dict(rows)), "a signal stands in the table twice"
    assert {signal: int(gpio) for signal, gpio in rows} == pins.read(BOARD)


def test_no_two_signals_share_a_pin() -> None:
    used = list(pins.read(BOARD).values())
    assert sorted(used) == sorted(set(used))


def test_the_drawing_shows_every_pin() -> None:
    shown = {int(n) for n in re.findall(r'<text class="[eb]"[^>]*>(\d+)\b', DRAWING.read_text())}
    assert shown == set(pins.read(BOARD).values())
