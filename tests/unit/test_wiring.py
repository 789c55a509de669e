"""The wiring that people solder is the wiring that the firmware drives, board by board."""

import re
from pathlib import Path

import pytest

from firmware.virtual.host import pins

ROOT = Path(__file__).parents[2]
BOARDS = ROOT / "firmware/device/board"
GUIDES = {
    "xiao_esp32s3": "ibc-xiao-esp32s3",
    "firebeetle": "ibc-firebeetle",
    "t_sim7080g": "ibc-t-sim7080g",
}
DRAWING = ROOT / "hardware/ibc-firebeetle/wiring.svg"
ROW = re.compile(r"^\| `(\w+)` \| .+ \| (\d+) \|$", re.MULTILINE)
# Pins that nothing may be soldered to: the prompt's UART, USB, and what the flash sits on.
TAKEN = {
    "xiao_esp32s3": {19, 20, *range(26, 38)},  # its image has the prompt on USB alone
    "firebeetle": {1, 3, *range(6, 12)},
    "t_sim7080g": {43, 44, 19, 20, *range(26, 38)},
}

RTC = {
    "firebeetle": {0, 2, 4, 12, 13, 14, 15, 25, 26, 27, *range(32, 40)},
    "t_sim7080g": set(range(22)),
    "xiao_esp32s3": set(range(22)),
}


HEADERS = {
    # D0 to D13, A0 to A4, I2C, SPI: DFRobot's pins_arduino.h in Espressif's Arduino core.
    "firebeetle": {
        3, 1, 25, 26, 27, 0, 14, 13, 5, 2, 17, 16, 4, 12, 36, 39, 34, 35, 15, 21, 22, 18, 19, 23,
    },
    # LILYGO's schematic, sheet SOC, header P2: the camera's signals, IO46 and SIM_RI (3).
    "t_sim7080g": {3, 8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 46},
    # D0 to D10: Seeed's pins_arduino.h in Espressif's Arduino core.
    "xiao_esp32s3": {1, 2, 3, 4, 5, 6, 43, 44, 7, 8, 9},
}  # fmt: skip
"""The GPIO numbers of the pins that people can solder to, by the board's maker."""
CAMERA = {
    "CAM_VSYNC": 16, "CAM_MCLK": 8, "CAM_HREF": 17, "CAM_RESET": 18, "CAM_D9": 9, "CAM_D8": 10,
    "CAM_D7": 11, "CAM_PCLK": 12, "CAM_D6": 13,
}  # fmt: skip
"""By LILYGO's README, *Pins*; MCLK is its XCLK."""
ON_BOARD = ("power_", "modem_", "battery")
"""Signals that the board itself connects."""


def _table(board: str) -> dict[str, int]:
    return pins.read(BOARDS / f"{board}.py")


def _guide(board: str) -> str:
    return (ROOT / "hardware" / GUIDES[board] / "README.md").read_text("utf-8")


def test_every_board_file_has_a_guide() -> None:
    files = {path.stem for path in BOARDS.glob("*.py")} - {"__init__"}
    assert files == set(GUIDES)


@pytest.mark.parametrize("board", GUIDES)
def test_the_wiring_table_names_every_pin_of_the_board_file_and_no_other(board: str) -> None:
    rows = ROW.findall(_guide(board))
    assert len(rows) == len(dict(rows)), "a signal stands in the table twice"
    assert {signal: int(gpio) for signal, gpio in rows} == _table(board)


@pytest.mark.parametrize("board", GUIDES)
def test_no_two_signals_share_a_pin(board: str) -> None:
    used = list(_table(board).values())
    assert sorted(used) == sorted(set(used))


@pytest.mark.parametrize("board", GUIDES)
def test_no_sensor_hangs_on_the_prompts_pins_or_the_flashs(board: str) -> None:
    assert not TAKEN[board] & set(_table(board).values())


@pytest.mark.parametrize("board", GUIDES)
def test_every_pin_that_people_solder_to_is_on_a_header(board: str) -> None:
    soldered = {pin for name, pin in _table(board).items() if not name.startswith(ON_BOARD)}
    assert soldered <= HEADERS[board]


def test_the_cameras_names_of_the_pins_are_the_guides() -> None:
    named = dict(re.findall(r"`(CAM_\w+)` (\d+)", _guide("t_sim7080g")))
    assert {name: int(pin) for name, pin in named.items()} == CAMERA
    used = {p for n, p in _table("t_sim7080g").items() if not n.startswith(ON_BOARD)}
    assert used == set(CAMERA.values())


@pytest.mark.parametrize("board", GUIDES)
def test_what_ends_deep_sleep_is_on_an_rtc_pin(board: str) -> None:
    assert {_table(board)[name] for name in ("motion", "tilt", "lid")} <= RTC[board]


@pytest.mark.parametrize("board", GUIDES)
def test_the_guides_have_the_same_headings(board: str) -> None:
    headings = re.findall(r"^## (.+)$", _guide(board), re.MULTILINE)
    wanted = ("Parts", "Wiring", "Power budget", "Build", "Mounting", "Calibrate with a bucket")
    assert [h for h in headings if h in wanted] == list(wanted)
    assert headings[-1] == "Safety"


@pytest.mark.parametrize("board", GUIDES)
def test_the_parts_add_up(board: str) -> None:
    prices = [int(price) for price in re.findall(r"\| (\d+) \|$", _parts(board), re.MULTILINE)]
    (together,) = re.findall(r"\*\*(\d+)\*\* \|$", _parts(board), re.MULTILINE)
    assert sum(prices) == int(together)


def _parts(board: str) -> str:
    return _guide(board).split("## Parts")[1].split("## Wiring")[0]


def test_the_drawing_shows_every_pin() -> None:
    shown = {int(n) for n in re.findall(r'<text class="[eb]"[^>]*>(\d+)\b', DRAWING.read_text())}
    assert shown == set(_table("firebeetle").values())
