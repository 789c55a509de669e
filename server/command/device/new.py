"""``noria device new`` and ``replace``: identity, key, broker login and the board's config.json."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click
import sqlalchemy as sa

from gateway.database.engine import open_database
from gateway.devices import broker_trust, enrolment
from gateway.devices.state import release_floor
from gateway.domain.registry import Device, Registry, Sensor, Tank
from gateway.errors import RegistryError
from gateway.mqtt.certificates import names
from gateway.registry import rows
from gateway.runtime.clock import Clock
from gateway.settings import Settings
from server.command.config import settings_of, with_config
from server.command.device import batch, checked, kept
from server.command.device.wishes import DEFAULT_BOARD, Wishes, hardware, with_wishes


@dataclass(frozen=True, slots=True)
class _Made:
    """A device that is not enrolled yet, and the file for its board."""

    device: Device
    path: Path
    board: dict[str, Any]


@click.command()
@click.option("--tank", metavar="T", help="The tank that it hangs in.")
@click.option(
    "--list",
    "list_",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="CSV",
    help="Many at once: a column 'tank', others named as the options.",
)
@with_wishes
@with_config
def new(tank: str | None, list_: Path | None, config: str | None, **wishes: Any) -> None:
    """Draw an id and a key for a new device and write config.json for its board."""
    settings = settings_of(config)
    if (tank is None) == (list_ is None):
        raise RegistryError("name the tank with --tank, or a list of them with --list")
    if list_ is None:
        made = _make(settings, [(cast(str, tank), wishes)])
        click.echo(_next_steps(made[0], settings))
        return
    made = _make(settings, batch.read(list_, new, wishes))
    for one in made:
        click.echo(f"{one.device.id}  {one.device.tank:24}  {one.path.parent}")
    click.echo(f"Made {len(made)} devices. Each folder holds secrets: treat it as a key.")
    click.echo("Next, for each board: noria device flash PORT DIR, then noria device test PORT.")


@click.command()
@click.argument("old", metavar="OLD")
@with_wishes
@with_config
def replace(old: str, config: str | None, **wishes: Any) -> None:
    """Make a device that takes over OLD's tank; OLD is revoked, its history stays.

    What OLD was set up with is kept unless an option says otherwise. Networks are named again:
    their names and passwords are on no disk of this machine.
    """
    settings = settings_of(config)
    row = rows.load(open_database(settings)).device(old)
    if row is None:
        raise RegistryError(f"device = {old!r}: no device has this id: see 'noria device list'")
    same: Wishes = {
        **wishes,
        "sensor": wishes["sensor"] or row.sensor,
        "uplink": wishes["uplink"] or row.uplink,
    }
    made = _make(settings, [(row.tank, same)], old)[0]
    click.echo(_next_steps(made, settings))
    click.echo(f"{old} is revoked: nothing more of it is accepted. Its readings stay.")
    if not kept.hardware(settings, old):
        click.echo(f"How {old} was set up is not known here: check lid, probe and board options.")
    if not wishes["wifi"] and "lte" not in made.board:
        click.echo("It has no network yet: name the tank's with --wifi, or write it into the file.")


def _make(
    settings: Settings, wanted: list[tuple[str, Wishes]], old: str | None = None
) -> list[_Made]:
    """Draw, check, write and enrol: all of them, or none. Raises RegistryError."""
    engine = open_database(settings)
    registry = rows.load(engine)
    passwords: dict[str, str] = {}
    before = kept.hardware(settings, old) if old else {"board": DEFAULT_BOARD}
    made = [_drawn(settings, registry, tank, w, passwords, before) for tank, w in wanted]
    written = list[Path]()
    try:
        for one in made:
            enrolment.write_configuration(one.path, one.board)
            written.append(one.path)
            kept.keep(settings, one.device.id, one.board)
        now = Clock(settings.clock_speed, settings.clock_origin).now()
        has_tls = broker_trust.tls_port(settings) is not None
        trust = broker_trust.present(settings) if has_tls else None
        with engine.begin() as connection:
            for one in made:
                _enrol(connection, one.device, old, now)
                if trust is not None:
                    broker_trust.give(connection, one.device.id, trust)
                    broker_trust.save_answer(connection, one.device.id, 0, trust.name)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        for one in made:
            kept.forget(settings, one.device.id)
        raise
    return made


def _drawn(
    settings: Settings, registry: Registry, tank: str, wishes: Wishes, passwords: dict[str, str],
    before: Mapping[str, Any],
) -> _Made:  # fmt: skip
    """A device and its file, which the node would take."""
    sensor = cast(Sensor | None, wishes["sensor"])
    made = enrolment.new_device(registry, tank, sensor, wishes["uplink"])
    more = hardware(wishes, before)
    if wishes["apn_user"] and "lte" in more:
        more["lte"] |= {"user": wishes["apn_user"], "password": _asked(wishes["apn_user"])}
    if not more.get("floor_mm"):
        more |= _floor(made, registry.tank(tank))
    for ssid in wishes["wifi"]:
        passwords[ssid] = passwords[ssid] if ssid in passwords else _asked(ssid)
    networks = {ssid: passwords[ssid] for ssid in wishes["wifi"]}
    host, floor = wishes["broker_host"], _release_floor(settings, more)
    board = enrolment.board_configuration(made, settings, networks, host, floor) | more
    checked.check(board)
    return _Made(made, (wishes["out"] or Path(made.id)) / "config.json", board)


def _enrol(connection: sa.Connection, made: Device, old: str | None, now: float) -> None:
    enrolment.enrol(connection, made, now)
    if old is not None:
        enrolment.revoke(connection, old, now)


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


def _release_floor(settings: Settings, more: Mapping[str, Any]) -> int:
    with open_database(settings).connect() as connection:
        return release_floor(connection, more.get("board", "firebeetle"))


def _asked(wifi: str) -> str:
    asked: str = click.prompt(
        f"Password of {wifi}", default="", hide_input=True, show_default=False
    )
    return asked


def _next_steps(one: _Made, settings: Settings) -> str:
    made, path = one.device, one.path
    host = one.board["broker"]["host"]
    lines = [
        f"Made device {made.id} for {made.tank}, sensor {made.sensor}.",
        f"Wrote {path}. It holds the device's secrets: treat it as a key.",
        "Next, with the board on a cable (PORT: /dev/ttyUSB0, COM3 or the like):",
        f"  noria device flash PORT {path.parent}    the firmware and this configuration",
        "  noria device test PORT    every sensor once; takes its public key",
        "  noria status              counts its first message once it speaks",
    ]
    if names.is_only_here(host):
        lines.append(
            f"The board would look for its broker at {host}, which only this machine reaches: "
            "let broker_listen be 0.0.0.0:8883, and make it again with broker_names or "
            "--broker-host, this machine's name or address."
        )
    elif "ca" not in one.board["broker"]:
        lines.append(
            "It will connect without TLS: what it sends can be read on the way. "
            "'noria certificates make' changes that."
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
