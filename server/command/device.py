"""``noria device``: nodes get their identity, key and broker login."""

import ipaddress
from pathlib import Path
from typing import cast

import click

from gateway import database
from gateway.clock import Clock
from gateway.domain.registry import Device, Sensor
from gateway.registry import enrolment, rows
from gateway.settings import Settings
from server.command import desired
from server.command.config import settings_of, with_config

_SENSORS = ("a02yyuw", "jsn-sr04t", "probe", "hx711")


@click.group()
def device() -> None:
    """Make, list and revoke devices; tell them what to do."""


for _command in (desired.set_, desired.order, desired.update, desired.show):
    device.add_command(_command)


@device.command()
@click.option("--tank", required=True, metavar="T", help="The tank that it hangs in.")
@click.option("--sensor", type=click.Choice(_SENSORS), help="Else a02yyuw; hx711 for a station.")
@click.option("--uplink", metavar="U", help="What it shares with others to reach the broker.")
@click.option("--wifi", metavar="SSID", help="Network at the tank; its password is asked for.")
@click.option("--broker-host", metavar="HOST", help="How the board reaches the broker.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Else a folder <id>.")
@with_config
def new(
    tank: str,
    sensor: str | None,
    uplink: str | None,
    wifi: str | None,
    broker_host: str | None,
    out: Path | None,
    config: str | None,
) -> None:
    """Draw an id and a key for a new device and write config.json for its board."""
    settings = settings_of(config)
    engine = database.connect(settings.database_path)
    made = enrolment.draw(rows.load(engine), tank, cast(Sensor | None, sensor), uplink)
    networks = {wifi: _asked(wifi)} if wifi else {}
    board = enrolment.board_configuration(made, settings, networks, broker_host)
    path = (out or Path(made.id)) / "config.json"
    enrolment.write_configuration(path, board)
    try:
        with engine.begin() as connection:
            now = Clock(settings.clock_speed, settings.clock_origin).now()
            enrolment.enrol(connection, made, now)
    except BaseException:
        path.unlink()
        raise
    click.echo(_next_steps(made, path, settings, board["broker"]["host"]))


def _asked(wifi: str) -> str:
    asked: str = click.prompt(
        f"Password of {wifi}", default="", hide_input=True, show_default=False
    )
    return asked


def _next_steps(made: Device, path: Path, settings: Settings, host: str) -> str:
    lines = [
        f"Made device {made.id} for {made.tank}, sensor {made.sensor}.",
        f"Wrote {path}. It holds the device's secrets: treat it as a key.",
        "Next:",
        f"  mpremote cp {path} :config.json    beside main.py on the board (firmware/README.md)",
        "  noria status                       counts its first message once it speaks",
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


@device.command(name="list")
@with_config
def list_(config: str | None) -> None:
    """One line for each device: id, tank, sensor, uplink, and how it proves itself."""
    registry = rows.load(database.connect(settings_of(config).database_path))
    for name in sorted(registry.devices):
        row = registry.devices[name][-1]
        proof = "revoked" if row.revoked else "unsigned" if row.unsigned else "key"
        click.echo(f"{row.id:16}  {row.tank:24}  {row.sensor:9}  {row.uplink or '-':20}  {proof}")
    if not registry.devices:
        click.echo("No devices yet: 'noria device new --tank T' makes one.")


@device.command()
@click.argument("name", metavar="DEVICE")
@with_config
def revoke(name: str, config: str | None) -> None:
    """Accept nothing more of DEVICE: it was lost, taken or replaced."""
    settings = settings_of(config)
    now = Clock(settings.clock_speed, settings.clock_origin).now()
    with database.connect(settings.database_path).begin() as connection:
        enrolment.revoke(connection, name, now)
    click.echo(f"{name} is revoked. A running gateway refuses it within 2 seconds.")
