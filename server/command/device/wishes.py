"""The options of ``noria device new`` and ``replace``: what is fitted, field by field."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.errors import RegistryError
from server.command.device import checked

SENSORS = ("a02yyuw", "jsn-sr04t", "probe", "hx711")
BOARDS = {"xiao_esp32s3": False, "firebeetle": False, "t_sim7080g": True}
"""Board files of the firmware, and whether each has a modem."""

DEFAULT_BOARD = "xiao_esp32s3"
"""Of a new device: it has PSRAM and runs MicroPython's own image. A file without ``board`` is a
FireBeetle's, as before there was a choice."""

Wishes = Mapping[str, Any]
"""Options by their names; None, or an empty tuple, where one was not given."""

_F = TypeVar("_F", bound=Callable[..., object])
_SHORT = {"interval_s": "interval", "report_s": "report"}
_NOT_HERE = ("k",)  # the key's generation is the registry's
_HELP = {
    "interval_s": "A reading this often.",
    "report_s": "It reports at least this often.",
    "change_mm": "Report a change of the level early.",
    "floor_mm": "Sensor face to the inside floor.",
    "near_mm": "Sensor face to the highest water.",
    "full_pa": "A probe's pressure at 20 mA.",
    "release_floor": "No release below it is taken; else the highest floor known here.",
    "battery_permille": "A meter's volts over the node's, x 1000.",
}


def with_wishes(command: _F) -> _F:
    """Add the options for a board's hardware to a command."""
    for option in reversed([*_fitted(), *_numbers()]):
        command = option(command)
    return command


def _fitted() -> list[Any]:
    return [
        click.option("--sensor", type=click.Choice(SENSORS), help="Else what fits the tank."),
        click.option("--uplink", metavar="U", help="What it shares to reach the broker."),
        click.option("--board", type=click.Choice(list(BOARDS)), help=f"Default: {DEFAULT_BOARD}."),
        click.option("--wifi", metavar="SSID", multiple=True,
                     help="Network at the tank, again for each; passwords are asked for."),
        click.option("--apn", metavar="APN", help="LTE-M in place of Wi-Fi: the SIM's APN."),
        click.option("--apn-user", metavar="NAME", help="Where the SIM has one."),
        click.option("--gnss/--no-gnss", default=None,
                     help="Look where it is while it is being taken."),
        click.option("--motion/--no-motion", default=None, help="Whether a LIS3DH is fitted."),
        click.option("--lid", type=click.Choice(["reed", "light", "none"]),
                     help="A lid switch is fitted."),
        click.option("--mode", type=click.Choice(checked.choices()["mode"]),
                     help="How a JSN-SR04T answers; 'asked': an A02YYTW."),
        click.option("--battery/--mains", default=None, help="What feeds it."),
        click.option("--temp-zero", type=int, metavar="C", help="Added to the LIS3DH's own degC."),
        click.option("--rest", metavar="X,Y,Z", help="Gravity at rest, milli-g; else learned."),
        click.option("--ntp", metavar="HOST", help="Time server; '' for none."),
        click.option("--broker-host", metavar="HOST", help="How the board reaches the broker."),
        click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
                     help="Else a folder <id>."),
    ]  # fmt: skip


def _numbers() -> list[Any]:
    made = list[Any]()
    for number in checked.numbers():
        if number.name in _NOT_HERE:
            continue
        name = _SHORT.get(number.name, number.name)
        text = _HELP.get(number.name, "")
        made.append(
            click.option(
                "--" + name.replace("_", "-"), name, type=click.IntRange(number.least, number.most),
                metavar="N", help=f"{text} Default: {number.default}.".strip(),
            )
        )  # fmt: skip
    return made


def hardware(wishes: Wishes, kept: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of config.json for the hardware: ``kept`` ones where no option is given.

    Raises RegistryError.
    """
    more = dict(kept)
    if wishes["board"]:
        more["board"] = wishes["board"]
    board = more.get("board", "firebeetle")
    if wishes["apn"]:
        more["lte"] = {"apn": wishes["apn"]}
    for name in ("gnss", "motion", "battery", "mode", "temp_zero", "ntp"):
        if wishes[name] is not None:
            more[name] = wishes[name]
    if wishes["lid"]:
        more["lid"] = wishes["lid"]
    if more.get("lid") == "none":
        del more["lid"]
    if wishes["rest"]:
        more["rest"] = _axes(wishes["rest"])
    for number in checked.numbers():
        value = wishes.get(_SHORT.get(number.name, number.name))
        if value is not None:
            more[number.name] = value
    if not BOARDS.get(board, True):
        for option, field in (("--apn", "lte"), ("--gnss", "gnss")):
            if more.get(field):
                able = ", ".join(name for name, modem in BOARDS.items() if modem)
                raise RegistryError(f"{option}: board {board} has no modem: take --board {able}")
    if board == "firebeetle":
        more.pop("board", None)
    more.pop("sensor", None)  # the registry's
    return more


def _axes(text: str) -> list[int]:
    try:
        return [int(axis) for axis in text.split(",")]
    except ValueError:
        raise RegistryError(f"--rest {text!r}: three whole milli-g, as -12,8,1003") from None
