"""``noria device new`` and ``replace``: identity, key, broker login and the board's config.json."""

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict, TypeVar, Unpack, cast

import click
import sqlalchemy as sa

from gateway.database.engine import open_database
from gateway.devices import enrolment
from gateway.domain.registry import Device, Sensor, Tank
from gateway.errors import RegistryError
from gateway.registry import rows
from gateway.runtime.clock import Clock
from gateway.settings import Settings
from server.command.config import settings_of, with_config

SENSORS = ("a02yyuw", "jsn-sr04t", "probe", "hx711")
BOARDS = {"firebeetle": False, "t_sim7080g": True}
"""Board files of the firmware, and whether each has a modem."""

_F = TypeVar("_F", bound=Callable[..., object])


class Wishes(TypedDict):
    """The options for a node."""

    sensor: str | None
    uplink: str | None
    board: str
    wifi: tuple[str, ...]
    apn: str | None
    gnss: bool
    motion: bool
    lid: str | None
    interval: int | None
    report: int | None
    broker_host: str | None
    out: Path | None


def _with_wishes(command: _F) -> _F:
    options = (
        click.option("--sensor", type=click.Choice(SENSORS), help="Else what fits the tank."),
        click.option("--uplink", metavar="U", help="What it shares to reach the broker."),
        click.option("--board", type=click.Choice(list(BOARDS)), default="firebeetle",
                     show_default=True, help="The board, a folder in hardware/."),
        click.option("--wifi", metavar="SSID", multiple=True,
                     help="Network at the tank, again for each; passwords are asked for."),
        click.option("--apn", metavar="APN", help="LTE-M in place of Wi-Fi: the SIM's APN."),
        click.option("--gnss", is_flag=True, help="Look where it is while it is being taken."),
        click.option("--motion/--no-motion", default=True, show_default=True,
                     help="Whether a LIS3DH is fitted."),
        click.option("--lid", type=click.Choice(["reed", "light"]), help="A lid switch is fitted."),
        click.option("--interval", type=click.IntRange(30, 604800), metavar="S",
                     help="A reading this often."),
        click.option("--report", type=click.IntRange(30, 604800), metavar="S",
                     help="It speaks at least this often."),
        click.option("--broker-host", metavar="HOST", help="How the board reaches the broker."),
        click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
                     help="Else a folder <id>."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.option("--tank", required=True, metavar="T", help="The tank that it hangs in.")
@_with_wishes
@with_config
def new(tank: str, config: str | None, **wishes: Unpack[Wishes]) -> None:
    """Draw an id and a key for a new device and write config.json for its board."""
    _make(settings_of(config), tank, wishes)


@click.command()
@click.argument("old", metavar="OLD")
@_with_wishes
@with_config
def replace(old: str, config: str | None, **wishes: Unpack[Wishes]) -> None:
    """Make a device that takes over OLD's tank; OLD is revoked, its history stays."""
    settings = settings_of(config)
    row = rows.load(open_database(settings)).device(old)
    if row is None:
        raise RegistryError(f"device = {old!r}: no device has this id: see 'noria device list'")
    same: Wishes = {
        **wishes,
        "sensor": wishes["sensor"] or row.sensor,
        "uplink": wishes["uplink"] or row.uplink,
    }
    _make(settings, row.tank, same, old)
    click.echo(f"{old} is revoked: nothing more of it is accepted. Its readings stay.")


def _make(settings: Settings, tank: str, wishes: Wishes, old: str | None = None) -> None:
    engine = open_database(settings)
    sensor = cast(Sensor | None, wishes["sensor"])
    registry = rows.load(engine)
    made = enrolment.new_device(registry, tank, sensor, wishes["uplink"])
    more = _hardware(wishes) | _floor(made, registry.tank(tank))
    networks = {ssid: _asked(ssid) for ssid in wishes["wifi"]}
    board = enrolment.board_configuration(made, settings, networks, wishes["broker_host"]) | more
    path = (wishes["out"] or Path(made.id)) / "config.json"
    enrolment.write_configuration(path, board)
    try:
        with engine.begin() as connection:
            _enrol(connection, made, old, Clock(settings.clock_speed, settings.clock_origin).now())
    except BaseException:
        path.unlink()
        raise
    host = cast(dict[str, str], board["broker"])["host"]
    click.echo(_next_steps(made, path, settings, host))


def _enrol(connection: sa.Connection, made: Device, old: str | None, now: float) -> None:
    enrolment.enrol(connection, made, now)
    if old is not None:
        enrolment.revoke(connection, old, now)


def _hardware(wishes: Wishes) -> dict[str, Any]:
    """The fields of config.json for the hardware. Raises RegistryError."""
    board = wishes["board"]
    if not BOARDS[board]:
        for name, given in (("--apn", wishes["apn"]), ("--gnss", wishes["gnss"])):
            if given:
                able = ", ".join(name for name, modem in BOARDS.items() if modem)
                raise RegistryError(f"{name}: board {board} has no modem: take --board {able}")
    more: dict[str, Any] = {} if board == "firebeetle" else {"board": board}
    if wishes["apn"]:
        more["lte"] = {"apn": wishes["apn"]}
    if wishes["gnss"]:
        more["gnss"] = True
    if not wishes["motion"]:
        more["motion"] = False
    if wishes["lid"]:
        more["lid"] = wishes["lid"]
    for name, seconds in (("interval_s", wishes["interval"]), ("report_s", wishes["report"])):
        if seconds is not None:
            more[name] = seconds
    return more


def _floor(made: Device, tank: Tank | None) -> dict[str, Any]:
    """The floor, for a JSN-SR04T: in its blind zone it reads a distance below any floor."""
    if made.sensor != "jsn-sr04t":
        return {}
    if tank is None or tank.sensor_height_mm is None:
        raise RegistryError(
            f"tank {made.tank}: sensor_height_mm is missing: a jsn-sr04t reads far when the water "
            "is too near, and is checked against the floor; measure it and import it"
        )
    return {"floor_mm": tank.sensor_height_mm}


def _asked(wifi: str) -> str:
    asked: str = click.prompt(
        f"Password of {wifi}", default="", hide_input=True, show_default=False
    )
    return asked


def _next_steps(made: Device, path: Path, settings: Settings, host: str) -> str:
    lines = [
        f"Made device {made.id} for {made.tank}, sensor {made.sensor}.",
        f"Wrote {path}. It holds the device's secrets: treat it as a key.",
        "Next, with the board on a cable (PORT: /dev/ttyUSB0, COM3 or the like):",
        f"  noria device flash PORT {path.parent}    the firmware and this configuration",
        "  noria device test PORT    every sensor once; takes its public key",
        "  noria status              counts its first message once it speaks",
    ]
    if _is_only_here(host):
        lines.append(
            f"The board would look for its broker at {host}, which only this machine reaches: "
            "make it again with --broker-host, and let broker_listen be 0.0.0.0:1883."
        )
    if settings.broker != "auto":
        topics = f"noria/1/{made.id}/"
        lines += [
            "Your broker has to know it: user and client id are the device id, the password is",
            "in config.json. What it may do, as Mosquitto's acl_file says it:",
            f"  user {made.id}",
            *(f"  topic write {topics}{name}" for name in ("up", "status")),
            *(f"  topic read {topics}{name}" for name in ("ack", "down", "part/+/+")),
        ]
    return "\n".join(lines)


def _is_only_here(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified
